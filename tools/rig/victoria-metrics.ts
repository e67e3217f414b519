/** VictoriaMetrics' rule engine and its unit tests, from Debian's package: 1.145 at the time of writing. */
import { debianPrograms } from './debian-release.ts';

export const victoriaMetrics = () =>
  debianPrograms({
    name: 'victoria-metrics',
    title: 'VictoriaMetrics of Debian sid',
    suite: 'sid',
    packages: ['victoria-metrics'],
    programs: ['victoria-metrics', 'vmalert', 'vmalert-tool'].map(
      (program) => [program, '-h'] as const,
    ),
  });
