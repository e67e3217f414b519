import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { httpGet } from '../core/http-get.ts';
import { manualClock } from '../measure/clock.ts';
import type { Check } from '../core/collector.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { heartbeatCollector } from './heartbeat.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const redis: Check = {
  name: 'redis',
  critical: true,
  ok: true,
  state: 'up',
  reason: 'answers',
  sinceSeconds: 1,
  ageSeconds: 0,
};

const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 30));

async function beating(
  t: TestContext,
  answer: () => number,
  body = 'OK',
  headers: Record<string, string> = {},
) {
  const watcher = await httpSink(t, (_, response) =>
    response.writeHead(answer(), headers).end(body),
  );
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

test('heartbeat: a GET every 15 s while all is well', async (t) => {
  const { watcher, clock, counts } = await beating(t, () => 200);
  assert.deepEqual(await counts(), { sent: 0, failed: 0, limited: 0, withheld: 0 });
  clock.advance(5);
  await until('first beat', async () => (await counts())['sent'] === 1);
  clock.advance(14.9);
  await turnOfTheLoop();
  assert.equal(watcher.requests.length, 1);
  clock.advance(0.1);
  await until('second beat', async () => (await counts())['sent'] === 2);
  assert.deepEqual(watcher.requests, ['GET /ping/s3cret', 'GET /ping/s3cret']);
});

test('heartbeat: withheld while something critical or the queues fail, not for less', async (t) => {
  const { watcher, clock, counts, set } = await beating(t, () => 200);
  set([{ ...redis, ok: false, state: 'frozen' }]);
  clock.advance(15);
  set([redis, { ...redis, name: 'asynq', critical: false, ok: false }]);
  clock.advance(15);
  assert.deepEqual(await counts(), { sent: 0, failed: 0, limited: 0, withheld: 2 });
  assert.deepEqual(watcher.requests, []);
  set([redis, { ...redis, name: 'disk', critical: false, ok: false }]);
  clock.advance(15);
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

test('heartbeat: a 200 that says no is a failure, and what it says is not repeated', async (t) => {
  for (const [body, words] of [
    ['OK (not found)', /knows no such check .*deleted or is mistyped/],
    ['{"ok":false,"msg":"s3cret is not active"}', /it says no \(HTTP 200, \\"ok\\": false\)/],
  ] as const) {
    const { clock, collector, counts } = await beating(t, () => 200, body);
    clock.advance(15);
    await until('failed', async () => (await counts())['failed'] === 1);
    assert.equal((await counts())['sent'], 0);
    const text = JSON.stringify(collector.report?.().findings);
    assert.match(text, words);
    assert.doesNotMatch(text, /s3cret/);
  }
});

test('heartbeat: other bodies are none of our business', async (t) => {
  for (const body of ['', 'OK', '{"ok":true}', 'x'.repeat(100_000)]) {
    const { clock, counts } = await beating(t, () => 200, body);
    clock.advance(15);
    await until('sent', async () => (await counts())['sent'] === 1);
  }
});

test('heartbeat: a watcher that wants fewer gets fewer, and that is no failure', async (t) => {
  for (const [code, body, retryAfter, pause] of [
    [429, '', '', 60],
    [200, 'OK (rate limited)', '', 60],
    [429, '', '30', 30],
    [429, '', '86400', 120],
    [429, '', '0', 15],
    [429, '', 'Wed, 21 Oct 2026 07:28:00 GMT', 60],
  ] as const) {
    const headers = retryAfter === '' ? {} : { 'retry-after': retryAfter };
    const { watcher, clock, collector, counts } = await beating(t, () => code, body, headers);
    clock.advance(5);
    await until('limited', async () => (await counts())['limited'] === 1);
    assert.equal((await counts())['failed'], 0);
    assert.deepEqual(collector.report?.().findings, []);
    clock.advance(pause - 0.1);
    await turnOfTheLoop();
    assert.equal(watcher.requests.length, 1, `${pause} s`);
    clock.advance(5);
    await until('then the next', () => watcher.requests.length === 2);
  }
});

test('heartbeat: a body or interim answers without end are bounded', async (t) => {
  for (const endless of ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n']) {
    let closed = false;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => (closed = true));
      socket.write(endless);
      const more = setInterval(() => socket.write(endless.repeat(100)), 1);
      socket.on('close', () => clearInterval(more));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const watch = stopwatch();
    const answer = httpGet(new URL(`http://127.0.0.1:${port}/s3cret`), 5000, 512);
    if (endless.includes('100'))
      await assert.rejects(answer, /^Error: interim answers without end$/);
    else assert.equal((await answer).body.length, 512);
    await until('the connection is closed', () => closed);
    watch.within(4000);
  }
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

test('heartbeat: its line of /status, from the first beat on', async (t) => {
  let code = 200;
  const { clock, collector, counts, set } = await beating(t, () => code);
  const line = () => {
    const { name, critical, ok, state, reason, sinceSeconds } =
      collector.report?.().checks?.[0] ?? {};
    return [name, critical, ok, state, reason, sinceSeconds];
  };
  assert.deepEqual(line(), ['heartbeat', false, true, 'none', 'no heartbeat yet', 0]);
  clock.advance(5);
  await until('sent', async () => (await counts())['sent'] === 1);
  const took = 'the watcher took the last heartbeat';
  assert.deepEqual(line(), ['heartbeat', false, true, 'sent', took, 0]);
  clock.advance(15);
  await until('sent again', async () => (await counts())['sent'] === 2);
  assert.deepEqual(line(), ['heartbeat', false, true, 'sent', took, 15], 'since the first one');
  code = 500;
  clock.advance(15);
  await until('failed', async () => (await counts())['failed'] === 1);
  const refused = 'the watcher did not take the last heartbeat: HTTP 500';
  assert.deepEqual(line(), ['heartbeat', false, false, 'failed', refused, 0]);
  code = 429;
  clock.advance(15);
  await until('limited', async () => (await counts())['limited'] === 1);
  const fewer = 'the watcher wants fewer heartbeats';
  assert.deepEqual(line(), ['heartbeat', false, true, 'limited', fewer, 0]);
  set([{ ...redis, ok: false }]);
  clock.advance(60);
  const withheld = 'something critical fails here, or the queues do';
  assert.deepEqual(line(), ['heartbeat', false, false, 'withheld', withheld, 0]);
  assert.deepEqual(collector.report?.().findings, [], 'what fails here says so itself');
  const [family] = await collector.collect(AbortSignal.timeout(1000));
  assert.ok(family !== undefined && collector.metrics.includes(family.metric));
});

test('heartbeat: only how an answer begins says no, and a newline after it changes nothing', async (t) => {
  for (const [body, result] of [
    ['OK (not found)\n', 'failed'],
    ['Not OK (not found)', 'sent'],
    ['OK (rate limited)\n', 'limited'],
    ['Not OK (rate limited)', 'sent'],
  ] as const) {
    const { clock, counts } = await beating(t, () => 200, body);
    clock.advance(5);
    await until(body, async () => Object.values(await counts()).includes(1));
    assert.equal((await counts())[result], 1, body);
  }
});

test('heartbeat: after it is closed it beats no more', async (t) => {
  const { watcher, clock, collector } = await beating(t, () => 200);
  await collector.close?.();
  clock.advance(60);
  await turnOfTheLoop();
  assert.deepEqual(watcher.requests, []);
});
