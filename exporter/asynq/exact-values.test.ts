/** Numbers that have to be exact where an estimate, an old answer or a constant would look right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { evictTask } from '../../tools/rig/asynq-faults.ts';
import { asynqRig } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { truncations } from './collection.ts';
import { queueKey } from './keys.ts';

test('latency: a head without a time ages from when it came to the head, not from before', async (t) => {
  const clock = manualClock();
  const { redis, scrape } = await asynqRig(t, { clock });
  const app = asynqSimulator(redis);
  for (let i = 0; i < 3; i += 1) await evictTask(redis, 'default', await app.enqueue('default'));
  const latency = async () =>
    (await scrape()).value('asynq_queue_latency_seconds', 'default') ?? NaN;
  assert.ok((await latency()) < 1);
  clock.stall(100);
  assert.equal(await latency(), 100, 'as long as this one has been there');
  await redis.rpop(queueKey('default', 'pending'));
  assert.ok((await latency()) < 1, 'the next one has only just come to the head');
  clock.stall(5);
  assert.equal(await latency(), 5);
  // A queue that was empty meanwhile begins again, also when the same id comes back.
  const id = String(await redis.rpop(queueKey('default', 'pending')));
  await redis.del(queueKey('default', 'pending'));
  assert.equal(await latency(), 0);
  clock.stall(50);
  await redis.lpush(queueKey('default', 'pending'), id);
  assert.ok((await latency()) < 1);
});

/** Of group number `group`, in the test of group counts. */
const tasksOf = (group: number) => 1 + (group % 7);
const sumTo = (groups: number) =>
  Array.from({ length: groups }, (_, i) => tasksOf(i + 1)).reduce((sum, one) => sum + one, 0);

test('groups: up to a thousand are counted one by one, however unequal', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const counted = async () => {
    const { value } = await scrape();
    return [
      value('asynq_queue_groups', 'default'),
      value('asynq_queue_tasks', 'default', 'aggregating'),
      value('asynq_truncated', 'groups'),
    ];
  };
  await redis.sadd('asynq:queues', 'default');
  async function addGroups(from: number, to: number): Promise<void> {
    const pipeline = redis.pipeline();
    for (let i = from; i <= to; i += 1) {
      const tasks = Array.from({ length: tasksOf(i) }, (_, task) => [1, `${i}-${task}`]).flat();
      pipeline.zadd(queueKey('default', `g:${i}`), ...tasks);
      pipeline.sadd(queueKey('default', 'groups'), String(i));
    }
    await pipeline.exec();
  }
  await addGroups(1, 2);
  assert.deepEqual(await counted(), [2, sumTo(2), 0]);
  await addGroups(3, 300);
  assert.deepEqual(await counted(), [300, sumTo(300), 0]);
  await addGroups(301, 1000);
  assert.deepEqual(await counted(), [1000, sumTo(1000), 0]);
  await addGroups(1001, 1001);
  const [groups, tasks = NaN, truncated] = await counted();
  assert.deepEqual([groups, truncated], [1001, 1], 'estimated, and says so');
  // Five times the standard error of a sample of 200.
  assert.ok(Math.abs(tasks / sumTo(1001) - 1) < 0.2, `${tasks} of ${sumTo(1001)}`);
});

test('truncation: 0 for all there is to read while nothing is left out', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('default');
  await app.addToGroup('default', 'a');
  await app.heartbeat(fakeServer(['default']));
  const { value } = await scrape();
  for (const name of truncations) assert.equal(value('asynq_truncated', name), 0, name);
});

test('layouts: the whole keys that Asynq up to v0.11 lists are told, and no queue is made of them', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  await asynqSimulator(redis).enqueue('default');
  await redis.sadd('asynq:queues', 'asynq:queues:low');
  const { value } = await scrape();
  assert.equal(value('asynq_queue_size', 'asynq:queues:low'), undefined);
  assert.equal(value('asynq_queue_size', 'default'), 1);
  const [signal] = collector.report?.().signals ?? [];
  assert.equal(signal?.supported, false);
  assert.match(signal.reason, /^1 queue \("asynq:queues:low"\) kept by an Asynq older than/);
});
