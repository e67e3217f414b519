import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueKey } from '../../exporter/asynq/keys.ts';
import { asynqRig, writer } from '../../tools/rig/asynq-rig.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { startLoad } from './load.ts';

test('demo: tasks are done, and what the exporter says of it is a server at work', async (t) => {
  const { server, redis, scrape } = await asynqRig(t);
  const ended = new AbortController();
  t.after(() => ended.abort());
  startLoad(() => writer(t, server.port), ended.signal);
  const processed = async () => Number(await redis.get(queueKey('default', 'processed')));
  await until('ten are done', async () => (await processed()) >= 10);
  const { value } = await scrape();
  assert.ok((value('asynq_tasks_processed_total', 'default') ?? 0) >= 10);
  assert.equal(value('asynq_queue_consumers', 'default'), 1);
  assert.equal(value('asynq_queue_consumer_concurrency', 'default'), 4);
  assert.equal(value('asynq_queue_listed', 'default'), 1);
});
