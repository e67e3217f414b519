import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { manualClock } from '../clock.ts';
import type { Check } from '../collector.ts';
import { httpSink } from '../testing/http-sink.ts';
import { until } from '../testing/redis-server.ts';
import { heartbeatCollector } from './heartbeat.ts';

const redis: Check = {
  name: 'redis',
  critical: true,
  ok: true,
  state: 'up',
  reason: 'answers',
  sinceSeconds: 1,
  ageSeconds: 0,
};

async function beating(t: TestContext, answer: () => number) {
  const watcher = await httpSink(t, (_, response) => response.writeHead(answer()).end());
  const clock = manualClock();
  let checks: readonly Check[] = [redis];
  const collector = heartbeatCollector({
    config: { heartbeatUrl: new URL(`${watcher.url}/ping/s3cret`) },
    clock,
    checks: () => checks,
  });
  t.after(() => collector.close?.());
  async function counts() {
    const [family] = await collector.collect(AbortSignal.timeout(1000));
    return Object.fromEntries(
      family?.samples.map(({ labels, value }) => [labels['result'], value]) ?? [],
    );
  }
  return { watcher, clock, collector, counts, set: (now: readonly Check[]) => (checks = now) };
}

test('heartbeat: a GET every 10 s while all is well', async (t) => {
  const { watcher, clock, counts } = await beating(t, () => 200);
  assert.deepEqual(await counts(), { sent: 0, failed: 0, withheld: 0 });
  clock.advance(10);
  await until('first beat', async () => (await counts())['sent'] === 1);
  clock.advance(10);
  await until('second beat', async () => (await counts())['sent'] === 2);
  assert.deepEqual(watcher.requests, ['GET /ping/s3cret', 'GET /ping/s3cret']);
});

test('heartbeat: withheld while something critical or the queues fail, not for less', async (t) => {
  const { watcher, clock, counts, set } = await beating(t, () => 200);
  set([{ ...redis, ok: false, state: 'frozen' }]);
  clock.advance(10);
  set([redis, { ...redis, name: 'asynq', critical: false, ok: false }]);
  clock.advance(10);
  assert.deepEqual(await counts(), { sent: 0, failed: 0, withheld: 2 });
  assert.deepEqual(watcher.requests, []);
  set([redis, { ...redis, name: 'disk', critical: false, ok: false }]);
  clock.advance(10);
  await until('beats again', async () => (await counts())['sent'] === 1);
});

test('heartbeat: a watcher that refuses is told, and the URL is not', async (t) => {
  const { clock, collector, counts } = await beating(t, () => 404);
  clock.advance(10);
  await until('failed', async () => (await counts())['failed'] === 1);
  const { findings = [] } = collector.report?.() ?? {};
  assert.match(JSON.stringify(findings), /did not take the last heartbeat: HTTP 404/);
  assert.doesNotMatch(JSON.stringify(findings), /s3cret/);
});

test('heartbeat: not asked for, nothing is published', async () => {
  const collector = heartbeatCollector({
    config: { heartbeatUrl: undefined },
    clock: manualClock(),
    checks: () => [],
  });
  assert.deepEqual(await collector.collect(AbortSignal.timeout(1000)), []);
  assert.deepEqual(collector.report?.(), {});
});
