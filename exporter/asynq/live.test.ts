/**
 * A real Asynq at work (client, server, scheduler of v0.26.0), and what its own Inspector and its
 * own exporter say, against our numbers at the same time. Needs Go and its module proxy.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { timedGet } from '../../tools/bench/figures.ts';
import { askAsynq, buildAsynq, startAsynq } from '../../tools/rig/asynq-program.ts';
import { asynqRig } from '../../tools/rig/asynq-rig.ts';
import { freePort, until } from '../../tools/rig/redis-server.ts';

interface Inspected {
  readonly queues: readonly (Readonly<Record<string, number | boolean>> & {
    readonly Queue: string;
  })[];
  readonly servers: readonly { readonly Concurrency: number }[];
  readonly entries: number;
}

const built = await buildAsynq();
const skip = 'missing' in built ? built.missing : false;
const program = 'program' in built ? built.program : '';
if (skip !== false) console.log(`Skipped, the real Asynq: ${skip}`);

const states = ['active', 'pending', 'scheduled', 'retry', 'archived', 'completed', 'aggregating'];
const fieldOf = (state: string) => `${state.charAt(0).toUpperCase()}${state.slice(1)}`;

test('the real Asynq: our numbers are its Inspector’s and its exporter’s', { skip }, async (t) => {
  const { server, scrape } = await asynqRig(t);
  const address = `127.0.0.1:${server.port}`;
  await startAsynq(t, program, ['run', address], 'ready');
  const inspected = JSON.parse(await askAsynq(program, ['inspect', address])) as Inspected;
  // A collection that is under way may have begun before the inspection.
  await scrape();
  const { value } = await scrape();
  assert.equal(inspected.queues.length, 5);
  for (const queue of inspected.queues) {
    const name = queue.Queue;
    for (const state of states) {
      assert.equal(value('asynq_queue_tasks', name, state), queue[fieldOf(state)], name + state);
    }
    assert.equal(value('asynq_queue_size', name), queue['Size']);
    assert.equal(value('asynq_queue_groups', name), queue['Groups']);
    assert.equal(value('asynq_tasks_processed_total', name), queue['ProcessedTotal']);
    assert.equal(value('asynq_tasks_failed_total', name), queue['FailedTotal']);
    assert.equal(value('asynq_queue_paused_total', name), queue['Paused'] === true ? 1 : 0);
    const latency = Number(queue['Latency']) / 1e9;
    const ours = value('asynq_queue_latency_seconds', name) ?? Number.NaN;
    assert.ok(ours >= latency - 0.05 && ours < latency + 10, `${name}: ${ours} s, ${latency} s`);
  }
  assert.equal(inspected.servers.length, 1);
  assert.equal(value('asynq_servers', 'active'), 1);
  assert.equal(value('asynq_queue_consumer_concurrency', 'default'), 5);
  assert.equal(value('asynq_queue_busy_workers', 'critical'), 2);
  assert.equal(value('asynq_schedulers'), 1);
  assert.equal(inspected.entries, 1);
  await sameAsOfficial(t, address, value);
});

type Value = (name: string, ...labels: readonly string[]) => number | undefined;

/** Every series of Asynq's own exporter is one of ours, with the same value. */
async function sameAsOfficial(t: Parameters<typeof startAsynq>[0], address: string, value: Value) {
  const port = await freePort();
  await startAsynq(t, program, ['official', address, `127.0.0.1:${port}`], undefined);
  const url = `http://127.0.0.1:${port}/metrics`;
  let body = '';
  await until('the official exporter answers', async () => {
    try {
      ({ body } = await timedGet(url));
      return body.includes('asynq_queue_size');
    } catch {
      return false;
    }
  });
  const lines = body.split('\n').filter((line) => line.startsWith('asynq_'));
  assert.ok(lines.length >= 5 * 11);
  for (const line of lines) {
    const [, name, labels, text] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
    assert.ok(name !== undefined && labels !== undefined, line);
    const parsed = JSON.parse(`{${labels.replaceAll(/(^|,)(\w+)=/g, '$1"$2":')}}`) as Record<
      string,
      string
    >;
    const { queue = '', ...rest } = parsed;
    if (name.includes('latency') || name.includes('memory')) continue;
    assert.equal(value(name, queue, ...Object.values(rest)), Number(text), line);
  }
}

test(
  'the real Asynq: frozen for 12 s, a redis-server tells, and the server comes back',
  { skip },
  async (t) => {
    const { server, scrape, health, redis } = await asynqRig(t);
    const address = `127.0.0.1:${server.port}`;
    const worker = await startAsynq(t, program, ['run', address], 'ready');
    const before = await scrape();
    assert.equal(before.value('asynq_servers', 'active'), 1);
    server.freeze();
    health.become('frozen');
    const frozen = await scrape();
    assert.equal(frozen.value('asynq_up'), 0);
    assert.ok(Number.isNaN(frozen.value('asynq_queue_tasks', 'default', 'retry')));
    const processed = before.value('asynq_tasks_processed_total', 'default');
    assert.equal(frozen.value('asynq_tasks_processed_total', 'default'), processed);
    await sleep(12_000);
    server.thaw();
    health.become('up');
    await redis.ping();
    let thawed = frozen;
    await until('it is read again', async () => {
      thawed = await scrape();
      return thawed.value('asynq_up') === 1;
    });
    // The heartbeat's 10 s ran out while nobody could renew it: dead, until the next beat. Or in
    // between: the server sends ZADD before it sends the rest, and the freeze may have cut there.
    const expired = thawed.value('asynq_servers_expired') ?? Number.NaN;
    const live = thawed.value('asynq_servers', 'active') ?? Number.NaN;
    assert.ok(expired + live <= 1, `${expired} expired, ${live} live`);
    await until('the server beats again', async () => {
      const { value } = await scrape();
      return value('asynq_servers', 'active') === 1;
    });
    await worker.terminate();
    assert.equal((await scrape()).value('asynq_servers', 'active'), 0);
    assert.equal(
      (await scrape()).value('asynq_servers_expired'),
      0,
      'a clean shutdown leaves nothing',
    );
  },
);
