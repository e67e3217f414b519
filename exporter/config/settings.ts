/** One table of all settings: flag, variables, default, check and help of each. read.ts reads it. */
import { parseAddressMap, parseOptionalFile, parseServerName } from '../redis/address-settings.ts';
import {
  logLevels,
  parseApps,
  parseCanary,
  parseDirectory,
  parseFileOfOurs,
  parseHttpUrl,
  parseListen,
  parseLogLevel,
  parseNames,
  parseOptionalPath,
  parseOptionalText,
  parseRatio,
  parseRedis,
  parseSeconds,
  parseSwitch,
  parseTargets,
  parseToken,
} from './values.ts';

export interface Setting<T> {
  readonly flag: string;
  /** Variables in the order they are tried. */
  readonly variables: readonly string[];
  /** What stands after the flag in `--help`; none for a switch. */
  readonly placeholder?: string;
  /** The value may be left out: `--flag` alone means `true`, `--flag=VALUE` gives one. */
  readonly optional?: true;
  /** Text that is parsed when nothing is given. Comma-separated for a list. */
  readonly fallback: string;
  readonly help: string;
  /** The value may hold a password or a token: messages must not repeat it. */
  readonly secret?: true;
  /** Stands where secrets do: a value that is not what was expected may be one, and is not repeated. */
  readonly besideSecrets?: true;
  /** May be given more than once; in a variable, commas or lines stand between. */
  readonly list?: true;
  /** From text to value. Throws an Error whose message says what was expected. */
  readonly parse: (text: string) => T;
}

/** Settings by the name of their value. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

export type ValuesOf<T extends SettingsTable> = {
  readonly [K in keyof T]: ReturnType<T[K]['parse']>;
};

export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

export const settings = {
  checkConfig: setting({
    flag: 'check-config',
    variables: [],
    fallback: 'false',
    help: 'Check all settings and the files they name, say what would be done, and end: with 0, or with 2 and every problem. Shows no secret, and asks nobody.',
    parse: parseSwitch,
  }),
  listen: setting({
    flag: 'listen',
    variables: ['STEALWATCH_LISTEN'],
    placeholder: 'HOST:PORT',
    fallback: '127.0.0.1:10190',
    help: 'Address to serve on. Loopback unless you say otherwise.',
    parse: parseListen,
  }),
  webConfigFile: setting({
    flag: 'web-config-file',
    variables: ['STEALWATCH_WEB_CONFIG_FILE'],
    placeholder: 'FILE',
    besideSecrets: true,
    fallback: '',
    help: "TLS and credentials, in the format of Prometheus' exporter-toolkit; docs/watching-from-outside.md.",
    parse: parseFileOfOurs,
  }),
  redis: setting({
    flag: 'redis-url',
    variables: ['STEALWATCH_REDIS_URL', 'REDIS_URL'],
    placeholder: 'URL',
    fallback: 'redis://127.0.0.1:6379',
    help: "The Redis to watch, or none: redis://, rediss:// (TLS), unix:///path, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port; Asynq's redis-sentinel:// and redis-socket:// as well. Put a password into the variable, not the flag: flags show in ps.",
    secret: true,
    parse: parseRedis,
  }),
  redisTlsCaFile: setting({
    flag: 'redis-tls-ca-file',
    variables: ['STEALWATCH_REDIS_TLS_CA_FILE'],
    placeholder: 'FILE',
    besideSecrets: true,
    fallback: '',
    help: 'Certificates of the authority that signed those of Redis and its Sentinels, in PEM; the public ones are trusted when none is given. Read at each connection, as the two below are; for targets too.',
    parse: parseOptionalFile,
  }),
  redisTlsCertFile: setting({
    flag: 'redis-tls-cert-file',
    variables: ['STEALWATCH_REDIS_TLS_CERT_FILE'],
    placeholder: 'FILE',
    besideSecrets: true,
    fallback: '',
    help: "Our own certificate, in PEM, for a Redis that asks for one (tls-auth-clients, Redis's default with TLS).",
    parse: parseOptionalFile,
  }),
  redisTlsKeyFile: setting({
    flag: 'redis-tls-key-file',
    variables: ['STEALWATCH_REDIS_TLS_KEY_FILE'],
    placeholder: 'FILE',
    besideSecrets: true,
    fallback: '',
    help: 'The private key of that certificate, in PEM.',
    parse: parseOptionalFile,
  }),
  redisTlsServerName: setting({
    flag: 'redis-tls-server-name',
    variables: ['STEALWATCH_REDIS_TLS_SERVER_NAME'],
    placeholder: 'NAME',
    besideSecrets: true,
    fallback: '',
    help: 'The name to ask for and to find in the certificate, where it is not the host of the URL.',
    parse: parseServerName,
  }),
  redisSentinelUsername: setting({
    flag: 'redis-sentinel-username',
    variables: ['STEALWATCH_REDIS_SENTINEL_USERNAME'],
    placeholder: 'NAME',
    fallback: '',
    help: 'The user name for the Sentinels, if they have users.',
    parse: parseOptionalText,
  }),
  redisSentinelPassword: setting({
    flag: 'redis-sentinel-password',
    variables: ['STEALWATCH_REDIS_SENTINEL_PASSWORD'],
    placeholder: 'PASSWORD',
    fallback: '',
    help: "The password of the Sentinels; the one in the URL is Redis's.",
    secret: true,
    parse: parseOptionalText,
  }),
  redisAddressMap: setting({
    flag: 'redis-cluster-map',
    variables: ['STEALWATCH_REDIS_CLUSTER_MAP'],
    placeholder: 'ANNOUNCED=REACHABLE,...',
    besideSecrets: true,
    fallback: '',
    help: 'Where nodes are reached whose cluster or Sentinel announces them by an address that is good for nothing here (NAT, Docker): host or host:port on each side.',
    list: true,
    parse: parseAddressMap,
  }),
  procfs: setting({
    flag: 'procfs',
    variables: ['STEALWATCH_PROCFS'],
    placeholder: 'DIR',
    fallback: '/proc',
    help: 'Where the proc file system of the host is mounted.',
    parse: parseDirectory,
  }),
  sysfs: setting({
    flag: 'sysfs',
    variables: ['STEALWATCH_SYSFS'],
    placeholder: 'DIR',
    fallback: '/sys',
    help: 'Where the sys file system of the host is mounted.',
    parse: parseDirectory,
  }),
  kmsg: setting({
    flag: 'kmsg',
    variables: ['STEALWATCH_KMSG'],
    placeholder: 'FILE',
    fallback: '/dev/kmsg',
    help: 'The kernel log. A regular file of records is followed as it grows, for tests and replays: it is read on the main thread, so not from a disk that may stand still.',
    parse: parseDirectory,
  }),
  kmsgUserspace: setting({
    flag: 'kmsg-userspace',
    variables: ['STEALWATCH_KMSG_USERSPACE'],
    fallback: 'false',
    help: 'FOR TESTS ONLY: believe kernel log lines that user space wrote. Anyone who can write to /dev/kmsg can then fake a hung task.',
    parse: parseSwitch,
  }),
  without: setting({
    flag: 'without',
    variables: ['STEALWATCH_WITHOUT'],
    placeholder: 'NAME,...',
    fallback: '',
    help: 'Collectors to leave out.',
    list: true,
    parse: parseNames,
  }),
  stealThreshold: setting({
    flag: 'steal-threshold',
    variables: ['STEALWATCH_STEAL_THRESHOLD'],
    placeholder: 'RATIO',
    fallback: '0.10',
    help: 'A second counts as stolen when the host took more than this share of the CPU time asked for.',
    parse: parseRatio,
  }),
  canary: setting({
    flag: 'canary',
    variables: ['STEALWATCH_CANARY'],
    placeholder: 'MiB',
    optional: true,
    fallback: '0',
    help: 'Keep this much memory (32 MiB when no size is given) that nobody needs, and touch each page of it every 2, 15 or 60 minutes: the first that a host pages out, and a way to see it where the host does not tell. 0 is off.',
    parse: parseCanary,
  }),
  apps: setting({
    flag: 'app',
    variables: ['STEALWATCH_APPS'],
    placeholder: 'NAME=URL',
    fallback: '',
    help: "An application's own health endpoint, asked every 5 s: one that says 2xx while Redis is down is lying. May be given more than once.",
    secret: true,
    list: true,
    parse: parseApps,
  }),
  targets: setting({
    flag: 'target',
    variables: ['STEALWATCH_TARGETS'],
    placeholder: 'NAME=URL',
    fallback: '',
    help: 'A Redis (any form of --redis-url) or HTTP endpoint that /probe?target=NAME answers for. May be given more than once; in the variable, commas or lines stand between targets. A Sentinel or cluster URL keeps its commas. NAME may be NAME@HOST.',
    secret: true,
    list: true,
    parse: parseTargets,
  }),
  heartbeatUrl: setting({
    flag: 'heartbeat-url',
    variables: ['STEALWATCH_HEARTBEAT_URL'],
    placeholder: 'URL',
    fallback: '',
    help: 'Where to send a GET every 15 s while all is well here: a healthchecks.io check or an Uptime Kuma push monitor. Its silence is the alarm.',
    secret: true,
    parse: (text) => (text === '' ? undefined : parseHttpUrl(text)),
  }),
  evidenceDir: setting({
    flag: 'evidence-dir',
    variables: ['STEALWATCH_EVIDENCE_DIR'],
    placeholder: 'DIR',
    fallback: '',
    help: "On a watcher: keep there what the agents' flight recorders hold (GET /evidence), looked at every 15 s, HOST/INCIDENT.json, at most 50 a host and 64 MB in all. Off when empty.",
    parse: parseOptionalPath,
  }),
  agents: setting({
    flag: 'agents',
    variables: ['STEALWATCH_AGENTS'],
    placeholder: 'DIR',
    fallback: '',
    help: 'The agents that evidence is fetched from: the folder of *.yml and *.json in which Prometheus finds them (file_sd_configs), read again every 15 s.',
    parse: parseOptionalPath,
  }),
  agentToken: setting({
    flag: 'agent-token',
    variables: ['STEALWATCH_AGENT_TOKEN'],
    placeholder: 'TOKEN',
    fallback: '',
    help: 'What the agents ask for: a bearer token,',
    secret: true,
    parse: parseToken,
  }),
  agentUser: setting({
    flag: 'agent-user',
    variables: ['STEALWATCH_AGENT_USER'],
    placeholder: 'NAME',
    besideSecrets: true,
    fallback: '',
    help: 'or a user',
    parse: parseOptionalText,
  }),
  agentPassword: setting({
    flag: 'agent-password',
    variables: ['STEALWATCH_AGENT_PASSWORD'],
    placeholder: 'PASSWORD',
    fallback: '',
    help: 'and its password.',
    secret: true,
    parse: parseOptionalText,
  }),
  agentCaFile: setting({
    flag: 'agent-ca-file',
    variables: ['STEALWATCH_AGENT_CA_FILE'],
    placeholder: 'FILE',
    besideSecrets: true,
    fallback: '',
    help: "Certificates of the authority that signed the agents', in PEM; where there is no such file, the public ones are trusted. Read again every 15 s.",
    parse: parseOptionalPath,
  }),
  asynqQueues: setting({
    flag: 'asynq-queues',
    variables: ['STEALWATCH_ASYNQ_QUEUES'],
    placeholder: 'NAME,...',
    fallback: '',
    help: 'Asynq queues to read even if they are in no list: after Redis lost data, a queue in use can be.',
    list: true,
    parse: parseNames,
  }),
  asynqInterval: setting({
    flag: 'asynq-interval',
    variables: ['STEALWATCH_ASYNQ_INTERVAL'],
    placeholder: 'SECONDS',
    fallback: '5',
    help: 'Least time between two readings of Asynq that no scrape asked for. With over 500 queues, which no scrape reads, it is 15 at least and grows to ten times what a reading takes.',
    parse: parseSeconds,
  }),
  asynqMemory: setting({
    flag: 'asynq-memory',
    variables: ['STEALWATCH_ASYNQ_MEMORY'],
    fallback: 'false',
    help: 'Publish the approximate memory of Asynq queues. Asks MEMORY USAGE of samples, 20 queues at a time.',
    parse: parseSwitch,
  }),
  logLevel: setting({
    flag: 'log-level',
    variables: ['STEALWATCH_LOG_LEVEL'],
    placeholder: 'LEVEL',
    fallback: 'info',
    help: `How much to log: ${logLevels.join(', ')}. Logs are JSON lines on standard output.`,
    parse: parseLogLevel,
  }),
};
