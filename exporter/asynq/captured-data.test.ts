/** A data set captured from asynq v0.26.0 in a real Redis, against what its Inspector said of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadCaptured, readFixture } from '../../tools/rig/asynq-data.ts';
import { systemClock } from '../measure/clock.ts';
import { createRedisClient } from '../redis/client.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { createCollection } from './collection.ts';
import { asynqRig } from '../../tools/rig/asynq-rig.ts';

interface InspectorQueue {
  readonly Queue: string;
  readonly Latency: number;
  readonly Size: number;
  readonly Groups: number;
  readonly Pending: number;
  readonly Active: number;
  readonly Scheduled: number;
  readonly Retry: number;
  readonly Archived: number;
  readonly Completed: number;
  readonly Aggregating: number;
  readonly ProcessedTotal: number;
  readonly FailedTotal: number;
  readonly Paused: boolean;
  readonly Timestamp: string;
}

interface Oracle {
  readonly queues: readonly InspectorQueue[];
  readonly servers: readonly {
    readonly Host: string;
    readonly PID: number;
    readonly Concurrency: number;
    readonly Queues: Readonly<Record<string, number>>;
    readonly ActiveWorkers: readonly { readonly Queue: string; readonly Started: string }[];
  }[];
  readonly sched: readonly {
    readonly Spec: string;
    readonly Next: string;
    readonly Prev: string;
  }[];
}

const oracle = readFixture('asynq-v0.26.0-inspector.json') as Oracle;
const captured = readFixture('asynq-v0.26.0.json') as { time: [string, string] };

test('asynq v0.26.0: every number the Inspector gives, and the fleet', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const shift = await loadCaptured(redis, 'asynq-v0.26.0.json');
  const { value, families } = await scrape();
  assert.equal(value('asynq_up'), 1);
  assert.equal(oracle.queues.length, 6);
  for (const queue of oracle.queues) {
    const states = {
      active: queue.Active,
      pending: queue.Pending,
      scheduled: queue.Scheduled,
      retry: queue.Retry,
      archived: queue.Archived,
      completed: queue.Completed,
    };
    for (const [state, count] of Object.entries(states)) {
      assert.equal(value('asynq_tasks_enqueued_total', queue.Queue, state), count, queue.Queue);
      assert.equal(value('asynq_queue_tasks', queue.Queue, state), count, queue.Queue);
    }
    assert.equal(value('asynq_queue_tasks', queue.Queue, 'aggregating'), queue.Aggregating);
    assert.equal(value('asynq_queue_size', queue.Queue), queue.Size);
    assert.equal(value('asynq_queue_groups', queue.Queue), queue.Groups);
    assert.equal(value('asynq_tasks_processed_total', queue.Queue), queue.ProcessedTotal);
    assert.equal(value('asynq_tasks_failed_total', queue.Queue), queue.FailedTotal);
    assert.equal(value('asynq_queue_paused_total', queue.Queue), queue.Paused ? 1 : 0);
    assert.equal(value('asynq_queue_listed', queue.Queue), 1);
    assert.equal(value('asynq_queue_lease_expired_tasks', queue.Queue), 0);
    assert.equal(value('asynq_queue_active_without_lease_tasks', queue.Queue), 0);
    // The Inspector looked when its Timestamp says; we look when the data set has been moved to now.
    const latency = value('asynq_queue_latency_seconds', queue.Queue) ?? Number.NaN;
    const since = Date.parse(queue.Timestamp) / 1000 - queue.Latency / 1e9 + shift;
    if (queue.Pending === 0) assert.equal(latency, 0);
    else
      assert.ok(Math.abs(latency - (Date.now() / 1000 - since)) < 3, `${queue.Queue} ${latency}`);
    assert.equal(value('asynq_queue_latency_lower_bound', queue.Queue), 0);
  }
  const [server] = oracle.servers;
  assert.ok(server !== undefined);
  for (const { Queue } of oracle.queues) {
    const serves: number = Queue in server.Queues ? 1 : 0;
    assert.equal(value('asynq_queue_consumers', Queue), serves);
    assert.equal(value('asynq_queue_consumer_concurrency', Queue), serves * server.Concurrency);
    const busy: readonly { Started: string }[] = server.ActiveWorkers.filter(
      (worker) => worker.Queue === Queue,
    );
    assert.equal(value('asynq_queue_busy_workers', Queue), busy.length);
    const oldest = Math.min(...busy.map(({ Started }) => Date.parse(Started) / 1000));
    const running = value('asynq_queue_oldest_active_seconds', Queue) ?? Number.NaN;
    if (busy.length === 0) assert.equal(running, 0);
    else assert.ok(Math.abs(running - (Date.now() / 1000 - oldest)) < 3, String(running));
  }
  const name = `${server.Host}:${server.PID}`;
  assert.equal(value('asynq_servers', 'active'), 1);
  assert.equal(value('asynq_servers_expired'), 0);
  assert.equal(value('asynq_server_busy_workers', name), server.ActiveWorkers.length);
  assert.equal(value('asynq_server_concurrency', name), server.Concurrency);
  const beat = value('asynq_server_last_heartbeat_timestamp_seconds', name) ?? 0;
  assert.equal(beat, Number(captured.time[0]) - 1 + shift);
  assert.equal(value('asynq_schedulers'), 1);
  assert.deepEqual(
    families
      .filter(({ metric }) => metric.name.startsWith('asynq_scheduler_entry_'))
      .flatMap(({ samples }) => samples.map(({ labels, value }) => [labels['spec'], value])),
    [
      ...oracle.sched.map(({ Spec, Next }) => [Spec, Date.parse(Next) / 1000]),
      ...oracle.sched.map(({ Spec, Prev }) => [
        Spec,
        Prev.startsWith('0001') ? Number.NaN : Date.parse(Prev) / 1000,
      ]),
    ],
  );
});

test('asynq: three queues, a server and a scheduler are at most 150 series', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  await redis.srem('asynq:queues', 'frozen', 'odd{}:name', 'unserved');
  await redis.del('asynq:{frozen}:pending');
  const { families, value } = await scrape();
  assert.equal(value('asynq_queue_size', 'frozen'), undefined);
  const series = families.reduce((sum, { samples }) => sum + samples.length, 0);
  assert.ok(series <= 150, `${series} series`);
});

test('asynq: three round trips, and two more for tasks under way not seen before', async (t) => {
  const { redis, server } = await asynqRig(t);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  const client = createRedisClient(parseRedisAddress(server.url), { buffers: true });
  t.after(() => client.close());
  const collection = createCollection({
    client,
    clock: systemClock,
    configuredQueues: [],
    withMemory: false,
    countError: (reason) => assert.fail(reason),
  });
  const signal = AbortSignal.timeout(10_000);
  assert.ok((await collection.collect(signal)).roundTrips <= 5);
  assert.equal((await collection.collect(signal)).roundTrips, 3);
});
