/**
 * Newer releases of Prometheus and Alertmanager beside the installed ones, so that rules and
 * configuration are tested under both.
 *
 *   node tools/rig/newer-prometheus.ts     prints where they are, or why they cannot be had
 */
import { debianPrograms, type Unavailable } from './debian-release.ts';

export interface Release {
  /** `sid`: Prometheus 3.5, Alertmanager 0.33 at the time of writing. `trixie`: 2.53 and 0.28. */
  readonly suite: 'sid' | 'trixie';
  /** The directory that holds prometheus, promtool, prometheus-alertmanager and amtool. */
  readonly bin: string;
}

export function newerPrometheus(suite: Release['suite'] = 'sid'): Release | Unavailable {
  const found = debianPrograms({
    name: suite,
    title: `Prometheus of Debian ${suite}`,
    suite,
    packages: ['prometheus', 'promtool', 'prometheus-alertmanager'],
    programs: ['prometheus', 'promtool', 'prometheus-alertmanager', 'amtool'].map(
      (program) => [program, '--version'] as const,
    ),
  });
  return 'bin' in found ? { suite, ...found } : found;
}

if (import.meta.main) {
  for (const suite of ['sid', 'trixie'] as const) {
    const found = newerPrometheus(suite);
    console.log('bin' in found ? `${suite}: ${found.bin}` : found.skipped);
  }
}
