/**
 * The outages, each brought about on a real Redis, each seen in the metrics that are there for
 * it. The states after a freeze are those that asynq v0.26.0 left behind when redis-server was
 * stopped for 45 s and for 14 s; times are written as they would be, so nobody waits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { expireLease, killServer } from '../../tools/rig/asynq-faults.ts';
import {
  asynqRig,
  fakeHealth,
  scrape,
  type Scrape,
  startCollector,
  writer,
} from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { queueKey } from './keys.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const seriesOf = ({ families }: Scrape): string[] =>
  families.flatMap(({ metric, samples }) =>
    samples.map(({ labels }) => `${metric.name} ${JSON.stringify(labels)}`),
  );

test('frozen: not asked, no depth, totals stay, and all is told at once', async (t) => {
  const { redis, server, scrape, health, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await app.done('default', await app.dequeue('default'));
  await app.enqueue('default');
  await app.heartbeat(fakeServer(['default']));
  await app.beatScheduler('vm:1:a', [
    { id: '1', spec: '@daily', taskType: 'tick', options: [], nextSeconds: 200 },
  ]);
  const before = await scrape();
  assert.equal(before.value('asynq_queue_size', 'default'), 1);
  server.freeze();
  health.become('frozen');
  const watch = stopwatch();
  const frozen = await scrape();
  watch.within(500, 'nobody waited for Redis');
  assert.equal(frozen.value('asynq_up'), 0);
  assert.match(frozen.error ?? '', /Redis is frozen/);
  assert.deepEqual(seriesOf(frozen), seriesOf(before), 'nothing comes or goes');
  const told = frozen.families.filter(
    ({ metric, samples }) =>
      metric.type === 'gauge' && samples.some(({ value }) => !Number.isNaN(value)),
  );
  assert.deepEqual(
    told.map(({ metric }) => metric.name),
    ['asynq_up', 'asynq_collection_age_seconds', 'asynq_collection_duration_seconds'],
  );
  assert.equal(frozen.value('asynq_tasks_processed_total', 'default'), 1);
  const report = collector.report?.();
  assert.deepEqual(report?.findings, []);
  assert.equal(report?.checks?.[0]?.state, 'unknown');
  assert.match(report?.checks?.[0]?.reason ?? '', /the queues cannot be read: Redis is frozen/);
  server.thaw();
  health.become('up');
  assert.equal((await scrape()).value('asynq_queue_size', 'default'), 1);
});

test('frozen before the probe knows: one question outstanding, answered by the deadline', async (t) => {
  const { redis, server, scrape } = await asynqRig(t);
  await asynqSimulator(redis).enqueue('default');
  await scrape();
  server.freeze();
  const watch = stopwatch();
  await Promise.all([scrape(), scrape(), scrape()]);
  watch.within(2000);
  await until('the collection has given up', async () => {
    const up = (await scrape()).value('asynq_up');
    assert.notEqual(up, undefined, 'not known is NaN, and no absence');
    return up === 0;
  });
  const { value } = await scrape();
  assert.ok((value('asynq_errors_total', 'timeout') ?? 0) >= 1);
  assert.ok(Number.isNaN(value('asynq_queue_size', 'default')));
  server.thaw();
  await until('it is read again', async () => (await scrape()).value('asynq_up') === 1);
});

test('after 45 s frozen: leases and heartbeats have run out, then everything is retried', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  const worker = fakeServer(['default']);
  const ids: string[] = [];
  for (let i = 0; i < 4; i += 1) {
    await app.enqueue('default');
    ids.push(await app.dequeue('default'));
  }
  const state = async () => {
    const { value } = await scrape();
    return {
      active: value('asynq_queue_tasks', 'default', 'active'),
      expired: value('asynq_queue_lease_expired_tasks', 'default'),
      live: value('asynq_servers', 'active'),
      dead: value('asynq_servers_expired'),
      retry: value('asynq_queue_tasks', 'default', 'retry'),
      failed: value('asynq_tasks_failed_total', 'default'),
    };
  };
  await app.heartbeat(worker);
  const before = { active: 4, expired: 0, live: 1, dead: 0, retry: 0, failed: 0 };
  assert.deepEqual(await state(), before);
  for (const id of ids) await expireLease(redis, 'default', id, 35);
  await killServer(redis, worker, 45);
  assert.deepEqual(await state(), { ...before, expired: 4, live: 0, dead: 1 });
  assert.match(JSON.stringify(collector.report?.().findings), /4 tasks taken by a worker that/);
  await app.heartbeat(worker);
  assert.deepEqual(await state(), { ...before, expired: 4 });
  await app.recover('default');
  assert.deepEqual(await state(), { ...before, active: 0, expired: 0, retry: 4, failed: 4 });
});

test('after 14 s frozen: tasks that no worker runs are active minus busy at once', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await app.enqueue('default');
  await app.enqueue('default');
  const taken = await app.dequeue('default');
  const work = [
    { taskId: taken, queue: 'default', taskType: 'job', startSeconds: Date.now() / 1000 },
  ];
  await app.heartbeat(fakeServer(['default']), work);
  // A dequeue whose reply never reached the worker, and one whose ack never reached Redis.
  await app.dequeue('default');
  await app.dequeue('default');
  const { value } = await scrape();
  const active = value('asynq_queue_tasks', 'default', 'active') ?? 0;
  const busy = value('asynq_queue_busy_workers', 'default') ?? 0;
  assert.equal(active - busy, 2);
  assert.equal(value('asynq_queue_lease_expired_tasks', 'default'), 0);
});

test('rollback: killed and restarted from an older RDB', async (t) => {
  const first = await startRedis(t);
  const health = fakeHealth();
  const collector = startCollector(t, { url: first.url, health });
  const redis = writer(t, first.port);
  const app = asynqSimulator(redis);
  const work = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      await app.enqueue('default');
      await app.done('default', await app.dequeue('default'));
    }
  };
  await work(79);
  await app.heartbeat(fakeServer(['default', 'late']));
  await redis.save();
  await work(33);
  await app.enqueue('late');
  const before = await scrape(collector);
  assert.equal(before.value('asynq_tasks_processed_total', 'default'), 112);
  assert.equal(before.value('asynq_queue_listed', 'late'), 1);
  await first.stop();
  health.become('refused');
  const down = await scrape(collector);
  assert.equal(down.value('asynq_up'), 0);
  assert.equal(down.value('asynq_tasks_processed_total', 'default'), 112);
  await startRedis(t, { port: first.port, directory: first.directory });
  health.become('up');
  await until('it is read again', async () => (await scrape(collector)).value('asynq_up') === 1);
  const after = await scrape(collector);
  assert.equal(after.value('asynq_tasks_processed_total', 'default'), 112, 'never back');
  assert.equal(after.value('asynq_counter_rollbacks_total', 'default'), 1);
  assert.equal(after.value('asynq_rolled_back_tasks_total', 'default'), 33);
  assert.equal(after.value('asynq_queue_size', 'late'), undefined, 'its task is gone');
  await until('the writer is connected again', async () => (await redis.ping()) === 'PONG');
  // The client has entered the name once and does not do it again.
  await app.enqueue('late');
  await work(1);
  const later = await scrape(collector);
  assert.equal(later.value('asynq_queue_size', 'late'), 1);
  assert.equal(later.value('asynq_queue_listed', 'late'), 0);
  assert.equal(later.value('asynq_tasks_processed_total', 'default'), 113);
  const findings = JSON.stringify(collector.report?.().findings);
  assert.match(findings, /default: Redis went back in time .* at least 33 finished tasks/);
});

test('a clock of Redis that differs from ours moves the skew and no age', async (t) => {
  const { redis, scrape } = await asynqRig(t, {
    clock: {
      ...(await import('../measure/clock.ts')).systemClock,
      wall: () => Date.now() / 1000 + 60,
    },
  });
  await asynqSimulator(redis).enqueue('default');
  await sleep(100);
  const { value } = await scrape();
  const skew = value('asynq_clock_skew_seconds') ?? Number.NaN;
  assert.ok(skew < -59 && skew > -61, String(skew));
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 60) < 30);
  assert.equal(await redis.llen(queueKey('default', 'pending')), 1);
});
