/**
 * The freeze, against the shipped bundle and a real redis-server: what this project is for. Only
 * what is not timing is asserted, or wide one-sided bounds; `npm run bench freeze` prints figures.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { timedGet } from '../tools/bench/figures.ts';
import { startExporter } from '../tools/rig/exporter-process.ts';
import { startRedis, until } from '../tools/rig/redis-server.ts';
import { stopwatch } from '../tools/rig/waited.ts';

/**
 * Series without their values: what must not change with the weather. The blocked processes by
 * name are the one family that may, and this machine may have some of its own.
 */
function seriesOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !/^(#|stealwatch_blocked_process_seconds)/.test(line))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}

/** Sockets that a process holds to a TCP port of loopback, from its own table. */
function socketsTo(port: number, pid: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').split('\n');
  // Remote address, and any state but TIME_WAIT, which belongs to no process.
  return lines.filter((line) => new RegExp(`^ *\\d+: \\S+ \\S+:${hex} (?!06)`).test(line)).length;
}

test('freeze: seen in 3 s, at no cost to any scrape, with two sockets, and its end in 3 s', async (t) => {
  const redis = await startRedis(t);
  const exporter = await startExporter(t, ['--redis-url', redis.url]);
  const metrics = () => timedGet(`${exporter.url}/metrics`);
  const status = () => timedGet(`${exporter.url}/status`);
  const inState = async (word: string) =>
    (await metrics()).body.includes(`redis_state{state="${word}"} 1`);
  await until('Redis is up', () => inState('up'));
  assert.equal((await status()).status, 200);
  await until('the machine is known', async () =>
    (await metrics()).body.includes('stealwatch_host_info{'),
  );
  // Which families there are is settled by the second scrape that reached everything.
  await metrics();
  const before = seriesOf((await metrics()).body);

  redis.freeze();
  await Promise.all([
    until('state frozen', () => inState('frozen'), 3),
    until('/status 503', async () => (await status()).status === 503, 3),
  ]);
  assert.deepEqual(seriesOf((await metrics()).body), before, 'series came or went in the freeze');

  const watch = stopwatch();
  const answers = await Promise.all(Array.from({ length: 50 }, metrics));
  watch.within(10_000, '50 scrapes at once took over 10 s');
  assert.ok(answers.every((answer) => answer.status === 200));
  for (let i = 0; i < 100; i++) {
    const { seconds } = await metrics();
    assert.ok(seconds < 5, `a scrape took ${seconds} s`);
    await sleep(20);
  }
  assert.ok(socketsTo(redis.port, exporter.pid) <= 2, 'sockets pile up on a frozen Redis');
  const body = (await metrics()).body;
  const silence = Number(/^redis_unresponsive_seconds (\S+)$/m.exec(body)?.[1]);
  assert.ok(silence > 2, `unresponsive for ${silence} s only`);
  assert.match(
    (await timedGet(`${exporter.url}/`)).body.replaceAll(/\s+/g, ' '),
    /accepts connections and has not answered for/,
  );

  // Nobody sits before it.
  assert.doesNotMatch(exporter.log(), /^found: /m);

  redis.thaw();
  await Promise.all([
    until('state up', () => inState('up'), 3),
    until('/status 200', async () => (await status()).status === 200, 3),
  ]);
  assert.deepEqual(seriesOf((await metrics()).body), before, 'series came or went with the thaw');
});

test('without any Redis the exporter runs, and says refused', async (t) => {
  const exporter = await startExporter(t, ['--redis-url', 'redis://127.0.0.1:1']);
  await until('state refused', async () =>
    (await timedGet(`${exporter.url}/metrics`)).body.includes('redis_state{state="refused"} 1'),
  );
  assert.match((await timedGet(`${exporter.url}/metrics`)).body, /^redis_up 0$/m);
  const status = await timedGet(`${exporter.url}/status`);
  assert.equal(status.status, 503);
  assert.match(status.body, /start with --redis-url none/);
  // Nothing of the documents is beside the bundle.
  assert.match((await timedGet(`${exporter.url}/runbook/RedisDown`)).body, /^# RedisDown\n/);
});

test('no password ever reaches a page, a metric, a label or the log', async (t) => {
  const redis = await startRedis(t, { args: ['--requirepass', 'right-s3cret'] });
  const url = redis.url.replace('redis://', 'redis://:wrong-s3cret@');
  const exporter = await startExporter(t, ['--log-level', 'debug'], { STEALWATCH_REDIS_URL: url });
  await until('auth_failed', async () =>
    (await timedGet(`${exporter.url}/metrics`)).body.includes('redis_state{state="auth_failed"} 1'),
  );
  for (const path of ['/', '/metrics', '/status']) {
    assert.doesNotMatch((await timedGet(exporter.url + path)).body, /s3cret/);
  }
  assert.doesNotMatch(exporter.log(), /s3cret/);
});
