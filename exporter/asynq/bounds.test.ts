/** What one client with a bug, or somebody with a grudge, can put into Redis: it costs itself only. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { schedulerEntry, serverInfo } from '../../tools/rig/asynq-encode.ts';
import { asynqRig, type Rig } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { queueKey } from './keys.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const soon = () => Math.floor(Date.now() / 1000) + 600;
const megabyte = 'x'.repeat(1_000_000);

/** How many bytes Redis has sent meanwhile. */
async function bytesSent<T>({ redis }: Rig, work: () => Promise<T>): Promise<[T, number]> {
  const sent = async () =>
    Number(/total_net_output_bytes:(\d+)/.exec(await redis.info('stats'))?.[1] ?? Number.NaN);
  const before = await sent();
  const result = await work();
  return [result, (await sent()) - before];
}

test('scheduler entries of a megabyte: a few bytes of each label, and a bound on all of them', async (t) => {
  const rig = await asynqRig(t);
  const { redis } = rig;
  await asynqSimulator(redis).enqueue('default');
  for (const scheduler of ['a', 'b']) {
    const key = `asynq:schedulers:{vm:1:${scheduler}}`;
    await redis.zadd('asynq:schedulers', soon(), key);
    for (let i = 0; i < 30; i += 1) {
      const spec = `${i}${megabyte}`;
      const entry = { id: String(i), spec, taskType: 'tick', options: [], nextSeconds: 9 };
      await redis.rpush(key, schedulerEntry(entry));
    }
  }
  const [{ value, families }, bytes] = await bytesSent(rig, () => rig.scrape());
  assert.ok(bytes < 20e6, `${bytes} bytes`);
  assert.equal(value('asynq_schedulers'), 2);
  assert.equal(value('asynq_truncated', 'scheduler_entries'), 1);
  assert.equal(value('asynq_queue_size', 'default'), 1);
  assert.ok(JSON.stringify(families).length < 50_000);
});

const longEntry = (i: number) => ({
  id: String(i),
  spec: `${'y'.repeat(5000)}${i}`,
  taskType: 'tick',
  options: [],
  nextSeconds: 100 + i,
});

test('scheduler entries: specs of some kilobytes are cut and stay apart', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await app.beatScheduler(
    'vm:1:a',
    Array.from({ length: 50 }, (_, i) => longEntry(i)),
  );
  const { families, value } = await scrape();
  const next = families.find(({ metric }) => metric.name.includes('entry_next'))?.samples ?? [];
  assert.equal(new Set(next.map(({ labels }) => labels['spec'])).size, 50);
  for (const { labels } of next) assert.match(labels['spec'] ?? '', /^y{187}~[0-9a-f]{12}$/);
  assert.equal(value('asynq_truncated', 'scheduler_entries'), 0);
});

test('queues with names of 64 kB: left out and told, the others read', async (t) => {
  const rig = await asynqRig(t);
  for (let i = 0; i < 300; i += 1) {
    const name = `${i}${'n'.repeat(64_000)}`;
    await rig.redis.sadd('asynq:queues', name);
    await rig.redis.lpush(queueKey(name, 'pending'), 'id');
  }
  await asynqSimulator(rig.redis).enqueue('default');
  const { value, families } = await rig.scrape();
  assert.equal(value('asynq_queue_size', 'default'), 1);
  assert.equal(value('asynq_truncated', 'queue_names'), 1);
  assert.equal(value('asynq_truncated', 'queues'), 0);
  assert.ok(JSON.stringify(families).length < 50_000);
});

test('more queues than are read: those configured first, and nobody is said to be unlisted', async (t) => {
  const { redis, scrape } = await asynqRig(t, { config: { asynqQueues: ['configured'] } });
  for (let start = 0; start < 30_000; start += 1000) {
    const names = Array.from({ length: 1000 }, (_, i) => `${'q'.repeat(150)}${start + i}`);
    await redis.sadd('asynq:queues', names);
  }
  let first: readonly string[] = [];
  await until('they are read', async () => {
    const { families, value } = await scrape();
    const family = families.find(({ metric }) => metric.name === 'asynq_queue_listed');
    first =
      family?.samples.map(({ labels, value: one }) => `${labels['queue']} ${Number(one)}`) ?? [];
    return value('asynq_truncated', 'queues') === 1;
  });
  // 32 MB of page, with the name in each of 35 series.
  assert.ok(first.length > 3000 && first.length < 5000, `${first.length} queues`);
  assert.ok(first.includes('configured NaN'));
  assert.ok(first.every((text) => text.endsWith(' 1') || text === 'configured NaN'));
});

test('a million workers of one server: its queues have no number, those of others do', async (t) => {
  const rig = await asynqRig(t);
  const { redis } = rig;
  const app = asynqSimulator(redis);
  for (const queue of ['many', 'few', 'both']) await app.enqueue(queue);
  const [large, small] = [fakeServer(['many', 'both']), { ...fakeServer(['few', 'both']), pid: 2 }];
  // Before the heartbeats, which are good for 10 s: a busy machine takes longer to fill it.
  await redis.eval(
    "for i = 1, 1000000 do redis.call('HSET', KEYS[1], 'id' .. i, 'v') end",
    1,
    'filled',
  );
  await app.heartbeat(large);
  const work = { taskId: 'x', queue: 'few', taskType: 'job', startSeconds: Date.now() / 1000 };
  await app.heartbeat(small, [work]);
  const key = `asynq:workers:{${large.host}:${large.pid}:${large.id}}`;
  await redis.rename('filled', key);
  const [{ value }, bytes] = await bytesSent(rig, () => rig.scrape());
  assert.ok(bytes < 100_000, `${bytes} bytes`);
  assert.ok(Number.isNaN(value('asynq_queue_busy_workers', 'many')));
  assert.ok(Number.isNaN(value('asynq_queue_busy_workers', 'both')));
  assert.equal(value('asynq_queue_busy_workers', 'few'), 1);
  assert.equal(value('asynq_queue_consumers', 'both'), 2);
  assert.equal(value('asynq_truncated', 'workers'), 1);
});

test('a heartbeat of a megabyte, one of too many fields, a key without end: told, and not fatal', async (t) => {
  const rig = await asynqRig(t);
  const { redis } = rig;
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await app.enqueue('other');
  await app.heartbeat(fakeServer(['default']));
  const beat = async (place: string, value: Buffer) => {
    await redis.set(`asynq:servers:{${place}}`, value);
    await redis.zadd('asynq:servers', soon(), `asynq:servers:{${place}}`);
  };
  await beat('vm:2:large', serverInfo({ ...fakeServer([]), host: megabyte }, 0));
  await beat('vm:3:fields', Buffer.from('0a00'.repeat(20_000), 'hex'));
  await redis.zadd(
    'asynq:servers',
    soon(),
    `asynq:servers:${'{'.repeat(20_000)}${':'.repeat(20_000)}`,
  );
  await redis.zadd('asynq:servers', soon(), Buffer.from([0x61, 0xff]));
  const watch = stopwatch();
  const [{ value }, bytes] = await bytesSent(rig, () => rig.scrape());
  watch.within(1000);
  assert.ok(bytes < 500_000, `${bytes} bytes`);
  assert.equal(value('asynq_queue_consumers', 'default'), 1);
  assert.ok(Number.isNaN(value('asynq_queue_consumers', 'other')), 'one of them may serve it');
  assert.equal(value('asynq_truncated', 'servers'), 1);
  assert.ok(Number.isNaN(value('asynq_server_concurrency', 'vm:2')));
});

test('ids, totals and times of megabytes: the queues that have them, and they alone', async (t) => {
  const rig = await asynqRig(t);
  const { redis } = rig;
  const app = asynqSimulator(redis);
  await app.enqueue('good');
  for (let i = 0; i < 40; i += 1) {
    await redis.sadd('asynq:queues', `ids${i}`);
    await redis.lpush(queueKey(`ids${i}`, 'pending'), `${randomUUID()}${megabyte}`);
  }
  const taken = await app.enqueue('since');
  await redis.hset(queueKey('since', `t:${taken}`), 'pending_since', '9'.repeat(20_000_000));
  await app.enqueue('totals');
  await redis.set(queueKey('totals', 'processed'), '7'.repeat(5_000_000));
  let read = await rig.scrape();
  await until('they are read', async () => {
    read = await rig.scrape();
    return read.value('asynq_truncated', 'task_ids') === 1;
  });
  const { value, error } = read;
  assert.equal(value('asynq_up'), 1);
  assert.match(error ?? '', /a reply of over 16 MiB|a total reads "7{20}"/);
  for (const queue of ['ids0', 'ids39', 'since', 'totals', 'good']) {
    assert.equal(value('asynq_queue_tasks', queue, 'pending'), 1, queue);
  }
  assert.ok((value('asynq_queue_latency_seconds', 'good') ?? 0) > 0);
  assert.ok(Number.isNaN(value('asynq_queue_latency_seconds', 'ids39')));
  assert.ok(Number.isNaN(value('asynq_queue_latency_seconds', 'since')));
  assert.equal(value('asynq_tasks_processed_total', 'totals'), undefined);
  await redis.hdel(queueKey('since', `t:${taken}`), 'pending_since');
  const [, bytes] = await bytesSent(rig, () => rig.scrape());
  assert.ok(bytes < 100_000, `long ids are not asked for again: ${bytes} bytes`);
});

test('servers and workers called as objects call their own parts are servers like any other', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  for (const name of names) {
    await app.enqueue(name);
    await app.heartbeat({ ...fakeServer([name]), host: name });
  }
  const { value } = await scrape();
  for (const name of names) {
    assert.equal(value('asynq_server_concurrency', `${name}:10511`), 4);
    assert.ok((value('asynq_server_last_heartbeat_timestamp_seconds', `${name}:10511`) ?? 0) > 1e9);
    assert.equal(value('asynq_queue_consumers', name), 1);
  }
});
