/**
 * Reading a large Asynq: 10,000 queues with 100 pending tasks each and every other state in use,
 * 1.2 million keys. Our collection, and asynq's own exporter on the same Redis in the same run
 * where Go can build it. CPU of Redis is what the machine's tasks do not get.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createCollection } from '../../exporter/asynq/collection.ts';
import { know } from '../../exporter/asynq/known.ts';
import { systemClock } from '../../exporter/measure/clock.ts';
import { gzipPage } from '../../exporter/core/prepared.ts';
import { parseRedisAddress } from '../../exporter/redis/address.ts';
import { createRedisClient } from '../../exporter/redis/client.ts';
import { buildAsynq, startAsynq } from '../rig/asynq-program.ts';
import { fakeServer, asynqSimulator } from '../rig/asynq-simulator.ts';
import { cpuSecondsOf } from '../rig/exporter-process.ts';
import { freePort, type Scope, startRedis, until } from '../rig/redis-server.ts';
import { startPinger } from './pinger.ts';
import { inScope, ms, table, timedGet } from './figures.ts';
import { median, quantile } from '../rig/quantile.ts';

const queues = 10_000;
const pendingEach = 100;
const rounds = 5;
const bigTimeoutMs = 120_000;

/** One queue, all at once inside Redis: a million tasks over the wire would take minutes. */
const fill = `
local q, now, pending = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local p = 'asynq:{' .. q .. '}:'
local function task(id, state)
  redis.call('HSET', p .. 't:' .. id, 'msg', string.rep('x', 120), 'state', state)
end
redis.call('SADD', 'asynq:queues', q)
for i = 1, pending do
  local id = q .. '-0000-0000-0000-' .. i
  task(id, 'pending')
  redis.call('HSET', p .. 't:' .. id, 'pending_since', string.format('%d000000000', now - pending + i))
  redis.call('LPUSH', p .. 'pending', id)
end
for _, state in ipairs({'scheduled', 'retry', 'archived', 'completed', 'active'}) do
  local id = q .. '-1111-1111-1111-' .. state
  task(id, state)
  if state == 'active' then
    redis.call('LPUSH', p .. 'active', id)
    redis.call('ZADD', p .. 'lease', now + 3000, id)
  else
    redis.call('ZADD', p .. state, now + (state == 'archived' and -10 or 3600), id)
  end
end
redis.call('SET', p .. 'processed', 1000)
redis.call('SET', p .. 'failed', 10)
`;

async function populate(redis: Redis): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  for (let start = 0; start < queues; start += 100) {
    const pipeline = redis.pipeline();
    for (let i = start; i < start + 100; i += 1) {
      pipeline.eval(fill, 0, `queue-${i}`, now, pendingEach);
    }
    await pipeline.exec();
  }
  await asynqSimulator(redis).heartbeat(fakeServer(['queue-0', 'queue-1']));
}

interface Cost {
  readonly wall: number;
  readonly redisCpu: number;
  readonly ownCpu: number;
}

/** How long somebody else's PING waits, meanwhile. */
async function withPings<T>(port: number, work: () => Promise<T>): Promise<[T, number[]]> {
  const pinger = await startPinger(port);
  const result = await work();
  return [result, await pinger.stop()];
}

const waitsText = (waits: readonly number[]): string =>
  [0.5, 0.99, 1].map((q) => ms(quantile(waits, q))).join(', ');

/** The mean of the costliest command: on a busy machine a single time measures the scheduler. */
async function slowestCommand(redis: Redis): Promise<string> {
  const stats = await redis.info('commandstats');
  const means = [...stats.matchAll(/^cmdstat_(\S+?):.*usec_per_call=([\d.]+)/gm)]
    .map(([, name = '', microseconds]) => ({ name, seconds: Number(microseconds) / 1e6 }))
    .filter(({ name }) => !/^(?:info|config|dbsize)/.test(name));
  const [slowest] = means.toSorted((a, b) => b.seconds - a.seconds);
  return slowest === undefined ? '' : `${ms(slowest.seconds)} ${slowest.name}`;
}

async function ours(redis: Redis, url: string, redisPid: number): Promise<readonly string[]> {
  const client = createRedisClient(parseRedisAddress(url), { buffers: true, timeoutMs: 5000 });
  const collection = createCollection({
    client,
    clock: systemClock,
    configuredQueues: [],
    withMemory: false,
    countError: (reason) => console.log(`an error: ${reason}`),
  });
  const signal = AbortSignal.timeout(600_000);
  await collection.collect(signal);
  await redis.config('RESETSTAT');
  const costs: Cost[] = [];
  let snapshot = await collection.collect(signal);
  for (let i = 0; i < rounds; i += 1) {
    const before = { redis: cpuSecondsOf(redisPid), own: process.cpuUsage() };
    snapshot = await collection.collect(signal);
    const own = process.cpuUsage(before.own);
    costs.push({
      wall: snapshot.durationSeconds,
      redisCpu: cpuSecondsOf(redisPid) - before.redis,
      ownCpu: (own.user + own.system) / 1e6,
    });
  }
  const slowest = await slowestCommand(redis);
  const [, waits] = await withPings(Number(new URL(url).port), () => collection.collect(signal));
  await client.close();
  const began = process.cpuUsage();
  const { families } = await know(snapshot, false, undefined);
  const page = [...families.gauges(), ...families.counters()].flatMap(
    ({ prepared = [] }) => prepared,
  );
  const rendering = process.cpuUsage(began);
  const length = page.reduce((sum, one) => sum + one.length, 0);
  console.log(
    `made ready: ${(length / 1e6).toFixed(1)} MB, ${(gzipPage(page).length / 1e6).toFixed(1)} MB compressed, ${((rendering.user + rendering.system) / 1e6).toFixed(2)} s of CPU`,
  );
  const middle = (of: (cost: Cost) => number) => median(costs.map(of)).toFixed(2);
  return [
    'stealwatch',
    `${middle(({ wall }) => wall)} s`,
    `${middle(({ redisCpu }) => redisCpu)} s`,
    `${middle(({ ownCpu }) => ownCpu)} s`,
    String(snapshot.roundTrips),
    slowest,
    waitsText(waits),
  ];
}

async function official(
  scope: Scope,
  redis: Redis,
  port: number,
  redisPid: number,
): Promise<readonly string[] | undefined> {
  const built = await buildAsynq();
  if ('missing' in built) {
    console.log(`Skipped, asynq's own exporter: ${built.missing}`);
    return undefined;
  }
  const listen = await freePort();
  const args = ['official', `127.0.0.1:${port}`, `127.0.0.1:${listen}`];
  const { pid } = await startAsynq(scope, built.program, args, undefined);
  const url = `http://127.0.0.1:${listen}`;
  await until('the official exporter listens', async () => {
    try {
      return (await timedGet(`${url}/`)).status === 404;
    } catch {
      return false;
    }
  });
  await redis.config('RESETSTAT');
  const calls = await commandsProcessed(redis);
  const before = { redis: cpuSecondsOf(redisPid), own: cpuSecondsOf(pid) };
  const [answer, waits] = await withPings(port, () => timedGet(`${url}/metrics`));
  const spent = { redis: cpuSecondsOf(redisPid), own: cpuSecondsOf(pid) };
  const trips = (await commandsProcessed(redis)) - calls;
  return [
    "asynq's own",
    `${answer.seconds.toFixed(2)} s`,
    `${(spent.redis - before.redis).toFixed(2)} s`,
    `${(spent.own - before.own).toFixed(2)} s`,
    `about ${Math.round(trips)}`,
    await slowestCommand(redis),
    waitsText(waits),
  ];
}

/** Asynq's Inspector sends one command and waits: its commands are its round trips. */
async function commandsProcessed(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  return ['sismember', 'eval', 'evalsha'].reduce(
    (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
    0,
  );
}

export async function benchAsynq(): Promise<void> {
  await inScope(async (scope) => {
    const server = await startRedis(scope);
    const redis = new Redis({ port: server.port, protocol: 2, commandTimeout: bigTimeoutMs });
    scope.after(() => redis.disconnect());
    await populate(redis);
    console.log(`${queues} queues, ${queues * pendingEach} pending, ${await redis.dbsize()} keys`);
    const [, idle] = await withPings(server.port, () => sleep(3000));
    console.log(`a PING of somebody else, nobody asking: ${waitsText(idle)}`);
    const rows = [
      await ours(redis, server.url, server.pid),
      await official(scope, redis, server.port, server.pid),
    ].filter((row) => row !== undefined);
    console.log(
      table([
        [
          '',
          'wall',
          'Redis CPU',
          'own CPU',
          'round trips',
          'costliest command',
          'others wait p50, p99, most',
        ],
        ...rows,
      ]),
    );
  });
}
