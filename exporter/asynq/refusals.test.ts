/** What Redis refuses, what does not decode, what users name things: each costs itself only. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import { createRenderer } from '../exposition/metrics.ts';
import { loadCaptured } from '../../tools/rig/asynq-data.ts';
import { asynqRig, scrape, startCollector, writer } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { reasonOf } from './ask.ts';
import { queueKey } from './keys.ts';

const run = promisify(execFile);

/** Everything that is asked of Redis, each of which somebody may be refused. */
const commands =
  'time exists getrange hget hkeys hlen hstrlen llen lrange scard srandmember sscan zcard zcount zrange';

/** Ages grow between two collections; all else stands still. */
const isAge = (name: string) =>
  /latency_seconds|oldest_active|lag_seconds|skew|age_|duration/.test(name);

async function fullOfEverything(redis: Redis): Promise<void> {
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  const app = asynqSimulator(redis);
  await app.addToGroup('default', 'g');
  await app.stage('default', 'g');
  await app.addToGroup('default', 'g');
  await app.schedule('low', -60);
  await app.enqueue('low');
  await app.archive('low', await app.dequeue('low'));
}

for (const command of commands.split(' ')) {
  test(`acl: ${command} refused is NaN or an old total, never another number`, async (t) => {
    const { redis, server, scrape: truth } = await asynqRig(t);
    await fullOfEverything(redis);
    await redis.call('ACL', 'SETUSER', 'w', 'on', '>pw', '~*', '+@all', `-${command}`);
    const collector = startCollector(t, { url: `redis://w:pw@127.0.0.1:${server.port}` });
    const all = (await truth()).families.filter(({ metric }) => !/_errors_|_up$/.test(metric.name));
    const { value, error } = await scrape(collector);
    assert.match(error ?? '', new RegExp(`NOPERM .*'${command}'`));
    assert.ok((value('asynq_errors_total', 'noperm') ?? 0) > 0);
    let unread = 0;
    for (const { metric, samples } of all) {
      for (const { labels, value: expected } of samples) {
        const got = value(metric.name, ...Object.values(labels)) ?? Number.NaN;
        if (Number.isNaN(got)) unread += 1;
        else if (isAge(metric.name)) assert.ok(Math.abs(got - Number(expected)) < 2, metric.name);
        else assert.equal(got, expected, `${metric.name} ${JSON.stringify(labels)}`);
      }
    }
    assert.ok(unread > 0, 'nothing depends on it');
    const { checks, findings } = collector.report?.() ?? {};
    assert.equal(checks?.[0]?.ok, false);
    assert.match(JSON.stringify(findings), new RegExp(`NOPERM .*'${command}'`));
  });
}

test('acl: what was told before it was refused stays a series, without a number', async (t) => {
  const { redis, server, scrape: truth } = await asynqRig(t);
  await fullOfEverything(redis);
  await redis.call('ACL', 'SETUSER', 'w', 'on', '>pw', '~*', '+@all');
  const collector = startCollector(t, { url: `redis://w:pw@127.0.0.1:${server.port}` });
  await scrape(collector);
  await redis.call('ACL', 'SETUSER', 'w', '-zrange', '-lrange', '-getrange', '-hlen');
  const { value } = await scrape(collector);
  let [gauges, totals] = [0, 0];
  for (const { metric, samples } of (await truth()).families) {
    if (/_errors_|_up$/.test(metric.name)) continue;
    for (const { labels, value: expected } of samples) {
      const got = value(metric.name, ...Object.values(labels));
      assert.notEqual(got, undefined, `${metric.name} ${JSON.stringify(labels)}`);
      if (metric.type === 'counter') {
        assert.equal(got, expected);
        totals += 1;
      } else if (Number.isNaN(got)) gauges += 1;
    }
  }
  assert.ok(totals > 20 && gauges > 40, `${totals} totals, ${gauges} gauges`);
});

test('acl: a collector of one name is told by any of the words for "you may not"', () => {
  const refused = [
    "NOPERM this user has no permissions to run the 'hkeys' command",
    "NOPERM User w has no permissions to run the 'get' command",
    'NOPERM this user has no permissions to access one of the keys used as arguments',
    'NOPERM No permissions to access a key',
    'NOAUTH Authentication required.',
    "ERR unknown command 'SSCAN'",
    'ERR unknown command `HSTRLEN`, with args beginning with: `asynq:{q}`',
    "ERR Unknown subcommand or wrong number of arguments for 'usage'. Try MEMORY HELP.",
    "ERR command 'x' is not allowed",
    'ERR command is not allowed',
    'ERR handle request, command TIME is not allowed',
    "ERR unsupported command 'LRANGE'",
    'ERR unsupported command [time]',
    "ERR Command is not available: 'INFO'. See https://upstash.com/docs/redis/overall/rediscompatibility for details",
    'ERR command config not support for normal user',
    "ERR command 'memory' not support your account",
    'ERR illegal command',
    'ERR forbidden command',
    "ERR 'time' command is disabled",
    'ERR This command is not supported in this mode',
    'ERR command not supported by proxy',
    'ERR invalid command',
    'ERR command is denied',
    'ERR permission denied',
    'ERR Operation not permitted',
    'ERR the command is restricted by the administrator',
  ];
  for (const text of refused) assert.equal(reasonOf(new Error(text)), 'noperm', text);
  const others = {
    moved: ['MOVED 3999 127.0.0.1:6381'],
    decode: ['WRONGTYPE Operation against a key holding the wrong kind of value'],
    busy: [
      'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    ],
    loading: ['LOADING Redis is loading the dataset in memory'],
    timeout: [
      'redis://127.0.0.1:6379: no answer within 2000 ms',
      'no answer in the time the caller had',
    ],
    other: [
      'CLUSTERDOWN Hash slot not served',
      'ERR syntax error',
      'ERR value is not an integer or out of range',
      "ERR wrong number of arguments for 'zrange' command",
      "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
      "READONLY You can't write against a read only replica.",
      'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.',
      'ERR max number of clients reached',
      'connect ECONNREFUSED 127.0.0.1:6379',
    ],
  };
  for (const [reason, texts] of Object.entries(others)) {
    for (const text of texts) assert.equal(reasonOf(new Error(text)), reason, text);
  }
});

test('acl: managed Redis without INFO, CONFIG, MEMORY and scripts', async (t) => {
  const { redis, server } = await asynqRig(t);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  const refused = ['-info', '-config', '-memory', '-@scripting', '-slowlog', '-latency'];
  await redis.call('ACL', 'SETUSER', 'managed', 'on', '>pw', '~*', '+@all', ...refused);
  const url = `redis://managed:pw@127.0.0.1:${server.port}`;
  const collector = startCollector(t, { url, config: { asynqMemory: true } });
  const first = await scrape(collector);
  assert.equal(first.value('asynq_up'), 1);
  assert.equal(first.value('asynq_queue_size', 'default'), 12);
  assert.ok((first.value('asynq_errors_total', 'noperm') ?? 0) > 0);
  const second = await scrape(collector);
  assert.equal(
    second.value('asynq_errors_total', 'noperm'),
    first.value('asynq_errors_total', 'noperm'),
    'asked once, refused once',
  );
});

test('memory: collections plus sampled tasks, about what Redis holds', async (t) => {
  const { redis, scrape } = await asynqRig(t, { config: { asynqMemory: true } });
  const app = asynqSimulator(redis);
  for (let i = 0; i < 50; i += 1) await app.enqueue('default');
  const { value } = await scrape();
  let real = Number(await redis.call('MEMORY', 'USAGE', queueKey('default', 'pending')));
  for (const key of await redis.keys('asynq:{default}:t:*')) {
    real += Number(await redis.call('MEMORY', 'USAGE', key));
  }
  const ours = value('asynq_queue_memory_usage_approx_bytes', 'default') ?? Number.NaN;
  assert.ok(Math.abs(ours - real) < real * 0.1, `${ours} of ${real}`);
});

test('acl: a refused command leaves NaN where its number was, and its reason', async (t) => {
  const { redis, server } = await asynqRig(t);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  const user = ['on', '>pw', '~asynq:*', '+@all', '-exists', '-getrange', '-time'];
  await redis.call('ACL', 'SETUSER', 'partial', ...user);
  const { value } = await scrape(
    startCollector(t, { url: `redis://partial:pw@127.0.0.1:${server.port}` }),
  );
  assert.equal(value('asynq_up'), 1);
  assert.equal(value('asynq_queue_size', 'default'), 12);
  assert.ok(Number.isNaN(value('asynq_queue_paused_total', 'default')));
  assert.ok(Number.isNaN(value('asynq_clock_skew_seconds')));
  assert.ok((value('asynq_errors_total', 'noperm') ?? 0) >= 8);
});

test('acl: a user who may not even list the queues is down, by reason', async (t) => {
  const { redis, server } = await asynqRig(t);
  await redis.call('ACL', 'SETUSER', 'nobody', 'on', '>pw', '~asynq:*', '+ping');
  const collector = startCollector(t, { url: `redis://nobody:pw@127.0.0.1:${server.port}` });
  const { value, error } = await scrape(collector);
  assert.equal(value('asynq_up'), 0);
  assert.match(error ?? '', /NOPERM/);
  const [finding] = collector.report?.().findings ?? [];
  assert.match(finding?.text ?? '', /^Asynq's queues cannot be read: NOPERM/);
  assert.doesNotMatch(error ?? '', /pw@/);
});

test('acl: not one length of a queue is no collection', async (t) => {
  const { redis, server } = await asynqRig(t);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  const user = ['on', '>pw', '~asynq:*', '+@all', '-llen', '-lrange'];
  await redis.call('ACL', 'SETUSER', 'blind', ...user);
  const url = `redis://blind:pw@127.0.0.1:${server.port}`;
  const { value, error } = await scrape(startCollector(t, { url }));
  assert.equal(value('asynq_up'), 0);
  assert.match(error ?? '', /refused to tell the length of every queue/);
});

test('wrong types, corrupt values: the queue that has them degrades alone', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('good');
  await app.enqueue('bad');
  await redis.set(queueKey('bad', 'retry'), 'not a set');
  await redis.set(queueKey('bad', 'processed'), 'many');
  const head = await redis.lindex(queueKey('bad', 'pending'), -1);
  await redis.hset(queueKey('bad', `t:${head}`), 'pending_since', 'yesterday');
  const server = fakeServer(['good']);
  await app.heartbeat(server, [
    { taskId: 'x', queue: 'good', taskType: 'job', startSeconds: Date.now() / 1000 },
  ]);
  const place = `{vm:1:${randomUUID()}}`;
  await redis.set(`asynq:servers:${place}`, Buffer.from('0a02766d108f', 'hex'));
  await redis.zadd('asynq:servers', 'NX', 9_999_999_999, `asynq:servers:${place}`);
  const { value } = await scrape();
  assert.equal(value('asynq_up'), 1);
  assert.equal(value('asynq_queue_size', 'good'), 1);
  assert.equal(value('asynq_queue_consumers', 'good'), 1);
  assert.ok(Number.isNaN(value('asynq_queue_tasks', 'bad', 'retry')));
  assert.ok(Number.isNaN(value('asynq_queue_size', 'bad')));
  assert.equal(value('asynq_queue_tasks', 'bad', 'pending'), 1);
  assert.ok((value('asynq_queue_latency_seconds', 'bad') ?? 0) > 0);
  assert.equal(value('asynq_tasks_processed_total', 'bad'), undefined, 'never read');
  // Two commands on the wrong type, the total, the time, the server.
  assert.equal(value('asynq_errors_total', 'decode'), 5);
});

test('busy: while a script runs, down by reason, and up afterwards', async (t) => {
  const { redis, scrape, server } = await asynqRig(t, { args: ['--busy-reply-threshold', '50'] });
  await asynqSimulator(redis).enqueue('default');
  assert.equal((await scrape()).value('asynq_up'), 1);
  const script = writer(t, server.port)
    .eval('while true do end', 0)
    .catch(() => undefined);
  await until('Redis says BUSY', async () => {
    const { value, error } = await scrape();
    return value('asynq_up') === 0 && /BUSY/.test(error ?? '');
  });
  const { value } = await scrape();
  assert.ok((value('asynq_errors_total', 'busy') ?? 0) > 0);
  assert.ok(Number.isNaN(value('asynq_queue_size', 'default')));
  assert.equal(value('asynq_tasks_processed_total', 'default'), 0, 'totals stay');
  await redis.call('SCRIPT', 'KILL');
  await script;
  assert.equal((await scrape()).value('asynq_up'), 1);
});

const hostileNames = [
  'a b',
  '{',
  '}',
  '{}',
  'a{b}c',
  '"quoted\\"',
  'new\nline',
  '*',
  'ключ 🦊',
  "'",
  '__proto__',
  'a:b',
];

test('hostile queue names are read, kept apart and escaped', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  for (const [i, name] of hostileNames.entries()) {
    for (let task = 0; task <= i; task += 1) await app.enqueue(name);
  }
  await redis.sadd('asynq:queues', Buffer.from([0xff, 0xfe]));
  const { value, families } = await scrape();
  for (const [i, name] of hostileNames.entries()) {
    assert.equal(value('asynq_queue_tasks', name, 'pending'), i + 1, name);
  }
  assert.equal(value('asynq_truncated', 'queue_names'), 1, 'a name that is not UTF-8');
  const text = await createRenderer('text')(families);
  assert.match(text, /^asynq_queue_size\{queue="new\\nline"\} 7$/m);
  assert.match(text, /^asynq_queue_size\{queue="\\"quoted\\\\\\""\} 6$/m);
  const lines = text.split('\n').filter((line) => !/^(?:#|$|asynq_\w+(?:\{.*\})? \S+$)/.test(line));
  assert.deepEqual(lines, []);
});

test('tls: a collection over rediss://', async (t) => {
  const directory = fixtureTree(t, {});
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const request =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost';
  const name = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await run('openssl', ['req', ...request.split(' '), ...name, '-keyout', key, '-out', cert]);
  const plain = await startRedis(t, { directory });
  const app = asynqSimulator(writer(t, plain.port));
  await app.enqueue('default');
  const tlsPort = plain.port + 1 > 65_000 ? plain.port - 1 : plain.port + 1;
  const redis = writer(t, plain.port);
  await redis.call(
    'CONFIG',
    'SET',
    'tls-cert-file',
    cert,
    'tls-key-file',
    key,
    'tls-ca-cert-file',
    cert,
    'tls-auth-clients',
    'no',
    'tls-port',
    tlsPort,
  );
  const script = `
    const { createCollection } = await import('${new URL('collection.ts', import.meta.url).href}');
    const { openRedis } = await import('${new URL('../redis/open.ts', import.meta.url).href}');
    const { parseRedisAddress } = await import('${new URL('../redis/address.ts', import.meta.url).href}');
    const { systemClock } = await import('${new URL('../measure/clock.ts', import.meta.url).href}');
    const client = openRedis(parseRedisAddress('rediss://localhost:${tlsPort}'), { buffers: true });
    const collection = createCollection({ client, clock: systemClock, configuredQueues: [], withMemory: false, countError() {} });
    const { queues } = await collection.collect(AbortSignal.timeout(5000));
    console.log(queues.map(({ queue, tasks }) => queue + tasks.pending).join());
    await client.close();`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: cert },
  });
  assert.equal(stdout.trim(), 'default1');
});
