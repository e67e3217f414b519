import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { queueKey } from '../asynq/keys.ts';
import { inlineQueues } from '../asynq/known.ts';
import { tickSeconds } from '../asynq/watch.ts';
import { manualClock } from '../measure/clock.ts';
import { asynqRig, type Rig } from '../../tools/rig/asynq-rig.ts';
import { killServer } from '../../tools/rig/asynq-faults.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { until } from '../../tools/rig/redis-server.ts';

/**
 * INFO asked on a connection that is still shaking hands goes out before ioredis's own INFO, and
 * that one is then counted as ours.
 */
async function commandsProcessed({ redis }: Rig): Promise<number> {
  if (redis.status !== 'ready') await once(redis, 'ready');
  const stats = await redis.info('stats');
  return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
}

test('asynq: nobody scrapes, and the page is right all the same', async (t) => {
  const clock = manualClock();
  const rig = await asynqRig(t, { clock });
  const { redis, collector } = rig;
  await asynqSimulator(redis, { now: () => Date.now() / 1000 - 420 }).enqueue('default');
  assert.deepEqual(collector.report?.().findings, []);
  assert.equal(collector.report?.().checks?.[0]?.state, 'starting');
  clock.advance(tickSeconds);
  await until('the tick has read', () => collector.report?.().findings?.length === 1);
  const [finding] = collector.report?.().findings ?? [];
  assert.equal(finding?.severity, 'bad');
  assert.equal(
    finding?.text,
    'default: 1 task waiting, the oldest for 7 min; no server is running.',
  );
  clock.advance(tickSeconds);
  const [chart] = collector.report?.().charts ?? [];
  assert.equal(chart?.unit, 'seconds');
  assert.ok((chart?.history.points(1)[0] ?? 0) >= 420);
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 0);
});

test('asynq: the sentence for 3 a.m.', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  const app = asynqSimulator(redis, { now: () => Date.now() / 1000 - 420 });
  await app.enqueue('default');
  const ids = Array.from({ length: 1203 }, (_, i) => `id-${i}`);
  await redis.lpush(queueKey('default', 'pending'), ...ids);
  await killServer(redis, fakeServer(['default']), 40);
  await scrape();
  assert.match(
    collector.report?.().findings?.[0]?.text ?? '',
    /^default: 1,204 tasks waiting, the oldest for 7 min; no worker has sent a heartbeat for 4\d s\.$/,
  );
});

test('asynq: a name that turns text around is shown as what it is', async (t) => {
  const { redis, scrape, collector } = await asynqRig(t);
  await asynqSimulator(redis, { now: () => Date.now() / 1000 - 420 }).enqueue('\u202egnp\u0007');
  await scrape();
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /^"\\u\{202e\}gnp\\u0007": 1 task/);
});

test('asynq: a scrape reads the state at that moment, and the tick then lets Redis be', async (t) => {
  const clock = manualClock();
  const rig = await asynqRig(t, { clock });
  const app = asynqSimulator(rig.redis);
  for (let i = 1; i <= 3; i += 1) {
    await app.enqueue('default');
    const { value } = await rig.scrape();
    assert.equal(value('asynq_queue_size', 'default'), i);
    assert.equal(value('asynq_collection_age_seconds'), 0);
  }
  clock.advance(tickSeconds - 1);
  await rig.scrape();
  const before = await commandsProcessed(rig);
  clock.advance(1);
  assert.equal((await commandsProcessed(rig)) - before, 1, 'only the question itself');
});

test('asynq: where there is none, scrapes do not look for one, and a new one is found', async (t) => {
  const clock = manualClock();
  const rig = await asynqRig(t, { clock });
  await rig.scrape();
  const before = await commandsProcessed(rig);
  for (let i = 0; i < 5; i += 1) assert.equal((await rig.scrape()).value('asynq_up'), 1);
  assert.equal((await commandsProcessed(rig)) - before, 1, 'only the question itself');
  await asynqSimulator(rig.redis).enqueue('default');
  clock.advance(3 * tickSeconds);
  await until('it is found', async () => {
    return (await rig.scrape()).value('asynq_queue_size', 'default') === 1;
  });
});

test('asynq: scrapes that come together share one collection', async (t) => {
  const rig = await asynqRig(t);
  await asynqSimulator(rig.redis).enqueue('default');
  await rig.redis.config('RESETSTAT');
  const scrapes = await Promise.all([rig.scrape(), rig.scrape(), rig.scrape()]);
  for (const { value } of scrapes) assert.equal(value('asynq_queue_size', 'default'), 1);
  assert.match(await rig.redis.info('commandstats'), /cmdstat_sscan:calls=1,/);
});

test('asynq: an idle queue costs a few commands, and what comes into it is seen at once', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.enqueue('default');
  await app.done('default', await app.dequeue('default'));
  const cost = async () => {
    const before = await commandsProcessed(rig);
    const { value } = await rig.scrape();
    assert.equal(value('asynq_tasks_processed_total', 'default'), 1);
    return (await commandsProcessed(rig)) - before - 1;
  };
  await cost();
  await cost();
  const idle = await cost();
  assert.ok(idle <= 9, `${idle} commands`);
  await app.enqueue('default');
  assert.equal((await rig.scrape()).value('asynq_queue_tasks', 'default', 'pending'), 1);
  assert.ok((await cost()) > 15);
  await app.dequeue('default');
  assert.equal((await rig.scrape()).value('asynq_queue_tasks', 'default', 'active'), 1);
});

test('asynq: a large fleet is read in the background, and its age is told', async (t) => {
  const clock = manualClock();
  const rig = await asynqRig(t, { clock });
  const names = Array.from({ length: inlineQueues + 1 }, (_, i) => `q${i}`);
  await rig.redis.sadd('asynq:queues', names);
  await until('the first collection', async () => {
    const { value } = await rig.scrape();
    return value('asynq_queue_size', 'q500') === 0;
  });
  await asynqSimulator(rig.redis).enqueue('q500');
  clock.advance(3);
  const { value } = await rig.scrape();
  assert.equal(value('asynq_queue_size', 'q500'), 0, 'as it was');
  assert.equal(value('asynq_collection_age_seconds'), 3);
  clock.advance(15);
  await until('the next background collection', async () => {
    // One that took longer than its deadline, on a machine that is busy, is made again by the next tick.
    clock.advance(1);
    const { value } = await rig.scrape();
    return value('asynq_queue_size', 'q500') === 1;
  });
  const told = await rig.scrape();
  rig.health.become('frozen');
  const frozen = await rig.scrape();
  assert.equal(frozen.value('asynq_up'), 0);
  assert.ok(Number.isNaN(frozen.value('asynq_queue_size', 'q500')));
  assert.equal(frozen.value('asynq_tasks_processed_total', 'q500'), 0);
  const series = ({ families }: typeof told) =>
    families.map(({ metric, samples }) => `${metric.name} ${samples.length}`).toSorted();
  assert.deepEqual(series(frozen), series(told), 'nothing comes or goes');
});

test('asynq: close ends the clock and the connection', async (t) => {
  const clock = manualClock();
  const rig = await asynqRig(t, { clock });
  await rig.scrape();
  await rig.collector.close?.();
  await rig.collector.close?.();
  const before = await commandsProcessed(rig);
  clock.advance(60);
  assert.equal((await commandsProcessed(rig)) - before, 1);
});
