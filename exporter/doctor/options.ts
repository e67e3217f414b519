/** The options of `stealwatch doctor`: those of the exporter that say where things are, and its own. */
import type { Answered } from './machine-command.ts';
import type { ExamineOptions } from './examine.ts';
import { readSettings } from '../config/read.ts';
import { redisOf, redisProblems } from '../config/redis.ts';
import { setting } from '../config/settings.ts';
import { parseDirectory, parseOptionalHttpUrl, parseSwitch } from '../config/values.ts';
import {
  commandHelp,
  exporterPlaceOf,
  exporterSettings,
  machineSettings,
} from './shared-options.ts';
import { join } from 'node:path';

/** The options that the exporter does not have. */
export const doctorSettings = {
  root: setting({
    flag: 'root',
    variables: ['STEALWATCH_ROOT'],
    placeholder: 'DIR',
    fallback: '/',
    help: 'Where the disks of the machine are mounted, in a container: its logs, settings and containers are read there, and proc, sys and dev unless they are named.',
    parse: parseDirectory,
  }),
  ...exporterSettings,
  alertmanager: setting({
    flag: 'alertmanager',
    variables: ['STEALWATCH_ALERTMANAGER_URL'],
    placeholder: 'URL',
    fallback: '',
    help: 'The Alertmanager that tells you, wherever it runs: http://127.0.0.1:9093.',
    secret: true,
    parse: parseOptionalHttpUrl,
  }),
  json: setting({
    flag: 'json',
    variables: [],
    fallback: 'false',
    help: 'Print the results as JSON.',
    parse: parseSwitch,
  }),
};

const table = {
  ...doctorSettings,
  ...machineSettings,
};

export interface ExamineCommand {
  readonly kind: 'examine';
  readonly options: Omit<ExamineOptions, 'clock'>;
  readonly json: boolean;
}

const helpText = commandHelp(
  [
    'stealwatch doctor: what would have shortened a freeze, and is not in place on this machine.',
    '',
    'Usage: stealwatch doctor [options]',
    '',
    'Reads, asks Redis and the exporter, and changes nothing; ends within 3 s. Each check passes, warns,',
    'fails, or cannot see; docs/doctor.md has every one of them. Ends with 0 when all is well, 1 when',
    'something warns or could not be seen, 2 when something fails, 3 for wrong options.',
  ],
  table,
);

export function readDoctorOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ExamineCommand | Answered {
  const { values, problems, wants, named } = readSettings(table, { argv, env });
  if (wants.size > 0) return { kind: 'print', text: helpText };
  problems.push(...redisProblems(values, named));
  if (problems.length > 0) return { kind: 'invalid', problems };
  const { root, procfs, sysfs, kmsg, alertmanager, json } = values;
  const under = (path: string, usual: string) => (path === usual ? join(root, usual) : path);
  return {
    kind: 'examine',
    json,
    options: {
      root,
      procfs: under(procfs, '/proc'),
      sysfs: under(sysfs, '/sys'),
      kmsg: under(kmsg, '/dev/kmsg'),
      redis: redisOf(values, named),
      exporter: exporterPlaceOf(values, named),
      alertmanager,
    },
  };
}
