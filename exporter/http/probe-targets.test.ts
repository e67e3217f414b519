import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import type { Family } from '../core/collector.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { createRedisClient } from '../redis/client.ts';
import { createTargets } from './probe-targets.ts';
import { httpSink } from '../../tools/rig/http-sink.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';

function valueOf(families: readonly Family[] | undefined, name: string, label?: string) {
  const samples = families?.find(({ metric }) => metric.name === name)?.samples;
  return samples?.find(({ labels }) => label === undefined || Object.values(labels).includes(label))
    ?.value;
}

test('targets: a Redis is up, then frozen, then up again, by one connection', async (t) => {
  const redis = await startRedis(t);
  const targets = createTargets(
    [{ name: 'cache', address: parseRedisAddress(redis.url) }],
    systemClock,
  );
  t.after(() => targets.close());
  const families = await targets.probe('cache', 2);
  assert.equal(valueOf(families, 'probe_success'), 1);
  assert.equal(valueOf(families, 'redis_state', 'up'), 1);
  redis.freeze();
  await until('the target is frozen', async () => {
    const now = await targets.probe('cache', 2);
    return valueOf(now, 'redis_state', 'frozen') === 1 && valueOf(now, 'probe_success') === 0;
  });
  redis.thaw();
  await until(
    'the target is up',
    async () => valueOf(await targets.probe('cache', 2), 'probe_success') === 1,
  );
});

test('targets: how long a Redis took is how long its PING did, or has been waited for', async (t) => {
  const redis = await startRedis(t);
  const address = parseRedisAddress(redis.url);
  const targets = createTargets([{ name: 'cache', address }], systemClock);
  t.after(() => targets.close());
  const took = async () =>
    Number(valueOf(await targets.probe('cache', 2), 'probe_duration_seconds'));
  await until('a PING that was quick', async () => (await took()) < 0.25);
  // Shorter than the second a PING is given.
  const sleeper = createRedisClient(address, { timeoutMs: 5000 });
  t.after(() => sleeper.close());
  const busy =
    "local t=redis.call('time'); repeat local n=redis.call('time') until (n[1]-t[1])*1e6+n[2]-t[2] > 800000";
  await until('a PING that took long', async () => {
    await sleeper.send([['EVAL', busy, 0]], AbortSignal.timeout(5000));
    const seconds = await took();
    return seconds > 0.1 && seconds < 2;
  });
  redis.freeze();
  await until('it is waited for', async () => (await took()) > 2);
  redis.thaw();
});

test('targets: the database of a target that is not given fails it', async (t) => {
  const redis = await startRedis(t);
  const address = parseRedisAddress(`${redis.url}/99`);
  const targets = createTargets([{ name: 'cache', address }], systemClock);
  t.after(() => targets.close());
  const families = await targets.probe('cache', 2);
  assert.equal(valueOf(families, 'probe_success'), 0);
  assert.equal(valueOf(families, 'redis_state', 'error'), 1);
});

test('targets: an HTTP endpoint by its status; a silent one fails by the deadline', async (t) => {
  let code = 200;
  const web = await httpSink(t, (_, response) => {
    if (code !== 0) response.writeHead(code).end();
  });
  const targets = createTargets([{ name: 'shop', address: new URL(web.url) }], systemClock);
  const well = await targets.probe('shop', 2);
  assert.equal(valueOf(well, 'probe_success'), 1);
  assert.equal(valueOf(well, 'probe_http_status_code'), 200);
  code = 503;
  const ill = await targets.probe('shop', 2);
  assert.equal(valueOf(ill, 'probe_success'), 0);
  assert.equal(valueOf(ill, 'probe_http_status_code'), 503);
  code = 0;
  const silent = await targets.probe('shop', 0.2);
  assert.equal(valueOf(silent, 'probe_success'), 0);
});

test("targets: one caller's haste fails nobody else, and a silence is over when it is over", async (t) => {
  let delayMs = 300;
  const web = await httpSink(t, (_, response) => {
    setTimeout(() => response.writeHead(200).end(), delayMs).unref();
  });
  const targets = createTargets([{ name: 'shop', address: new URL(web.url) }], systemClock);
  const hasty = await targets.probe('shop', 0.1);
  assert.equal(valueOf(hasty, 'probe_success'), 0);
  assert.equal(valueOf(await targets.probe('shop', 2), 'probe_success'), 1);
  assert.equal(valueOf(await targets.probe('shop', 0.1), 'probe_http_status_code'), Number.NaN);

  delayMs = 60_000;
  await targets.probe('shop', 2);
  assert.equal(valueOf(await targets.probe('shop', 2), 'probe_success'), 0);
  delayMs = 0;
  await until(
    'it answers again',
    async () => valueOf(await targets.probe('shop', 2), 'probe_success') === 1,
    3,
  );
});

test('targets: a name that is not configured is nothing, whatever it looks like', () => {
  const targets = createTargets([], systemClock);
  for (const name of ['', 'http://169.254.169.254/', '__proto__', 'redis://127.0.0.1:6379']) {
    assert.equal(targets.probe(name, 1), undefined);
  }
});
