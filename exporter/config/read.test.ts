import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readConfig, type Config } from './read.ts';

function read(argv: readonly string[], env: Record<string, string> = {}) {
  return readConfig({ argv, env, version: '1.2.3', collectors: ['load', 'steal'] });
}

function configOf(argv: readonly string[], env: Record<string, string> = {}): Config {
  const command = read(argv, env);
  if (command.kind !== 'run') throw new Error(`did not run: ${JSON.stringify(command)}`);
  return command.config;
}

test('config: nothing given is a working configuration', () => {
  const config = configOf([]);
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 10190 });
  assert.equal(config.redis.display, 'redis://127.0.0.1:6379');
  assert.equal(config.kmsg, '/dev/kmsg');
  assert.equal(config.kmsgUserspace, false);
  assert.deepEqual(config.without, []);
  assert.equal(config.stealThreshold, 0.1);
});

test('config: a flag wins over its variable, STEALWATCH_REDIS_URL over REDIS_URL', () => {
  const env = {
    STEALWATCH_LISTEN: '127.0.0.1:1',
    REDIS_URL: 'redis://one:1',
    STEALWATCH_REDIS_URL: 'redis://two:2',
  };
  assert.equal(configOf(['--listen', '[::1]:2'], env).listen.port, 2);
  assert.equal(configOf([], env).listen.port, 1);
  assert.equal(configOf([], env).redis.display, 'redis://two:2');
  assert.equal(configOf([], { REDIS_URL: 'redis://one:1' }).redis.display, 'redis://one:1');
  assert.equal(configOf(['--redis-url=redis://three:3'], env).redis.display, 'redis://three:3');
});

test('config: lists come repeated, comma-separated, or from the variable', () => {
  assert.deepEqual(configOf(['--without', 'load', '--without=steal']).without, ['load', 'steal']);
  assert.deepEqual(configOf([], { STEALWATCH_WITHOUT: 'load, steal' }).without, ['load', 'steal']);
});

const hostsOf = (argv: readonly string[], env: Record<string, string>) =>
  configOf(argv, env).targets.map(({ address }) => {
    if (address instanceof URL) return address.hostname;
    const places = address.sentinel?.places ?? address.cluster ?? [address];
    return places.map(({ host }) => host).join(', ');
  });

test('config: a list of targets leaves the commas of Sentinels and clusters alone', () => {
  const sentinel = 'redis+sentinel://:p%2Cw@10.0.0.1:26379,10.0.0.2:26379,[::1]/main/2';
  const cluster = 'rediss+cluster://a:7000,b:7001';
  const expected = ['10.0.0.1, 10.0.0.2, ::1', 'a, b', 'shop.example', 'cache'];
  const all = [
    `ha=${sentinel}`,
    `shards=${cluster}`,
    'shop=https://shop.example/?q=1',
    'c@vps1=redis://cache',
  ];
  assert.deepEqual(
    hostsOf(
      all.flatMap((one) => ['--target', one]),
      {},
    ),
    expected,
  );
  for (const between of [',', ', ', '\n', ',\n  ']) {
    const variable = { STEALWATCH_TARGETS: all.join(between) + between };
    assert.deepEqual(hostsOf([], variable), expected, JSON.stringify(between));
  }
});

test('config: a comma in any other URL is a mistake that is told', () => {
  for (const text of ['shop=https://shop.example/,api', 'c=redis://a:1,b:2', 'a:1,ha=redis://b']) {
    const command = read([], { STEALWATCH_TARGETS: text });
    assert.match(JSON.stringify(command), /STEALWATCH_TARGETS: expected NAME=URL/, text);
  }
});

test('config: an empty variable counts as not set', () => {
  assert.equal(configOf([], { STEALWATCH_LISTEN: '' }).listen.port, 10190);
});

test('config: every problem is listed at once, with its origin and what was expected', () => {
  const command = read(['--lisen', 'x', '--steal-threshold', '1.5', '--procfs', 'proc', '--kmsg'], {
    STEALWATCH_LOG_LEVEL: 'loud',
    STEALWATCH_WITHOUT: 'lod',
  });
  assert.equal(command.kind, 'invalid');
  const problems = command.kind === 'invalid' ? command.problems.join('\n') : '';
  assert.match(problems, /--lisen: no such option/);
  assert.match(problems, /unexpected argument, number 2/);
  assert.match(problems, /--steal-threshold: expected a number between 0 and 1.*got "1.5"/);
  assert.match(problems, /--procfs: expected an absolute path; got "proc"/);
  assert.match(problems, /--kmsg: expected FILE after it/);
  assert.match(problems, /STEALWATCH_LOG_LEVEL: expected one of .*info.*; got "loud"/);
  assert.match(problems, /STEALWATCH_WITHOUT: no collector "lod"; there are load steal/);
});

test('config: a misspelled command is told which there are', () => {
  const usage = /^ {2}(.*)\) exec node/m.exec(readFileSync('exporter/stealwatch', 'utf8'))?.[1];
  const words = String(firstProblem(['statsu'], {}))
    .replace(/^.* there are /, '')
    .split(/, | and /);
  assert.equal(words.join(' | '), usage, 'those that the launcher knows');
  assert.doesNotMatch(String(firstProblem(['--listen', '127.0.0.1:1', 'statsu'], {})), /commands/);
});

const firstProblem = (argv: readonly string[], env: Record<string, string>) => {
  const command = read(argv, env);
  return command.kind === 'invalid' ? command.problems[0] : command.kind;
};

test('config: what belongs together is named as it was set, and of what is not set the option is', () => {
  for (const [argv, env, said] of [
    [['--evidence-dir=/e'], {}, '--evidence-dir, --agents: expected both or neither'],
    [
      [],
      { STEALWATCH_EVIDENCE_DIR: '/e' },
      'STEALWATCH_EVIDENCE_DIR, STEALWATCH_AGENTS: expected both or neither',
    ],
    [
      ['--agent-token=t'],
      { STEALWATCH_AGENT_USER: 'u', STEALWATCH_AGENT_PASSWORD: 'p' },
      '--agent-token, STEALWATCH_AGENT_USER: expected one of the two',
    ],
    [
      [],
      { STEALWATCH_REDIS_TLS_CERT_FILE: '/etc/hostname' },
      'STEALWATCH_REDIS_TLS_CERT_FILE, STEALWATCH_REDIS_TLS_KEY_FILE: expected both or neither',
    ],
    [['--without=lod'], {}, '--without: no collector "lod"; there are load steal'],
  ] as const) {
    assert.equal(firstProblem(argv, env), said);
  }
});

test('config: files of TLS are named as they were set wherever Redis is told of', () => {
  const { redis } = configOf(['--redis-url', 'rediss://h', '--redis-tls-ca-file=/etc/hostname'], {
    STEALWATCH_REDIS_TLS_CERT_FILE: '/etc/hostname',
    STEALWATCH_REDIS_TLS_KEY_FILE: '/etc/hostname',
  });
  assert.deepEqual(redis.tlsSettings?.names, {
    caFile: '--redis-tls-ca-file',
    certFile: 'STEALWATCH_REDIS_TLS_CERT_FILE',
    keyFile: 'STEALWATCH_REDIS_TLS_KEY_FILE',
  });
});

test('config: a wrong Redis URL is named and never repeated', () => {
  for (const url of [
    'redis://u:hunter2@',
    'http://u:hunter2@h',
    'redis://h:hunter2',
    'redis://:hunter2@h/x',
  ]) {
    const command = read(['--redis-url', url]);
    assert.equal(command.kind, 'invalid', url);
    assert.match(JSON.stringify(command), /--redis-url: expected/);
    assert.doesNotMatch(JSON.stringify(command), /hunter2/);
  }
});

test('config: a Redis URL gives its parts, and its display holds no secret', () => {
  const { redis } = configOf(['--redis-url', 'rediss://ann:p%40ss@[::1]:7000/3']);
  assert.deepEqual(redis, {
    tls: true,
    host: '::1',
    port: 7000,
    username: 'ann',
    password: 'p@ss',
    db: 3,
    display: 'rediss://[::1]:7000/3',
  });
  const unix = configOf(['--redis-url', 'unix:///run/redis.sock?db=2']).redis;
  assert.equal(unix.socketPath, '/run/redis.sock');
  assert.equal(unix.db, 2);
});

test('config: --help and --version print, whatever else is wrong', () => {
  const help = read(['--help', '--nonsense']);
  assert.ok(help.kind === 'print' && help.text.includes('STEALWATCH_REDIS_URL, then REDIS_URL'));
  const version = read(['--version']);
  assert.ok(version.kind === 'print' && version.text === 'stealwatch 1.2.3\n');
});

test('config: the canary is off, of 32 MiB when asked for, or of the size given', () => {
  assert.equal(configOf([]).canary, 0);
  assert.equal(configOf(['--canary', '--without', 'load']).canary, 32);
  assert.equal(configOf(['--canary=8']).canary, 8);
  assert.equal(configOf([], { STEALWATCH_CANARY: 'true' }).canary, 32);
  assert.equal(configOf(['--canary=0'], { STEALWATCH_CANARY: '16' }).canary, 0);
  for (const wrong of ['1', '4.5', '2048', 'lots', '-4']) {
    const command = read([`--canary=${wrong}`]);
    const [problem] = command.kind === 'invalid' ? command.problems : [];
    assert.match(problem ?? '', /--canary: expected a whole number of MiB from 4 to 1024/);
  }
  const help = read(['--help']);
  assert.match(help.kind === 'print' ? help.text : '', /--canary\[=MiB\]/);
});

const switches = [
  ['--asynq-memory', 'asynqMemory', 'STEALWATCH_ASYNQ_MEMORY'],
  ['--kmsg-userspace', 'kmsgUserspace', 'STEALWATCH_KMSG_USERSPACE'],
] as const;

test('config: a switch is on when it is given or says so, off when it says so', () => {
  for (const [flag, field, variable] of switches) {
    assert.equal(configOf([])[field], false, `${flag} not given`);
    assert.equal(configOf([flag])[field], true, flag);
    for (const on of ['1', 'true', 'yes', 'on']) {
      assert.equal(configOf([], { [variable]: on })[field], true, `${variable}=${on}`);
    }
    for (const off of ['0', 'false', 'no', 'off', '']) {
      assert.equal(configOf([], { [variable]: off })[field], false, `${variable}=${off}`);
    }
    assert.equal(configOf([`${flag}=false`], { [variable]: 'true' })[field], false);
    assert.match(JSON.stringify(read([`${flag}=perhaps`])), /expected true or false/);
  }
});

const apps = (count: number) =>
  Array.from({ length: count }, (_, i) => `--app=a${i}=http://127.0.0.1:${i + 1}/`);
const targets = (count: number) =>
  Array.from({ length: count }, (_, i) => `--target=t${i}=redis://127.0.0.1:${i + 1}`);

test('config: of what is named there is a handful', () => {
  assert.equal(configOf([...apps(16), ...targets(16)]).apps.length, 16);
  assert.match(JSON.stringify(read(apps(17))), /expected at most 16 applications/);
  assert.match(JSON.stringify(read(targets(17))), /expected at most 16 targets/);
});

function fileWith(t: TestContext, content: string | Buffer): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'secret');
  writeFileSync(file, content);
  return file;
}

test('config: each secret may stand in a file, whatever ends its lines', (t) => {
  const url = 'redis://:S3cr3t@10.0.0.1:6380';
  for (const content of [url, `${url}\n`, `${url}\r\n`, `\ufeff${url}\n\n`, `  ${url} \n`]) {
    const env = { STEALWATCH_REDIS_URL_FILE: fileWith(t, content) };
    assert.equal(configOf([], env).redis.password, 'S3cr3t', JSON.stringify(content));
  }
  const config = configOf([], {
    REDIS_URL_FILE: fileWith(t, url),
    STEALWATCH_HEARTBEAT_URL_FILE: fileWith(t, 'https://hc.example/S3cr3t\n'),
    STEALWATCH_APPS_FILE: fileWith(t, 'shop=http://u:S3cr3t@a/\r\nmail=http://b/\r\n'),
    STEALWATCH_TARGETS_FILE: fileWith(t, 'a=redis://:S3cr3t@a\nb=http://b/\n'),
  });
  assert.equal(config.redis.password, 'S3cr3t');
  assert.equal(config.heartbeatUrl?.href, 'https://hc.example/S3cr3t');
  assert.deepEqual(
    config.apps.map(({ name, url: { href } }) => [name, href]),
    [
      ['shop', 'http://u:S3cr3t@a/'],
      ['mail', 'http://b/'],
    ],
  );
  assert.deepEqual(
    config.targets.map(({ name }) => name),
    ['a', 'b'],
  );
});

test('config: a file of a secret that is no use is named, and what is in it is not', (t) => {
  const path = fileWith(t, '');
  const fifo = `${path}-fifo`;
  execFileSync('mkfifo', [fifo]);
  const cases: [env: Record<string, string>, problem: RegExp][] = [
    [{ STEALWATCH_REDIS_URL_FILE: path }, /^STEALWATCH_REDIS_URL_FILE: nothing is in ".*secret"$/],
    [{ STEALWATCH_REDIS_URL_FILE: fileWith(t, ' \r\n') }, /nothing is in/],
    [{ STEALWATCH_REDIS_URL_FILE: `${path}-not` }, /cannot read ".*secret-not" \(ENOENT\)$/],
    [{ STEALWATCH_REDIS_URL_FILE: fifo }, /cannot read ".*fifo" \(it is no regular file\)$/],
    [{ STEALWATCH_REDIS_URL_FILE: '/dev/zero' }, /\(it is no regular file\)$/],
    [{ STEALWATCH_REDIS_URL_FILE: fileWith(t, 'x'.repeat(2e6)) }, /\(it is larger than 1 MiB\)$/],
    [{ STEALWATCH_REDIS_URL_FILE: fileWith(t, Buffer.from([0xff, 0xfe])) }, /expected UTF-8 in/],
    [
      { STEALWATCH_REDIS_URL_FILE: fileWith(t, 'S3cr3t') },
      /^STEALWATCH_REDIS_URL_FILE: expected a URL .*got \(not shown/,
    ],
    [
      { STEALWATCH_REDIS_URL_FILE: path, STEALWATCH_REDIS_URL: 'redis://a' },
      /^STEALWATCH_REDIS_URL, STEALWATCH_REDIS_URL_FILE: expected one of the two$/,
    ],
  ];
  for (const [env, problem] of cases) {
    const command = read([], env);
    assert.equal(command.kind, 'invalid', String(problem));
    const problems = command.kind === 'invalid' ? command.problems : [];
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', problem);
    assert.doesNotMatch(problems.join(), /S3cr3t|xxx/);
  }
  assert.equal(
    configOf(['--redis-url', 'redis://flag'], { STEALWATCH_REDIS_URL_FILE: path }).redis.display,
    'redis://flag:6379',
    'the flag wins, and the file is not read',
  );
  assert.match(
    JSON.stringify(read([], { STEALWATCH_LISTEN_FILE: path })),
    /STEALWATCH_LISTEN_FILE: no such setting/,
    'no secret',
  );
});

test('config: only what a file may still become is worth another start', (t) => {
  const late = { STEALWATCH_REDIS_URL_FILE: '/nonexistent/redis-url' };
  const cases: [argv: string[], env: Record<string, string>, mayPass: boolean][] = [
    [[], late, true],
    [[], { STEALWATCH_APPS_FILE: fileWith(t, ''), ...late }, true],
    [['--listen=1'], late, false],
    [['--without=nobody'], late, false],
    [[], { STEALWATCH_APPS_FILE: fileWith(t, 'no list') }, false],
    [[], { STEALWATCH_REDIS_ULR: 'x', ...late }, false],
  ];
  for (const [argv, env, mayPass] of cases) {
    const command = read(argv, env);
    assert.ok(command.kind === 'invalid');
    assert.equal(command.mayPass, mayPass, command.problems.join());
  }
});

test('config: there may be no Redis, on purpose or because nobody said which', () => {
  assert.equal(configOf(['--redis-url', 'none']).redis.absent, 'none');
  assert.equal(configOf([], { REDIS_URL: 'unset' }).redis.absent, 'unset');
  const url = { STEALWATCH_REDIS_URL: 'redis://h', REDIS_URL: 'unset' };
  assert.equal(configOf([], url).redis.absent, undefined);
  assert.equal(configOf(['--redis-url', 'redis://none']).redis.display, 'redis://none:6379');
  assert.equal(read(['--target', 'a=none']).kind, 'invalid');
});

test('config: a secret in the wrong setting is not repeated', () => {
  const url = 'redis://:s3cret@h';
  const pem = '-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----';
  const variables = {
    STEALWATCH_REDIS_URL_FILE: url,
    STEALWATCH_HEARTBEAT_URL_FILE: 'https://hc.example/s3cret',
    STEALWATCH_REDIS_SENTINEL_PASSWORD_FILE: 's3cret',
    STEALWATCH_WEB_CONFIG_FILE: 'admin:s3cret',
    STEALWATCH_REDIS_TLS_CA_FILE: pem,
    STEALWATCH_REDIS_TLS_KEY_FILE: pem,
    STEALWATCH_REDIS_TLS_CERT_FILE: '/tmp/:s3cret@x',
    STEALWATCH_REDIS_TLS_SERVER_NAME: 's3cret!',
    STEALWATCH_REDIS_CLUSTER_MAP: `${url}=1.2.3.4`,
    STEALWATCH_LISTEN: url,
    STEALWATCH_PROCFS: url,
    STEALWATCH_LOG_LEVEL: url,
    STEALWATCH_CANARY: pem,
    STEALWATCH_WITHOUT: url,
  };
  const lines = [[url], ['-x', url], [`--${url}`], ['--password', 's3cret'], ['--without', url]];
  const cases = [
    ...Object.entries(variables).map(([name, value]) => read([], { [name]: value })),
    ...lines.map((argv) => read(argv)),
  ];
  for (const [i, command] of cases.entries()) {
    if (command.kind !== 'invalid') throw new Error(`case ${i} is taken`);
    const said = command.problems.join('\n');
    assert.doesNotMatch(said, /s3cret/, said);
    assert.match(said, /expected|no collector|every option begins with --|no such option/);
  }
});
