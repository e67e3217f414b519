/**
 * The traps of Asynq's layout, each one set up in a real Redis, and each one seen to change the
 * metric that is there for it. Most were found with asynq v0.26.0 on Redis 7.0.15.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  dropLease,
  evictTask,
  expireLease,
  fillArchive,
  killServer,
  loseQueueName,
  rollBackTotals,
  trimArchive,
  writeDeadline,
  writeLegacyQueue,
} from '../../tools/rig/asynq-faults.ts';
import { asynqRig } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { queueKey } from './keys.ts';

test('the state machine: every transition moves the counts as asynq does', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  for (let i = 0; i < 6; i += 1) await app.enqueue('default');
  await app.schedule('default', 3600);
  const states = async () => {
    const { value } = await scrape();
    return Object.fromEntries(
      ['active', 'pending', 'scheduled', 'retry', 'archived', 'completed'].map((state) => [
        state,
        value('asynq_queue_tasks', 'default', state),
      ]),
    );
  };
  const none = { active: 0, scheduled: 1, retry: 0, archived: 0, completed: 0 };
  assert.deepEqual(await states(), { ...none, pending: 6 });
  const [one, two, three, four] = [
    await app.dequeue('default'),
    await app.dequeue('default'),
    await app.dequeue('default'),
    await app.dequeue('default'),
  ];
  assert.deepEqual(await states(), { ...none, pending: 2, active: 4 });
  await app.done('default', one);
  await app.done('default', two, 3600);
  await app.retry('default', three, 3600);
  await app.archive('default', four);
  assert.deepEqual(await states(), {
    active: 0,
    pending: 2,
    scheduled: 1,
    retry: 1,
    archived: 1,
    completed: 1,
  });
  const { value } = await scrape();
  assert.equal(value('asynq_tasks_processed_total', 'default'), 4);
  assert.equal(value('asynq_tasks_failed_total', 'default'), 2);
  assert.equal(value('asynq_queue_size', 'default'), 6);
  await app.pause('default');
  assert.equal((await scrape()).value('asynq_queue_paused_total', 'default'), 1);
});

test('trap: a queue in use that is in no list is found, kept and told', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await scrape();
  await loseQueueName(redis, 'default');
  await app.enqueue('default');
  let { value } = await scrape();
  assert.equal(value('asynq_queue_size', 'default'), 2, 'remembered');
  assert.equal(value('asynq_queue_listed', 'default'), 0);
  assert.match(JSON.stringify(collector.report?.().findings), /Redis has lost its name/);
  // One we have never seen listed: a live server says that it serves it.
  await app.enqueue('other');
  await loseQueueName(redis, 'other');
  await app.heartbeat(fakeServer(['other', 'never-used']));
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_size', 'other'), 1, 'known from a server');
  assert.equal(value('asynq_queue_size', 'never-used'), undefined, 'named by a server only');
});

test('trap: a configured queue is read though no list and no server names it', async (t) => {
  const { redis, scrape } = await asynqRig(t, { config: { asynqQueues: ['lost'] } });
  const app = asynqSimulator(redis);
  await app.enqueue('lost');
  await loseQueueName(redis, 'lost');
  const { value } = await scrape();
  assert.equal(value('asynq_queue_size', 'lost'), 1);
  assert.equal(value('asynq_queue_listed', 'lost'), 0);
});

test('a deleted queue goes away with its tasks', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('old');
  const id = await app.dequeue('old');
  await app.done('old', id);
  assert.equal((await scrape()).value('asynq_queue_listed', 'old'), 1);
  // DeleteQueue leaves the totals behind.
  await loseQueueName(redis, 'old');
  assert.equal((await scrape()).value('asynq_queue_listed', 'old'), undefined);
});

test('trap: a backlog never reads 0 seconds, whatever the head lacks', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const early = asynqSimulator(redis, { now: () => Date.now() / 1000 - 100 });
  const app = asynqSimulator(redis);
  const taken = await early.enqueue('default');
  await early.enqueue('default');
  assert.equal(await app.dequeue('default'), taken);
  await app.requeue('default', taken);
  // The head was requeued at shutdown and has no time; the one behind it waits for 100 s.
  let { value } = await scrape();
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 0) >= 99);
  assert.equal(value('asynq_queue_latency_lower_bound', 'default'), 1);
  await app.done('default', await app.dequeue('default'));
  ({ value } = await scrape());
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 0) >= 99);
  assert.equal(value('asynq_queue_latency_lower_bound', 'default'), 0);
  // Alone and without a time: as long as we have seen it.
  const alone = await app.dequeue('default');
  await app.requeue('default', alone);
  const first = (await scrape()).value('asynq_queue_latency_seconds', 'default') ?? 0;
  assert.ok(first > 0, 'never 0 with a backlog');
  await sleep(300);
  ({ value } = await scrape());
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 0) >= first + 0.25);
});

test('trap: a client whose clock is ahead does not make a backlog read 0', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  await asynqSimulator(redis, { now: () => Date.now() / 1000 + 60 }).enqueue('default');
  const { value } = await scrape();
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 0) > 0);
  assert.equal(value('asynq_queue_latency_lower_bound', 'default'), 1);
});

test('trap: the archive is full and flat, the total of archived tasks is not', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await fillArchive(redis, 'default', 9999);
  const archived = async () => {
    const { value } = await scrape();
    return [
      value('asynq_queue_tasks', 'default', 'archived'),
      value('asynq_tasks_archived_total', 'default'),
    ];
  };
  assert.deepEqual(await archived(), [9999, 0]);
  await sleep(3100);
  await archived();
  await fillArchive(redis, 'default', 500);
  await trimArchive(redis, 'default');
  await sleep(3100);
  const [size, total] = await archived();
  assert.equal(size, 9999);
  assert.ok((total ?? 0) >= 500, `${total} of 500`);
});

test('trap: a group that left the list of groups, and tasks in a staged set, are counted', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.addToGroup('default', 'a:b');
  await app.addToGroup('default', 'a:b');
  const aggregating = async () => {
    const { value } = await scrape();
    return [
      value('asynq_queue_tasks', 'default', 'aggregating'),
      value('asynq_queue_size', 'default'),
      value('asynq_queue_groups', 'default'),
      value('asynq_queue_aggregation_sets', 'default'),
    ];
  };
  assert.deepEqual(await aggregating(), [2, 2, 1, 0]);
  const set = await app.stage('default', 'a:b');
  assert.deepEqual(await aggregating(), [2, 2, 0, 1]);
  await app.reclaim('default', 'a:b', set);
  assert.deepEqual(await aggregating(), [2, 2, 0, 0], 'in no list, and still counted');
});

test('groups: thousands of them are estimated and say so', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.addToGroup('default', 'g0');
  for (let start = 1; start < 5000; start += 1000) {
    const names = Array.from({ length: 1000 }, (_, i) => `g${start + i}`);
    await redis.sadd(queueKey('default', 'groups'), names);
    const pipeline = redis.pipeline();
    for (const name of names) pipeline.zadd(queueKey('default', `g:${name}`), 1, 'id');
    await pipeline.exec();
  }
  const { value } = await scrape();
  assert.equal(value('asynq_queue_groups', 'default'), 5001);
  assert.equal(value('asynq_queue_tasks', 'default', 'aggregating'), 5001);
  assert.equal(value('asynq_truncated', 'groups'), 1);
});

test('trap: a ghost id, an expired lease, a task without a lease', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  const ghost = await app.enqueue('default');
  await evictTask(redis, 'default', ghost);
  let { value } = await scrape();
  assert.equal(value('asynq_queue_latency_lower_bound', 'default'), 1);
  assert.ok((value('asynq_queue_latency_seconds', 'default') ?? 0) > 0);
  await app.enqueue('default');
  await app.dequeue('default');
  const second = await app.dequeue('default');
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_lease_expired_tasks', 'default'), 0);
  assert.equal(value('asynq_queue_active_without_lease_tasks', 'default'), 0);
  await expireLease(redis, 'default', ghost, 20);
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_lease_expired_tasks', 'default'), 1);
  assert.match(JSON.stringify(collector.report?.().findings), /1 task taken by a worker/);
  await dropLease(redis, 'default', second);
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_active_without_lease_tasks', 'default'), 0, 'may be a race');
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_active_without_lease_tasks', 'default'), 1, 'it lasts');
});

test('servers: consumers, a killed server, a stopped one, queues nobody serves', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  const worker = fakeServer(['default', 'low']);
  await app.enqueue('default');
  await app.enqueue('orphan');
  const id = await app.dequeue('default');
  const work = {
    taskId: id,
    queue: 'default',
    taskType: 'job',
    startSeconds: Date.now() / 1000 - 50,
  };
  await app.heartbeat(worker, [work]);
  let { value } = await scrape();
  assert.equal(value('asynq_servers', 'active'), 1);
  assert.equal(value('asynq_queue_consumers', 'default'), 1);
  assert.equal(value('asynq_queue_consumer_concurrency', 'default'), 4);
  assert.equal(value('asynq_queue_busy_workers', 'default'), 1);
  assert.ok((value('asynq_queue_oldest_active_seconds', 'default') ?? 0) >= 49);
  assert.equal(value('asynq_queue_consumers', 'orphan'), 0);
  assert.match(
    JSON.stringify(collector.report?.().findings),
    /orphan: 1 task waiting, the oldest for [\d.]+ m?s; no running server takes tasks from this queue\./,
  );
  await app.heartbeat({ ...worker, status: 'stopped' }, [work]);
  ({ value } = await scrape());
  assert.equal(value('asynq_servers', 'stopped'), 1);
  assert.equal(value('asynq_queue_consumers', 'default'), 0, 'it takes no new tasks');
  await killServer(redis, worker, 40);
  ({ value } = await scrape());
  assert.equal(value('asynq_servers_expired'), 1);
  assert.equal(value('asynq_servers', 'active'), 0);
  const beat = value('asynq_server_last_heartbeat_timestamp_seconds', 'vm:10511') ?? 0;
  assert.ok(Math.abs(Date.now() / 1000 - 40 - beat) < 5);
  const report = collector.report?.();
  assert.match(JSON.stringify(report?.findings), /no worker has sent a heartbeat for 4\d s\./);
  assert.equal(report?.checks?.[0]?.state, 'unserved');
  assert.equal(await redis.zcard('asynq:servers'), 1, 'we prune nothing');
});

test('schedulers: replicas are one entry, the soonest next and the latest last run', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  const entry = { spec: '@every 5s', taskType: 'tick', options: ['Queue("a\\"b")', 'MaxRetry(1)'] };
  await app.beatScheduler('vm:1:a', [{ ...entry, id: '1', nextSeconds: 200, previousSeconds: 50 }]);
  await app.beatScheduler('vm:2:b', [{ ...entry, id: '2', nextSeconds: 100 }]);
  const { value } = await scrape();
  assert.equal(value('asynq_schedulers'), 2);
  const labels = ['tick', '@every 5s', 'a"b'];
  assert.equal(value('asynq_scheduler_entry_next_timestamp_seconds', ...labels), 100);
  assert.equal(value('asynq_scheduler_entry_prev_timestamp_seconds', ...labels), 50);
});

test('scheduled tasks that nobody forwards are overdue, and the forwarder mends it', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.schedule('default', -90);
  await app.schedule('default', 3600);
  let { value } = await scrape();
  assert.equal(value('asynq_queue_overdue_tasks', 'default', 'scheduled'), 1);
  assert.equal(value('asynq_queue_overdue_tasks', 'default', 'retry'), 0);
  assert.ok((value('asynq_queue_schedule_lag_seconds', 'default', 'scheduled') ?? 0) >= 89);
  assert.match(JSON.stringify(collector.report?.().findings), /tasks are 9\d s late/);
  await app.forward('default');
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_overdue_tasks', 'default', 'scheduled'), 0);
  assert.equal(value('asynq_queue_schedule_lag_seconds', 'default', 'scheduled'), 0);
  assert.equal(value('asynq_queue_tasks', 'default', 'pending'), 1);
});

test('totals: monotonic when Redis goes back, and what it forgot is counted', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await rollBackTotals(redis, 'default', 112, 14);
  const totals = async () => {
    const { value } = await scrape();
    return [
      value('asynq_tasks_processed_total', 'default'),
      value('asynq_tasks_failed_total', 'default'),
      value('asynq_counter_rollbacks_total', 'default'),
      value('asynq_rolled_back_tasks_total', 'default'),
    ];
  };
  assert.deepEqual(await totals(), [112, 14, 0, 0]);
  await rollBackTotals(redis, 'default', 80, 13);
  assert.deepEqual(await totals(), [112, 14, 1, 32]);
  await rollBackTotals(redis, 'default', 82, 15);
  assert.deepEqual(await totals(), [114, 16, 1, 32]);
  assert.match(JSON.stringify(collector.report?.().findings), /Redis went back in time .* 32 fin/);
  await redis.del(queueKey('default', 'processed'), queueKey('default', 'failed'));
  assert.deepEqual(await totals(), [114, 16, 2, 114]);
  await rollBackTotals(redis, 'default', 1, 0);
  assert.deepEqual(await totals(), [115, 16, 2, 114]);
});

test('layouts: v0.20 has deadlines for leases, v0.18 no totals, older ones are refused', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('v20');
  await writeDeadline(redis, 'v20', 600);
  await writeDeadline(redis, 'v20', -600);
  let { value } = await scrape();
  assert.equal(value('asynq_queue_active_without_lease_tasks', 'v20'), 0);
  assert.equal(value('asynq_queue_lease_expired_tasks', 'v20'), 1);
  assert.equal(value('asynq_tasks_processed_total', 'v20'), 0);
  const id = await app.enqueue('v18');
  await app.done('v18', id);
  await redis.del(queueKey('v18', 'processed'), queueKey('v18', 'failed'));
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_tasks', 'v18', 'pending'), 1);
  assert.equal(value('asynq_tasks_processed_total', 'v18'), undefined, 'no total, no 0');
  assert.equal(collector.report?.().signals?.[0]?.supported, true);
  await writeLegacyQueue(redis, 'v17');
  ({ value } = await scrape());
  assert.equal(value('asynq_queue_size', 'v17'), undefined, 'an unread queue is not an empty one');
  const report = collector.report?.();
  assert.equal(report?.signals?.[0]?.supported, false);
  assert.match(report?.signals?.[0]?.reason ?? '', /1 queue \("v17"\) kept by an Asynq older than/);
  assert.equal(report?.checks?.[0]?.state, 'unsupported');
});

test('a Redis without Asynq: up, and nothing that could alarm', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  await redis.set('other', 1);
  const { families } = await scrape();
  assert.deepEqual(
    families.map(({ metric }) => metric.name),
    ['asynq_up'],
  );
  assert.equal(collector.report?.().checks?.[0]?.ok, true);
  assert.deepEqual(collector.report?.().findings, []);
});
