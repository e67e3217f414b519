/**
 * More in Redis than anybody reads, through the whole exporter as it ships: it costs itself only.
 * Times are those of a quiet machine, as `tools/rig/judge.ts` has them.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { schedulerEntry } from '../../tools/rig/asynq-encode.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { memoryOf, startExporter } from '../../tools/rig/exporter-process.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const seconds = () => Math.floor(Date.now() / 1000);

const manyQueues = `for i = 1, 100000 do
  local queue = 'queue-number-' .. i .. '-of-many'
  redis.call('SADD', 'asynq:queues', queue)
  redis.call('LPUSH', 'asynq:{' .. queue .. '}:pending', 'id')
end`;
const manyWorkers = `for i = 1, 1000000 do redis.call('HSET', KEYS[1], 'id' .. i, 'v') end`;

/** A server that runs a million tasks, schedulers with entries of a megabyte, 100,000 queues. */
async function fill(redis: Redis): Promise<void> {
  const app = asynqSimulator(redis);
  const server = fakeServer(['busy']);
  const place = `{${server.host}:${server.pid}:${server.id}}`;
  await redis.eval(manyQueues, 0);
  await redis.eval(manyWorkers, 1, 'filled');
  await app.enqueue('busy');
  await app.heartbeat(server);
  await redis.rename('filled', `asynq:workers:${place}`);
  await redis.persist(`asynq:servers:${place}`);
  await redis.zadd('asynq:servers', seconds() + 600, `asynq:servers:${place}`);
  const key = 'asynq:schedulers:{vm:1:a}';
  await redis.zadd('asynq:schedulers', seconds() + 600, key);
  for (let i = 0; i < 40; i += 1) {
    const spec = `${i}${'x'.repeat(1e6)}`;
    await redis.rpush(
      key,
      schedulerEntry({ id: String(i), spec, taskType: 'tick', options: [], nextSeconds: 9 }),
    );
  }
}

/** Asks for a path again and again until the test ends; the longest it took. */
function keepAsking(t: TestContext, url: string, pid: number, gapMs: number) {
  const seen = { worst: 0, text: '', failures: 0 };
  const ending = new AbortController();
  async function ask(): Promise<void> {
    const watch = stopwatch([pid]);
    const answer = await fetch(url);
    const text = await answer.text();
    seen.worst = Math.max(seen.worst, watch.ms() / 1000 / watch.slowdown());
    if (answer.status === 200) seen.text = text;
    else seen.failures += 1;
  }
  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
  }
  const asked = loop();
  t.after(() => ending.abort());
  return {
    seen,
    async stop() {
      ending.abort();
      await asked;
    },
  };
}

test('100,000 queues, a million workers, specs of a megabyte: told, and nobody else waits', async (t) => {
  const server = await startRedis(t);
  const redis = new Redis(server.port);
  t.after(() => redis.disconnect());
  await fill(redis);
  const exporter = await startExporter(t, [`--redis-url=${server.url}`, '--asynq-queues=busy']);
  const livez = keepAsking(t, `${exporter.url}/livez`, exporter.pid, 50);
  const scrapes = keepAsking(t, `${exporter.url}/metrics`, exporter.pid, 1000);
  const has = (line: string) => scrapes.seen.text.includes(`\n${line}\n`);
  await until('the queues are there', () => has('asynq_up 1'), 60);
  for (const reason of ['queues', 'workers', 'scheduler_entries']) {
    assert.ok(has(`asynq_truncated{collector="${reason}"} 1`), reason);
  }
  const sizes = scrapes.seen.text.match(
    /^asynq_queue_size\{queue="queue-number-\d+-of-many"\} 1$/gm,
  );
  assert.ok((sizes?.length ?? 0) > 9000, `${sizes?.length} queues`);
  for (const line of [
    'asynq_truncated{collector="servers"} 0',
    'asynq_queue_busy_workers{queue="busy"} NaN',
    'redis_up 1',
    'stealwatch_collector_success{collector="redis-info"} 1',
  ]) {
    assert.ok(has(line), line);
  }
  await Promise.all([livez.stop(), scrapes.stop()]);
  const peak = memoryOf(exporter.pid, 'VmHWM') / 1e6;
  t.diagnostic(
    `/livez worst ${livez.seen.worst.toFixed(2)} s, scrape ${scrapes.seen.worst.toFixed(2)} s, ${peak.toFixed(0)} MB`,
  );
  assert.deepEqual([livez.seen.failures, scrapes.seen.failures], [0, 0]);
  assert.ok(livez.seen.worst < 0.6, `/livez took ${livez.seen.worst} s`);
  assert.ok(scrapes.seen.worst < 2.6, `a scrape took ${scrapes.seen.worst} s`);
  assert.ok(peak < 170, `resident ${peak} MB`);
});
