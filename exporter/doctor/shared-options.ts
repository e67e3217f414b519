/** What the commands that ask this machine have in common: where the exporter is, and as whom; where things are. */
import { settingsHelp } from '../config/help.ts';
import type { Named } from '../config/names.ts';
import { urlOfListener } from '../config/listen-url.ts';
import { setting, settings, type SettingsTable, type ValuesOf } from '../config/settings.ts';
import { parseOptionalHttpUrl, parseOptionalText } from '../config/values.ts';
import type { ExporterPlace } from '../http/access/way-in.ts';
import { unitEnvironment } from './environment.ts';

export const exporterSettings = {
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
};

/** The exporter's own, by which it is found. */
export const listenSettings = {
  listen: settings.listen,
  webConfigFile: settings.webConfigFile,
};

/** The exporter's own: its Redis and the files of its machine. */
export const machineSettings = {
  redis: settings.redis,
  redisTlsCaFile: settings.redisTlsCaFile,
  redisTlsCertFile: settings.redisTlsCertFile,
  redisTlsKeyFile: settings.redisTlsKeyFile,
  redisTlsServerName: settings.redisTlsServerName,
  redisSentinelUsername: settings.redisSentinelUsername,
  redisSentinelPassword: settings.redisSentinelPassword,
  redisAddressMap: settings.redisAddressMap,
  ...listenSettings,
  procfs: settings.procfs,
  sysfs: settings.sysfs,
  kmsg: settings.kmsg,
};

type PlaceValues = ValuesOf<typeof exporterSettings & typeof listenSettings>;

/** `url` is an address that was given another way. */
export function exporterPlaceOf(
  values: PlaceValues,
  named: Named<'webConfigFile'>,
  url = values.exporter,
): ExporterPlace {
  return {
    url: url ?? urlOfListener(values.listen),
    named: url !== undefined,
    token: values.exporterToken,
    webConfigFile: values.webConfigFile,
    webConfigName: named('webConfigFile'),
  };
}

/** The text of --help: what the command does, and its options. */
export const commandHelp = (lines: readonly string[], table: SettingsTable): string =>
  [
    ...lines,
    '',
    'Its variables are those of the exporter; what is not set is taken from the file of its unit,',
    `${unitEnvironment}.`,
    '',
    ...settingsHelp(table),
    '  --help\n      Print this and end.',
    '',
  ].join('\n');
