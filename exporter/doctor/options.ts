/** The options of `stealwatch doctor`: those of the exporter that say where things are, and its own. */
import { unitEnvironment } from './environment.ts';
import type { ExamineOptions } from './examine.ts';
import { urlOfListener } from '../config/listen-url.ts';
import { settingsHelp } from '../config/help.ts';
import { readSettings, redisOf, redisProblems } from '../config/read.ts';
import { setting, settings } from '../config/settings.ts';
import {
  parseDirectory,
  parseOptionalHttpUrl,
  parseOptionalText,
  parseSwitch,
} from '../config/values.ts';
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
  exporter: setting({
    flag: 'exporter',
    variables: ['STEALWATCH_EXPORTER_URL'],
    placeholder: 'URL',
    fallback: '',
    help: 'The running exporter, for what it alone knows. With user and password in it where it asks for them. Default: where --listen says, over TLS if --web-config-file does, which is http://127.0.0.1:10190.',
    secret: true,
    parse: parseOptionalHttpUrl,
  }),
  exporterToken: setting({
    flag: 'exporter-token',
    variables: ['STEALWATCH_EXPORTER_TOKEN'],
    placeholder: 'TOKEN',
    fallback: '',
    help: 'The bearer token the exporter asks for. Put it into the variable, not the flag: flags show in ps.',
    secret: true,
    parse: parseOptionalText,
  }),
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
  redis: settings.redis,
  redisTlsCaFile: settings.redisTlsCaFile,
  redisTlsCertFile: settings.redisTlsCertFile,
  redisTlsKeyFile: settings.redisTlsKeyFile,
  redisTlsServerName: settings.redisTlsServerName,
  redisSentinelUsername: settings.redisSentinelUsername,
  redisSentinelPassword: settings.redisSentinelPassword,
  redisAddressMap: settings.redisAddressMap,
  listen: settings.listen,
  webConfigFile: settings.webConfigFile,
  procfs: settings.procfs,
  sysfs: settings.sysfs,
  kmsg: settings.kmsg,
};

export type DoctorCommand =
  | {
      readonly kind: 'examine';
      readonly options: Omit<ExamineOptions, 'clock'>;
      readonly json: boolean;
    }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

const helpText = [
  'stealwatch doctor: what would have shortened a freeze, and is not in place on this machine.',
  '',
  'Usage: stealwatch doctor [options]',
  '',
  'Reads, asks Redis and the exporter, and changes nothing; ends within 3 s. Each check passes, warns,',
  'fails, or cannot see; docs/doctor.md has every one of them. Ends with 0 when all is well, 1 when',
  'something warns or could not be seen, 2 when something fails, 3 for wrong options.',
  '',
  'Its variables are those of the exporter; what is not set is taken from the file of its unit,',
  `${unitEnvironment}.`,
  '',
  ...settingsHelp(table),
  '  --help\n      Print this and end.',
  '',
].join('\n');

export function readDoctorOptions(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DoctorCommand {
  const { values, problems, wants } = readSettings(table, { argv, env });
  if (wants.size > 0) return { kind: 'print', text: helpText };
  problems.push(...redisProblems(values));
  if (problems.length > 0) return { kind: 'invalid', problems };
  const { root, procfs, sysfs, kmsg, exporter, exporterToken, alertmanager, json } = values;
  const under = (path: string, usual: string) => (path === usual ? join(root, usual) : path);
  return {
    kind: 'examine',
    json,
    options: {
      root,
      procfs: under(procfs, '/proc'),
      sysfs: under(sysfs, '/sys'),
      kmsg: under(kmsg, '/dev/kmsg'),
      redis: redisOf(values),
      exporter: {
        url: exporter ?? urlOfListener(values.listen),
        named: exporter !== undefined,
        token: exporterToken,
        webConfigFile: values.webConfigFile,
      },
      alertmanager,
    },
  };
}
