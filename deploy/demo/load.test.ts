import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asynqRig, writer } from '../../tools/rig/asynq-rig.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { startLoad } from './load.ts';

test('demo: tasks are done, and what the exporter says of it is a server at work', async (t) => {
  const { server, scrape } = await asynqRig(t);
  const ended = new AbortController();
  t.after(() => ended.abort());
  startLoad(() => writer(t, server.port), ended.signal);
  const value = async (name: string) => (await scrape()).value(name, 'default');
  await until('ten are done', async () => ((await value('asynq_tasks_processed_total')) ?? 0) > 9);
  assert.equal(await value('asynq_queue_consumers'), 1);
  assert.equal(await value('asynq_queue_consumer_concurrency'), 4);
  assert.equal(await value('asynq_queue_listed'), 1);
});
