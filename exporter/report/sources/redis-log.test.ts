import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { rfc3164 } from '../../../tools/rig/kernel-log-forms.ts';
import { startRedis } from '../../../tools/rig/redis-server.ts';
import { fetchServersAdvice, serverNames, serverProgram } from '../../../tools/rig/servers.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import { parseRedisLine } from './redis-line.ts';
import { utc } from './zone.ts';

const now = Date.UTC(2026, 10, 30, 12) / 1000;

function read(root: string, more: Partial<GatherOptions> = {}, at = now): Promise<Facts> {
  return gather(
    { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more },
    { env: process.env, now: () => at, uid: 0, procfs: createPseudoFs('/nowhere') },
  );
}

const iso = (seconds: number | undefined) =>
  seconds === undefined ? undefined : new Date(Math.round(seconds * 1000)).toISOString();
const sources = (facts: Facts) => facts.sources.filter(({ kind }) => kind === 'redis_log');
const problemsOf = (facts: Facts): string =>
  sources(facts)
    .flatMap(({ problems }) => problems)
    .join('\n');

/** One moment in every form; `shown` is what is known of it. */
const forms: readonly (readonly [form: string, line: string, shown: object])[] = [
  ['2.8', '[27205] 30 Nov 09:40:08.816 * DB saved on disk', { pid: 27205, role: 'M' }],
  ['3.0 to 4.0', '27205:M 30 Nov 09:40:08.816 * DB saved on disk', { pid: 27205, role: 'M' }],
  [
    '5.0 and later',
    '27205:C 30 Nov 2026 09:40:08.816 * DB saved on disk',
    { pid: 27205, role: 'C' },
  ],
  [
    'Valkey, ISO 8601',
    '1:M 2026-11-30T10:40:08.816+01:00 * DB saved on disk',
    { pid: 1, zoned: true },
  ],
  ['Valkey, milliseconds', '1:S 1796031608816 # DB saved on disk', { role: 'S', zoned: true }],
  [
    'Valkey, logfmt',
    'pid=27205 role=primary timestamp="2026-11-30T09:40:08.816+00:00" level=notice message="DB saved on disk"',
    { pid: 27205, role: 'M', zoned: true },
  ],
  [
    'Valkey, logfmt of a child',
    'pid=7 role="RDB/AOF" timestamp="30 Nov 2026 09:40:08.816" level=notice message="DB saved on disk"',
    { pid: 7, role: 'C', zoned: false },
  ],
  [
    'Docker',
    '{"log":"1:M 30 Nov 2026 11:11:11.111 * DB saved on disk\\n","stream":"stdout","time":"2026-11-30T09:40:08.816123456Z"}',
    { pid: 1, zoned: true },
  ],
  [
    'podman and containerd',
    '2026-11-30T09:40:08.816123456Z stdout F 1:M 30 Nov 2026 11:11:11.111 * DB saved on disk',
    { pid: 1, zoned: true },
  ],
];

test('redis log: every form since 2.4', () => {
  for (const [form, text, shown] of forms) {
    const line = parseRedisLine(text, { zone: utc, yearOf: () => 2026 });
    assert.ok(line !== undefined, form);
    assert.equal(iso(line.at), '2026-11-30T09:40:08.816Z', form);
    assert.equal(line.text, 'DB saved on disk', form);
    assert.deepEqual({ ...line, ...shown }, line, form);
  }
});

test('redis log: no line makes the reader throw', () => {
  const beginnings = fc.constantFrom('', '{"log":"', '1:M ', '[1] ', 'pid=1 role=', '2026-11-30T');
  fc.assert(
    fc.property(beginnings, fc.string(), (start, rest) => {
      parseRedisLine(start + rest, { zone: utc, yearOf: () => 2026 });
    }),
  );
  for (const [form, text] of forms) {
    for (let length = 0; length < text.length; length++) {
      const line = parseRedisLine(text.slice(0, length), { zone: utc, yearOf: () => 2026 });
      assert.ok(
        line === undefined || Number.isFinite(line.at),
        `${form}: ${text.slice(0, length)}`,
      );
    }
  }
});

const pad = (number: number, digits = 2) => String(number).padStart(digits, '0');
function stamp(seconds: number, year = true): string {
  const date = new Date(Math.round(seconds * 1000));
  const month = rfc3164(seconds).slice(0, 3);
  const time = date.toISOString().slice(11, 23);
  return `${pad(date.getUTCDate())} ${month} ${year ? `${date.getUTCFullYear()} ` : ''}${time}`;
}

test('redis log: the outage as Redis tells it: a save, silence, a start with old data', async (t) => {
  const root = temporaryRoot(t);
  const last = now - 40_000;
  const start = now - 4000;
  const lines: readonly (readonly [number, string])[] = [
    [last - 300, '812:M @ - 3 clients connected (0 replicas), 1000 bytes in use'],
    [last - 299, '812:M @ - the line that nobody needs'],
    [last - 298, '812:M @ - a sign of life'],
    [last - 60, '812:M @ * 10 changes in 300 seconds. Saving...'],
    [last - 60, '812:M @ * Background saving started by pid 900'],
    [last - 1, '900:C @ * DB saved on disk'],
    [last, '812:M @ * Background saving terminated with success'],
    [start, '790:C @ * oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo'],
    [start, '790:C @ # WARNING Memory overcommit must be enabled!'],
    [start + 1, '790:M @ * Loading RDB produced by version 7.0.15'],
    [start + 1, '790:M @ * RDB age 36000 seconds'],
    [start + 2, '790:M @ * Done loading RDB, keys loaded: 1764, keys expired: 3.'],
    [start + 2, '790:M @ * DB loaded from disk: 0.002 seconds'],
    [start + 2, '790:M @ * Ready to accept connections tcp'],
    [start + 900, '790:M @ * Asynchronous AOF fsync is taking too long (disk is busy?).'],
  ];
  const text = lines.map(([at, line]) => `${line.replace('@', stamp(at))}\n`).join('');
  placed(root, 'var/log/redis/redis-server.log', text);
  const facts = await read(root, { from: last - 1000, to: now });
  assert.deepEqual(
    facts.redis.map(({ kind, at, pid }) => [kind, Math.round(at - last), pid]),
    [
      ['other', -300, 812],
      ['other', -298, 812],
      ['save_due', -60, 812],
      ['save_began', -60, 812],
      ['other', -1, 900],
      ['saved', 0, 812],
      ['started', 36_000, 790],
      ['overcommit_warning', 36_000, 790],
      ['loading', 36_001, 790],
      ['rdb_age', 36_001, 790],
      ['loaded', 36_002, 790],
      ['loaded', 36_002, 790],
      ['ready', 36_002, 790],
      ['aof_fsync_slow', 36_900, 790],
    ],
  );
  assert.deepEqual(
    [facts.redis.find(({ kind }) => kind === 'rdb_age')?.seconds, facts.redis[10]?.keys],
    [36_000, 1764],
  );
  assert.ok(facts.redis.every(({ kind, text }) => (kind === 'other') === (text === '')));
  assert.equal(problemsOf(facts), '');
});

test('redis log: which zone its times are in shows when the file was written', async (t) => {
  const root = temporaryRoot(t);
  placed(root, 'etc/timezone', 'Europe/Berlin\n');
  const path = placed(root, 'redis.log', `1:M ${stamp(now - 100)} * Ready to accept connections\n`);
  const options = { redisLog: [path], from: now - 20_000, to: now + 20_000 };
  utimesSync(path, now - 100, now - 100);
  assert.equal((await read(root, options)).redis[0]?.at, now - 100, 'UTC in a container');
  const packed = `${path}.1.gz`;
  writeFileSync(packed, gzipSync(`1:M ${stamp(now - 500)} * DB saved on disk\n`));
  const rotated = placed(root, 'var/log/redis/redis.log', readFileSync(path));
  placed(root, 'var/log/redis/redis.log.1.gz', readFileSync(packed));
  utimesSync(rotated, now - 100, now - 100);
  const both = await read(root, { from: options.from, to: options.to });
  assert.deepEqual(
    both.redis.map(({ at }) => at - now),
    [-500, -100],
    'and so is what is packed',
  );
  utimesSync(path, now - 3700, now - 3700);
  assert.equal((await read(root, options)).redis[0]?.at, now - 3700, 'of the machine');
  utimesSync(path, now, now);
  const copied = await read(root, options);
  assert.equal(copied.redis[0]?.at, now - 3700);
  assert.match(problemsOf(copied), /taken for Europe\/Berlin, that of the machine/);
});

test('redis log: stamps without a year over several years', async (t) => {
  const root = temporaryRoot(t);
  const at = [700, 400, 365, 200, 1].map((days) => now - days * 86_400);
  const text = at
    .map((time) => `1:M ${stamp(time, false)} * Ready to accept connections\n`)
    .join('');
  const path = placed(root, 'redis.log', text);
  utimesSync(path, now - 80_000, now - 80_000);
  const facts = await read(root, { redisLog: [path], from: now - 800 * 86_400, to: now });
  assert.deepEqual(
    facts.redis.map((event) => iso(event.at)),
    at.map(iso),
  );
});

const id = (digit: string) => digit.repeat(64);

test('redis log: containers are found without their daemon, and their own time counts', async (t) => {
  const root = temporaryRoot(t);
  const docker = (name: string, text: string, time: number) =>
    placed(
      root,
      `var/lib/docker/containers/${name}/${name}-json.log`,
      `${JSON.stringify({ log: `${text}\n`, stream: 'stdout', time: new Date(time * 1000).toISOString() })}\n`,
    );
  docker(id('a'), '1:M 01 Jan 1990 00:00:00.000 * Ready to accept connections tcp', now - 500);
  docker(id('b'), 'GET /health 200', now - 400);
  docker(id('d'), 'dial tcp 10.0.1.9:6379: i/o timeout', now - 400);
  placed(
    root,
    `var/lib/containers/storage/overlay-containers/${id('c')}/userdata/ctr.log`,
    `${new Date((now - 300) * 1000).toISOString()} stdout F 1:M 01 Jan 1990 00:00:00.000 # User requested shutdown...\n`,
  );
  const facts = await read(root);
  assert.deepEqual(
    facts.redis.map(({ kind, at }) => [kind, at]),
    [
      ['ready', now - 500],
      ['shutdown_asked', now - 300],
    ],
  );
  assert.deepEqual(
    sources(facts).map(({ name }) => name),
    ['log of container aaaaaaaaaaaa', 'log of container cccccccccccc'],
  );
  assert.deepEqual(
    facts.systemEvents.map(({ kind, at, source }) => [kind, at, source]),
    [['connection_failed', now - 400, 'container logs']],
  );
  assert.doesNotMatch(JSON.stringify(facts), /10\.0\.1\.9/);
});

test('redis log: of a large one the time of interest is read, and rotated ones with it', async (t) => {
  const root = temporaryRoot(t);
  const from = now - 30 * 86_400;
  const count = 100_000;
  const line = (index: number) =>
    `1:M ${stamp(from + index * 26)} * ${index === 60_000 ? 'Background saving error' : `line ${index}`}\n`;
  const text = [...Array(count).keys()].map(line).join('');
  const path = placed(root, 'var/log/redis/redis.log', text);
  const old = placed(
    root,
    'var/log/redis/redis.log.1.gz',
    gzipSync(`1:M ${stamp(from + 60_000 * 26 - 5)} * RDB age 7 seconds\n`),
  );
  utimesSync(old, now, now);
  utimesSync(path, now, now);
  const time = from + 60_000 * 26;
  const facts = await read(root, { from: time, to: time + 600 });
  assert.deepEqual(
    facts.redis.filter(({ kind }) => kind !== 'other').map(({ kind }) => kind),
    ['rdb_age', 'save_failed'],
  );
  const records = sources(facts)[0]?.records ?? 0;
  // A day and ten minutes of it, not the month; an hour at both ends is for the reader's comfort.
  assert.ok(records >= Math.ceil(87_000 / 26) && records <= Math.ceil(94_200 / 26), `${records}`);
});

test('redis log: what is not there, no log, or torn, is told', async (t) => {
  const root = temporaryRoot(t);
  assert.match(JSON.stringify((await read(root)).missing), /sed -i 's.\^logfile /);
  symlinkSync('/dev/zero', join(root, 'zero'));
  for (const [path, said] of [
    [join(root, 'nothing'), /it is not there/],
    [join(root, 'zero'), /no regular file/],
    [placed(root, 'empty', ''), /it is empty/],
    [
      placed(root, 'other', 'no line of Redis\n'.repeat(9)),
      /none of its \d+ lines looks like a line of Redis or Valkey/,
    ],
    [
      placed(root, 'torn.gz', gzipSync('1:M x\n'.repeat(9000)).subarray(0, 30)),
      /torn or no gzip file/,
    ],
    [
      placed(root, 'garbage', Buffer.from('00ff13'.repeat(500_000), 'hex')),
      /no line of Redis|over 1 MB/,
    ],
  ] as const) {
    assert.match(problemsOf(await read(root, { redisLog: [path] })), said, path);
  }
});

/** Forms that only Valkey can be asked for. */
const valkeyForms = [
  ['--log-format', 'logfmt', '--log-timestamp-format', 'iso8601'],
  ['--log-format', 'logfmt', '--log-timestamp-format', 'legacy'],
  ['--log-timestamp-format', 'milliseconds'],
];
const expectedKinds = [
  'started',
  'ready',
  'saved',
  'loading',
  'rdb_age',
  'loaded',
  'shutdown_asked',
  'ended',
] as const;

for (const name of serverNames) {
  const program = serverProgram(name);
  const skip = program === undefined ? fetchServersAdvice : false;
  for (const args of name.startsWith('valkey') ? [[], ...valkeyForms] : [[]]) {
    test(`redis log: a real ${[name, ...args].join(' ')}`, { skip }, async (t) => {
      const directory = temporaryRoot(t);
      const logfile = join(directory, 'redis.log');
      // A server writes the time of the zone it is started in.
      placed(directory, 'etc/timezone', Intl.DateTimeFormat().resolvedOptions().timeZone);
      const began = Date.now() / 1000;
      const options = {
        directory,
        args: ['--logfile', logfile, ...args],
        program: program ?? name,
      };
      for (let runs = 0; runs < 2; runs++) {
        const server = await startRedis(t, options);
        execFileSync('redis-cli', ['-p', String(server.port), 'SHUTDOWN', 'SAVE']);
        await server.stop();
      }
      const at = Date.now() / 1000;
      const facts = await read(directory, { redisLog: [logfile] }, at);
      const kinds = new Set(facts.redis.map(({ kind }) => kind));
      for (const kind of expectedKinds)
        assert.ok(kinds.has(kind), `no ${kind}:\n${readFileSync(logfile, 'utf8')}`);
      for (const { at: when, kind } of facts.redis)
        assert.ok(when >= began - 1 && when <= at + 1, `${kind} ${iso(when)}`);
    });
  }
}

test('redis log: of a copy nobody knows the zone, unless it was written with its last line', async (t) => {
  const root = temporaryRoot(t);
  const at = Date.UTC(2026, 10, 20, 20) / 1000;
  const path = placed(
    root,
    'copy.log',
    '160:M 20 Nov 2026 20:00:00.000 * Ready to accept connections\n',
  );
  const source = async () =>
    (await read(root, { redisLog: [path], from: at, to: at + 60 })).sources[0];
  utimesSync(path, at + 86_400, at + 86_400);
  const copied = await source();
  assert.match(copied?.problems.join() ?? '', /no zone: they were taken for UTC, .* off by hours/);
  assert.equal(copied?.timeErrorSeconds, undefined);
  utimesSync(path, at, at);
  const exact = await source();
  assert.deepEqual([exact?.problems, exact?.timeErrorSeconds], [[], 0.1]);
});

test('redis log: one of other times was read, and holds nothing of those that were asked for', async (t) => {
  const root = temporaryRoot(t);
  const line = '160:M 14 Oct 2020 20:00:10.000 * Ready to accept connections\n';
  const facts = await read(root, { redisLog: [placed(root, 'old', line)] });
  assert.equal(sources(facts)[0]?.outside, true);
  assert.match(problemsOf(facts), /which --from and --to can say$/);
  const none = await read(root, { redisLog: [placed(root, 'none', 'x\n')] });
  assert.equal(sources(none)[0]?.outside, undefined);
});
