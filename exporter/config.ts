/**
 * The only reader of process.env and argv. One table: setting, flag, variable, default, check,
 * help. Flags win over variables. Everything is checked at start and every problem is listed at
 * once; a value that holds a secret is never repeated in a message.
 */
import { parseArgs } from 'node:util';
import { parseRedisAddress } from './redis/address.ts';
import {
  parseAddressMap,
  parseOptionalFile,
  parseServerName,
  withSettings,
} from './redis/address-settings.ts';
import {
  logLevels,
  parseApps,
  parseCanary,
  parseDirectory,
  parseHttpUrl,
  parseListen,
  parseLogLevel,
  parseNames,
  parseOptionalPath,
  parseOptionalText,
  parseRatio,
  parseSeconds,
  parseSwitch,
  parseTargets,
} from './setting-values.ts';

interface Setting<T> {
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
  /** May be given more than once; in a variable, commas or lines stand between. */
  readonly list?: true;
  /** From text to value. Throws an Error whose message says what was expected. */
  readonly parse: (text: string) => T;
}

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

const settings = {
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
    fallback: '',
    help: "TLS and credentials, in the format of Prometheus' exporter-toolkit; docs/security.md.",
    parse: parseOptionalPath,
  }),
  redis: setting({
    flag: 'redis-url',
    variables: ['STEALWATCH_REDIS_URL', 'REDIS_URL'],
    placeholder: 'URL',
    fallback: 'redis://127.0.0.1:6379',
    help: "The Redis to watch: redis://, rediss:// (TLS), unix:///path, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port; Asynq's redis-sentinel:// and redis-socket:// as well. Put a password into the variable, not the flag: flags show in ps.",
    secret: true,
    parse: parseRedisAddress,
  }),
  redisTlsCaFile: setting({
    flag: 'redis-tls-ca-file',
    variables: ['STEALWATCH_REDIS_TLS_CA_FILE'],
    placeholder: 'FILE',
    fallback: '',
    help: 'Certificates of the authority that signed those of Redis and its Sentinels, in PEM; the public ones are trusted when none is given. Read at each connection, as the two below are; for targets too.',
    parse: parseOptionalFile,
  }),
  redisTlsCertFile: setting({
    flag: 'redis-tls-cert-file',
    variables: ['STEALWATCH_REDIS_TLS_CERT_FILE'],
    placeholder: 'FILE',
    fallback: '',
    help: "Our own certificate, in PEM, for a Redis that asks for one (tls-auth-clients, Redis's default with TLS).",
    parse: parseOptionalFile,
  }),
  redisTlsKeyFile: setting({
    flag: 'redis-tls-key-file',
    variables: ['STEALWATCH_REDIS_TLS_KEY_FILE'],
    placeholder: 'FILE',
    fallback: '',
    help: 'The private key of that certificate, in PEM.',
    parse: parseOptionalFile,
  }),
  redisTlsServerName: setting({
    flag: 'redis-tls-server-name',
    variables: ['STEALWATCH_REDIS_TLS_SERVER_NAME'],
    placeholder: 'NAME',
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
    help: 'The kernel log. A regular file of records is followed as it grows.',
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
    help: 'Where to send a GET every 10 s while all is well here: a healthchecks.io check or an Uptime Kuma push monitor. Its silence is the alarm.',
    secret: true,
    parse: (text) => (text === '' ? undefined : parseHttpUrl(text)),
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

type Settings = typeof settings;
export type Config = { readonly [K in keyof Settings]: ReturnType<Settings[K]['parse']> };

export type Command =
  | { readonly kind: 'run'; readonly config: Config }
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** The words `--without` may hold. */
  readonly collectors: readonly string[];
}

function wrapped(text: string, indent: string, width = 92): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text) => indent + text).join('\n');
}

function usageOf({ flag, placeholder, optional }: Setting<unknown>): string {
  if (placeholder === undefined) return `--${flag}`;
  return optional === true ? `--${flag}[=${placeholder}]` : `--${flag} ${placeholder}`;
}

function helpText(collectors: readonly string[]): string {
  const options = Object.values(settings).map((s) => {
    const usage = usageOf(s);
    const fallback = s.fallback === '' ? '' : ` Default: ${s.fallback}.`;
    return `  ${usage}\n      ${s.variables.join(', then ')}\n${wrapped(s.help + fallback, '      ')}`;
  });
  return [
    'stealwatch: tells within seconds when your host takes your CPU or pages out your memory.',
    '',
    'Usage: stealwatch [options]',
    '',
    'Every option has an environment variable, named below it; the option wins.',
    '',
    ...options,
    '  --version\n      Print the version and end.',
    '  --help\n      Print this and end.',
    '',
    wrapped(`Collectors: ${collectors.join(' ')}.`, ''),
    '',
  ].join('\n');
}

interface Given {
  readonly text: string;
  /** `--redis-url` or `STEALWATCH_REDIS_URL`: what to name when the text is wrong. */
  readonly origin: string;
}

interface Arguments {
  readonly flags: Map<string, Given>;
  readonly problems: string[];
  readonly wants: Set<'help' | 'version'>;
}

/** Whether the argument after the flag is its value. */
function takesNext({ placeholder, optional }: Setting<unknown>): boolean {
  return placeholder !== undefined && optional !== true;
}

function readArguments(argv: readonly string[]): Arguments {
  const all: readonly Setting<unknown>[] = Object.values(settings);
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowNegative: false,
    options: Object.fromEntries(
      all.map((s) => [s.flag, { type: takesNext(s) ? ('string' as const) : ('boolean' as const) }]),
    ),
  });
  const result: Arguments = { flags: new Map(), problems: [], wants: new Set() };
  for (const token of tokens) {
    if (token.kind === 'positional') {
      result.problems.push(`unexpected argument ${JSON.stringify(token.value)}`);
    }
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.name === 'h') result.wants.add('help');
    else if (token.name === 'version') result.wants.add('version');
    else addFlag(token.name, token.value, all, result);
  }
  return result;
}

function addFlag(
  name: string,
  value: string | undefined,
  all: readonly Setting<unknown>[],
  { flags, problems }: Arguments,
): void {
  const origin = `--${name}`;
  const known = all.find((s) => s.flag === name);
  if (known === undefined) problems.push(`${origin}: no such option; --help lists them`);
  else if (!takesNext(known)) flags.set(name, { text: value ?? 'true', origin });
  else if (value === undefined) problems.push(`${origin}: expected ${known.placeholder} after it`);
  else {
    const before = known.list === undefined ? undefined : flags.get(name)?.text;
    flags.set(name, { text: before === undefined ? value : `${before}\n${value}`, origin });
  }
}

/** Variables set to nothing count as not set: compose files pass empty ones. */
function fromEnvironment(s: Setting<unknown>, env: Surroundings['env']): Given | undefined {
  const origin = s.variables.find((name) => (env[name] ?? '') !== '');
  return origin === undefined ? undefined : { text: env[origin] ?? '', origin };
}

function problemOf(s: Setting<unknown>, { text, origin }: Given, error: unknown): string {
  const shown = s.secret === true ? '(not shown, it may hold a secret)' : JSON.stringify(text);
  return `${origin}: ${error instanceof Error ? error.message : String(error)}; got ${shown}`;
}

/** What is said of every Redis goes with the address of each. */
function withRedisSettings(config: Config): Config {
  const { redis, targets, redisTlsCertFile: certFile, redisTlsKeyFile: keyFile } = config;
  const settings = {
    tls: {
      caFile: config.redisTlsCaFile,
      certFile,
      keyFile,
      serverName: config.redisTlsServerName,
    },
    sentinelLogin: {
      username: config.redisSentinelUsername,
      password: config.redisSentinelPassword,
    },
    addressMap: config.redisAddressMap,
  };
  return {
    ...config,
    redis: withSettings(redis, settings),
    targets: targets.map(({ name, address }) => ({
      name,
      address: 'display' in address ? withSettings(address, settings) : address,
    })),
  };
}

/** Never throws for what a user typed: wrong input comes back as a list of problems. */
export function readConfig({ argv, env, version, collectors }: Surroundings): Command {
  const { flags, problems, wants } = readArguments(argv);
  if (wants.has('help')) return { kind: 'print', text: helpText(collectors) };
  if (wants.has('version')) return { kind: 'print', text: `stealwatch ${version}\n` };
  const values: Record<string, unknown> = {};
  for (const [key, s] of Object.entries<Setting<unknown>>(settings)) {
    const given = flags.get(s.flag) ??
      fromEnvironment(s, env) ?? { text: s.fallback, origin: `--${s.flag}` };
    try {
      values[key] = s.parse(given.text);
    } catch (error) {
      problems.push(problemOf(s, given, error));
    }
  }
  if ((values['redisTlsCertFile'] === undefined) !== (values['redisTlsKeyFile'] === undefined)) {
    problems.push('--redis-tls-cert-file, --redis-tls-key-file: expected both or neither');
  }
  // The table is what `Config` is derived from, so a filled record is one.
  const config = values as unknown as Config;
  for (const name of config.without ?? []) {
    if (!collectors.includes(name)) {
      problems.push(
        `--without: no collector ${JSON.stringify(name)}; there are ${collectors.join(' ')}`,
      );
    }
  }
  return problems.length > 0
    ? { kind: 'invalid', problems }
    : { kind: 'run', config: withRedisSettings(config) };
}
