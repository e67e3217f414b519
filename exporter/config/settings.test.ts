/** Each setting by its flag and its variables, at the ends of its range and one step beyond. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { type Config, readConfig } from './read.ts';
import { settings } from './settings.ts';

function read(argv: readonly string[], env: Record<string, string> = {}) {
  return readConfig({ argv, env, version: 'test', collectors: ['load'] });
}

interface Row {
  readonly flag: string;
  readonly variables: readonly string[];
  readonly value: (config: Config) => unknown;
  /** What has to be given with it. */
  readonly beside?: readonly string[];
  /** Texts and what they come to. */
  readonly right: Readonly<Record<string, unknown>>;
  readonly wrong?: readonly string[];
  /** What is said of a wrong one. */
  readonly expected?: string;
  /** Said without the text. */
  readonly secret?: true;
}

const path = { '/a/b': '/a/b' };
const wrongPath = { wrong: ['a/b', './a'], expected: 'an absolute path' };
const self = import.meta.filename;
const file = { [self]: self };
const wrongFile = { wrong: ['/a/nowhere.pem', '/usr/lib'], expected: 'a file that is there' };
const wrongUrl = ['ftp://h/hunter2', 'h/hunter2', 'hunter2'];

const rows: readonly Row[] = [
  {
    flag: 'listen',
    variables: ['STEALWATCH_LISTEN'],
    value: ({ listen }) => `${listen.host} ${listen.port}`,
    right: {
      '127.0.0.1:65535': '127.0.0.1 65535',
      '[fe80::1]:1': 'fe80::1 1',
      ':0': '0.0.0.0 0',
    },
    wrong: ['127.0.0.1', '127.0.0.1:65536', '::1:80', '127.0.0.1:100000', 'a:b', '[g]:80', 'x:1y'],
    expected: 'HOST:PORT, for example 127.0.0.1:10190 or [::1]:10190',
  },
  {
    flag: 'web-config-file',
    variables: ['STEALWATCH_WEB_CONFIG_FILE'],
    value: ({ webConfigFile }) => webConfigFile,
    right: { ...path, 'web.yml': resolve('web.yml'), './a': resolve('a'), '': undefined },
    wrong: ['admin:hunter2', 'https://h/hunter2', '-----BEGIN', 'a\nb'],
    expected: 'the path of a file',
    secret: true,
  },
  {
    flag: 'procfs',
    variables: ['STEALWATCH_PROCFS'],
    value: ({ procfs }) => procfs,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'sysfs',
    variables: ['STEALWATCH_SYSFS'],
    value: ({ sysfs }) => sysfs,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'kmsg',
    variables: ['STEALWATCH_KMSG'],
    value: ({ kmsg }) => kmsg,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'without',
    variables: ['STEALWATCH_WITHOUT'],
    value: ({ without }) => without,
    right: { load: ['load'], ' load, ,load\n': ['load', 'load'] },
  },
  {
    flag: 'steal-threshold',
    variables: ['STEALWATCH_STEAL_THRESHOLD'],
    value: ({ stealThreshold }) => stealThreshold,
    right: { '0.001': 0.001, '0.999': 0.999 },
    wrong: ['0', '1', '-0.1', 'NaN', ' ', '10%'],
    expected: 'a number between 0 and 1, for example 0.10',
  },
  {
    flag: 'canary',
    variables: ['STEALWATCH_CANARY'],
    value: ({ canary }) => canary,
    right: { '4': 4, '1024': 1024, '0': 0, false: 0, true: 32 },
    wrong: ['3', '1025', '4.5', '-4', 'yes'],
    expected: 'a whole number of MiB from 4 to 1024, or 0 for off',
  },
  {
    flag: 'app',
    variables: ['STEALWATCH_APPS'],
    value: ({ apps }) => apps.map(({ name, url }) => `${name} ${url.href}`),
    right: {
      'a-1.b_c=http://h/': ['a-1.b_c http://h/'],
      'a=https://h/x?y=z,b=http://h:1/': ['a https://h/x?y=z', 'b http://h:1/'],
      [`${'a'.repeat(40)}=http://h/`]: [`${'a'.repeat(40)} http://h/`],
    },
    wrong: [
      `${'a'.repeat(41)}=http://h/hunter2`,
      'a b=http://h/hunter2',
      '=http://h/hunter2',
      'a=',
    ],
    expected: 'NAME=URL with a name of up to 40 letters, digits, _ . -',
    secret: true,
  },
  {
    flag: 'app',
    variables: ['STEALWATCH_APPS'],
    value: () => undefined,
    right: {},
    wrong: wrongUrl.map((url) => `a=${url}`),
    expected: 'a URL that starts with http:// or https://',
    secret: true,
  },
  {
    flag: 'evidence-dir',
    variables: ['STEALWATCH_EVIDENCE_DIR'],
    beside: ['--agents=/targets'],
    value: ({ evidenceDir }) => evidenceDir,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'agents',
    variables: ['STEALWATCH_AGENTS'],
    beside: ['--evidence-dir=/evidence'],
    value: ({ agents }) => agents,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'agent-token',
    variables: ['STEALWATCH_AGENT_TOKEN'],
    value: ({ agentToken }) => agentToken,
    right: { "to'ken,=": "to'ken,=", 'token\r\n': 'token' },
    wrong: ['hunter2\nhunter2', 'a hunter2', 'hunter2ü'],
    expected: 'letters, digits and signs of ASCII without blanks',
    secret: true,
  },
  {
    flag: 'agent-user',
    variables: ['STEALWATCH_AGENT_USER'],
    beside: ['--agent-password=x'],
    value: ({ agentUser }) => agentUser,
    right: { watcher: 'watcher' },
  },
  {
    flag: 'agent-password',
    variables: ['STEALWATCH_AGENT_PASSWORD'],
    beside: ['--agent-user=watcher'],
    value: ({ agentPassword }) => agentPassword,
    right: { 'p@ss, word': 'p@ss, word' },
  },
  {
    flag: 'agent-ca-file',
    variables: ['STEALWATCH_AGENT_CA_FILE'],
    value: ({ agentCaFile }) => agentCaFile,
    right: path,
    ...wrongPath,
  },
  {
    flag: 'target',
    variables: ['STEALWATCH_TARGETS'],
    value: ({ targets }) => targets.map(({ name }) => name),
    right: { 'a@vps-1.x=redis://h,b=https://h/': ['a@vps-1.x', 'b'] },
    wrong: ['a@=redis://hunter2', `a@${'b'.repeat(61)}=redis://hunter2`],
    expected: 'NAME=URL with a name of up to 40 letters, digits, _ . -',
    secret: true,
  },
  {
    flag: 'app',
    variables: ['STEALWATCH_APPS'],
    value: () => undefined,
    right: {},
    wrong: ['a=http://h/1,b=http://h/2,a=http://h/3'],
    expected: 'different names, a is twice',
    secret: true,
  },
  {
    flag: 'heartbeat-url',
    variables: ['STEALWATCH_HEARTBEAT_URL'],
    value: ({ heartbeatUrl }) => heartbeatUrl?.href,
    right: { 'https://h/x': 'https://h/x', 'http://h/x': 'http://h/x' },
    wrong: wrongUrl,
    expected: 'a URL that starts with http:// or https://',
    secret: true,
  },
  {
    flag: 'asynq-queues',
    variables: ['STEALWATCH_ASYNQ_QUEUES'],
    value: ({ asynqQueues }) => asynqQueues,
    right: { 'a,b': ['a', 'b'] },
  },
  {
    flag: 'asynq-interval',
    variables: ['STEALWATCH_ASYNQ_INTERVAL'],
    value: ({ asynqInterval }) => asynqInterval,
    right: { '1': 1, '3600': 3600, '2.5': 2.5 },
    wrong: ['0.9', '0', '3601', '-5', ' ', '5s', 'NaN'],
    expected: 'a number of seconds from 1 to 3600, for example 15',
  },
  {
    flag: 'log-level',
    variables: ['STEALWATCH_LOG_LEVEL'],
    value: ({ logLevel }) => logLevel,
    right: { debug: 'debug', info: 'info', warn: 'warn', error: 'error', silent: 'silent' },
    wrong: ['INFO', 'trace'],
    expected: 'one of debug, info, warn, error, silent',
  },
  {
    flag: 'redis-url',
    variables: ['STEALWATCH_REDIS_URL', 'REDIS_URL'],
    value: ({ redis }) => redis.display,
    right: { 'redis://h:1/2': 'redis://h:1/2' },
  },
  {
    flag: 'redis-tls-ca-file',
    variables: ['STEALWATCH_REDIS_TLS_CA_FILE'],
    value: ({ redisTlsCaFile }) => redisTlsCaFile,
    right: file,
    ...wrongFile,
  },
  {
    flag: 'redis-tls-cert-file',
    variables: ['STEALWATCH_REDIS_TLS_CERT_FILE'],
    value: ({ redisTlsCertFile }) => redisTlsCertFile,
    beside: [`--redis-tls-key-file=${self}`],
    right: file,
    ...wrongFile,
  },
  {
    flag: 'redis-tls-key-file',
    variables: ['STEALWATCH_REDIS_TLS_KEY_FILE'],
    value: ({ redisTlsKeyFile }) => redisTlsKeyFile,
    beside: [`--redis-tls-cert-file=${self}`],
    right: file,
    ...wrongFile,
  },
  {
    flag: 'redis-tls-server-name',
    variables: ['STEALWATCH_REDIS_TLS_SERVER_NAME'],
    value: ({ redisTlsServerName }) => redisTlsServerName,
    right: { 'redis.example.org': 'redis.example.org' },
  },
  {
    flag: 'redis-sentinel-username',
    variables: ['STEALWATCH_REDIS_SENTINEL_USERNAME'],
    value: ({ redisSentinelUsername }) => redisSentinelUsername,
    right: { ann: 'ann' },
  },
  {
    flag: 'redis-sentinel-password',
    variables: ['STEALWATCH_REDIS_SENTINEL_PASSWORD'],
    value: ({ redisSentinelPassword }) => redisSentinelPassword,
    right: { 'p@ss, word': 'p@ss, word' },
  },
  {
    flag: 'redis-cluster-map',
    variables: ['STEALWATCH_REDIS_CLUSTER_MAP'],
    value: ({ redisAddressMap }) => redisAddressMap?.size,
    right: { 'a=b,c:1=d:2': 2 },
  },
  {
    flag: 'kmsg-userspace',
    variables: ['STEALWATCH_KMSG_USERSPACE'],
    value: ({ kmsgUserspace }) => kmsgUserspace,
    right: { true: true, false: false },
  },
  {
    flag: 'check-config',
    variables: [],
    value: ({ checkConfig }) => checkConfig,
    right: { true: true, false: false },
  },
  {
    flag: 'asynq-memory',
    variables: ['STEALWATCH_ASYNQ_MEMORY'],
    value: ({ asynqMemory }) => asynqMemory,
    right: { true: true, false: false },
  },
];

test('settings: each has a row here, and a variable of the same name', () => {
  for (const { flag, variables } of Object.values(settings)) {
    const row = rows.find((one) => one.flag === flag);
    assert.ok(
      row,
      `--${flag}: add what it may be and what not to exporter/config/settings.test.ts`,
    );
    assert.deepEqual(row.variables, variables, flag);
    const name = `STEALWATCH_${flag.toUpperCase().replaceAll('-', '_')}`;
    // What a flag gives one by one the variable gives as a list.
    const [first = flag === 'check-config' ? name : ''] = variables;
    assert.ok([name, `${name}S`].includes(first), `--${flag}: expected ${name}`);
  }
});

for (const {
  flag,
  variables,
  value,
  beside = [],
  right,
  wrong = [],
  expected = '',
  secret,
} of rows) {
  test(`settings: --${flag}, ${expected || 'whatever it is given'}`, () => {
    for (const [text, result] of Object.entries(right)) {
      for (const [argv, env] of [
        [[`--${flag}=${text}`, ...beside], {}],
        ...variables.map((name) => [beside, { [name]: text }] as const),
      ] as const) {
        const command = read(argv, env);
        assert.equal(command.kind, 'run', `${text}: ${JSON.stringify(command)}`);
        assert.deepEqual(command.kind === 'run' && value(command.config), result, text);
      }
    }
    for (const text of wrong) {
      const command = read([`--${flag}=${text}`, ...beside]);
      const problems = command.kind === 'invalid' ? command.problems : [];
      const [problem = ''] = problems;
      assert.equal(problems.length, 1, text);
      assert.ok(problem.startsWith(`--${flag}: expected ${expected}`), problem);
      assert.equal(problem.includes(text), secret === undefined, problem);
      assert.doesNotMatch(problem, /hunter2/);
    }
  });
}
