/** Sentinels that are frozen, locked or of another mind; topologies.test.ts has a real failover. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../measure/clock.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';
import { array, bulk, type ScriptedRedis, startScripted } from '../../tools/rig/scripted-redis.ts';
import { withSettings } from './address-settings.ts';
import { parseRedisAddress, type RedisAddress } from './address.ts';
import { openRedis } from './open.ts';
import { createRedisProbe } from './probe.ts';
import { mastersOf } from './sentinel.ts';

const patient = () => AbortSignal.timeout(10_000);

interface SentinelOptions {
  readonly master: () => number;
  readonly silent?: () => boolean;
  readonly password?: string;
}

function startSentinel(
  t: TestContext,
  { master, silent, password }: SentinelOptions,
): Promise<ScriptedRedis> {
  let known = password === undefined;
  return startScripted(t, ([name, ...args]) => {
    if (silent?.() === true) return undefined;
    if (name === 'AUTH') {
      known = args.at(-1) === password;
      return known ? '+OK\r\n' : '-WRONGPASS invalid username-password pair\r\n';
    }
    if (!known) return '-NOAUTH Authentication required.\r\n';
    if (args.at(-1) !== 'my master') return '*-1\r\n';
    return array(bulk('127.0.0.1'), bulk(String(master())));
  });
}

function addressOf(...sentinels: readonly ScriptedRedis[]): RedisAddress {
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return parseRedisAddress(`redis+sentinel://${hosts}/my%20master`);
}

function watch(t: TestContext, address: RedisAddress) {
  const probe = createRedisProbe(address, systemClock);
  t.after(probe.hold());
  const client = openRedis(address, { timeoutMs: 900 });
  t.after(() => client.close());
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  return { probe, ask: () => client.send([['PING']], patient()) };
}

test('sentinel: one that is frozen costs no question time, and keeps its one connection', async (t) => {
  const redis = await startRedis(t);
  let frozen = false;
  const sick = await startSentinel(t, { master: () => redis.port, silent: () => frozen });
  const well = await startSentinel(t, { master: () => redis.port });
  for (const address of [addressOf(sick), addressOf(sick, well)]) {
    frozen = false;
    const before = sick.accepted();
    const { probe, ask } = watch(t, address);
    await until('up', () => probe.state() === 'up');
    assert.deepEqual(await ask(), ['PONG']);
    frozen = true;
    const end = performance.now() + 12_000;
    while (performance.now() < end) {
      const watch = stopwatch([redis.pid]);
      assert.deepEqual(await ask(), ['PONG']);
      watch.within(200, 'an answer');
      await sleep(200);
    }
    assert.equal(probe.state(), 'up');
    assert.equal(sick.accepted() - before, 1);
  }
});

test('sentinel: frozen from the start, the next one is asked; alone, that is said', async (t) => {
  const redis = await startRedis(t);
  const sick = await startSentinel(t, { master: () => redis.port, silent: () => true });
  const well = await startSentinel(t, { master: () => redis.port });
  const { probe } = watch(t, addressOf(sick, well));
  await until('up', () => probe.state() === 'up');
  const alone = watch(t, addressOf(sick));
  await until('a verdict', () => alone.probe.verdict() !== undefined);
  await until('unreachable', () => alone.probe.state() === 'unreachable');
  assert.match(
    alone.probe.verdict()?.reason ?? '',
    /^No master of redis\+sentinel:\/\/\S+ master is known: /,
  );
  await assert.rejects(alone.ask(), /no answer within/);
});

test('sentinel: probe and client go to another master together', async (t) => {
  const [first, second] = [await startRedis(t), await startRedis(t)];
  let port = first.port;
  const sentinel = await startSentinel(t, { master: () => port });
  const address = addressOf(sentinel);
  const { probe } = watch(t, address);
  const client = openRedis(address, { timeoutMs: 900 });
  t.after(() => client.close());
  const where = async () => String((await client.send([['CONFIG', 'GET', 'port']], patient()))[0]);
  await until('up', () => probe.state() === 'up');
  assert.match(await where(), new RegExp(String(first.port)));
  port = second.port;
  first.freeze();
  await until('the client follows', async () =>
    (await where().catch(() => '')).includes(String(second.port)),
  );
  await until('the probe follows', () => probe.state() === 'up', 3);
  // One connection for both.
  assert.equal(sentinel.accepted(), 1);
});

test('sentinel: a password of its own, missing, wrong and right; a name it does not know', async (t) => {
  const redis = await startRedis(t);
  const settings = { tls: {}, addressMap: new Map() };
  const reason = async (address: RedisAddress, state: string) => {
    const { probe } = watch(t, address);
    await until(state, () => probe.verdict()?.state === state);
    return probe.verdict()?.reason ?? '';
  };
  const locked = () => startSentinel(t, { master: () => redis.port, password: 's3cret' });
  assert.match(
    await reason(addressOf(await locked()), 'auth_failed'),
    /NOAUTH Authentication required.*STEALWATCH_REDIS_SENTINEL_PASSWORD/,
  );
  const wrong = { ...settings, sentinelLogin: { password: 'wr0ng' } };
  assert.match(
    await reason(withSettings(addressOf(await locked()), wrong), 'auth_failed'),
    /WRONGPASS/,
  );
  const right = { ...settings, sentinelLogin: { username: 'watcher', password: 's3cret' } };
  const sentinel = await locked();
  assert.match(await reason(withSettings(addressOf(sentinel), right), 'up'), /answers\.$/);
  assert.equal(sentinel.commands[0], 'AUTH watcher s3cret');
  const open = await startSentinel(t, { master: () => redis.port });
  const unknown = parseRedisAddress(`redis-sentinel://127.0.0.1:${open.port}?master=other`);
  assert.match(await reason(unknown, 'unreachable'), /knows no master "other"/);
});

test('sentinel: what is known is the place that was named last, also with all Sentinels gone', async (t) => {
  let port = 7001;
  let silent = false;
  const sentinel = await startSentinel(t, { master: () => port, silent: () => silent });
  const masters = mastersOf(addressOf(sentinel));
  assert.equal(masters.place(), undefined);
  t.after(masters.hold());
  const alive = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(alive));
  assert.deepEqual(await masters.known(), { host: '127.0.0.1', port: 7001 });
  assert.deepEqual(masters.place(), { host: '127.0.0.1', port: 7001 });
  const moved = new Promise<void>((resolve) => masters.onMove(resolve));
  port = 7002;
  await moved;
  assert.deepEqual(await masters.known(), { host: '127.0.0.1', port: 7002 });
  silent = true;
  const asked = sentinel.commands.length;
  await until('it has been asked in vain', () => sentinel.commands.length > asked);
  await sleep(600);
  assert.deepEqual(await masters.known(), { host: '127.0.0.1', port: 7002 });

  const none = await startSentinel(t, { master: () => 7003 });
  const unknown = mastersOf(parseRedisAddress(`redis-sentinel://127.0.0.1:${none.port}?master=x`));
  t.after(unknown.hold());
  await assert.rejects(unknown.known(), /knows no master "x"/);
});
