/** A real Redis, a client to write with, and the Asynq collector on it, for one test. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { type AsynqDependencies, asynqCollector } from '../../exporter/collectors/asynq.ts';
import { type Clock, systemClock } from '../../exporter/measure/clock.ts';
import type { Collector, Family } from '../../exporter/core/collector.ts';
import { parseRedisAddress } from '../../exporter/redis/address.ts';
import type { RedisClient } from '../../exporter/redis/client.ts';
import type { Health } from '../../exporter/asynq/watch.ts';
import { isIncomplete } from '../../exporter/core/collector.ts';
import { plainPage } from '../../exporter/core/prepared.ts';
import type { RedisState } from '../../exporter/redis/state.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from './redis-server.ts';

/** A probe's verdict that the test decides. */
export interface FakeHealth extends Health {
  become(state: RedisState): void;
}

export function fakeHealth(): FakeHealth {
  let state: RedisState = 'up';
  return {
    become: (next) => {
      state = next;
    },
    state: () => state,
    answers: () => state === 'up' || state === 'slow',
    judged: () => Promise.resolve(),
  };
}

export interface CollectorOptions {
  readonly url: string;
  readonly clock?: Clock;
  readonly health?: Health;
  /** Instead of one that is opened at the URL. */
  readonly client?: RedisClient;
  readonly config?: Partial<AsynqDependencies['config']>;
}

export function startCollector(t: TestContext, options: CollectorOptions): Collector {
  const collector = asynqCollector({
    config: {
      redis: parseRedisAddress(options.url),
      asynqQueues: [],
      asynqInterval: 5,
      asynqMemory: false,
      ...options.config,
    },
    clock: options.clock ?? systemClock,
    redis: options.health ?? fakeHealth(),
    ...(options.client === undefined ? {} : { client: options.client }),
  });
  t.after(() => collector.close?.());
  return collector;
}

export interface Rig {
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly collector: Collector;
  readonly health: FakeHealth;
  /** Collect, and look values up by name and label values: `value('asynq_queue_size', 'default')`. */
  readonly scrape: () => Promise<Scrape>;
}

export interface Scrape {
  readonly families: readonly Family[];
  /** Why the collector failed. */
  readonly error?: string;
  /** Undefined when the series is not there. */
  readonly value: (name: string, ...labels: readonly string[]) => number | undefined;
}

/** What was prepared as text, as samples again. */
async function withSamples(family: Family): Promise<Family> {
  if (family.prepared === undefined) return family;
  const lines = await text(Readable.from(plainPage([family.prepared])));
  const samples = [...lines.matchAll(/^\w+\{(.*)\} (\S+)$/gm)].map(([, labels = '', value]) => ({
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, name = '', quoted = '']) => [
        name,
        String(JSON.parse(quoted)),
      ]),
    ),
    value: Number(value),
  }));
  return { metric: family.metric, samples };
}

async function scrapeOf(published: readonly Family[]): Promise<Scrape> {
  const families = await Promise.all(published.map(withSamples));
  const samples = (name: string) =>
    families.find(({ metric }) => metric.name === name)?.samples ?? [];
  return {
    families,
    value: (name, ...labels) => {
      const found = samples(name).find(
        (sample) => JSON.stringify(Object.values(sample.labels)) === JSON.stringify(labels),
      );
      return typeof found?.value === 'number' ? found.value : undefined;
    },
  };
}

/** What would be published, whether the collector succeeds or fails. */
export async function scrape(collector: Collector): Promise<Scrape> {
  try {
    return await scrapeOf(await collector.collect(AbortSignal.timeout(30_000)));
  } catch (error) {
    if (!(error instanceof Error) || !isIncomplete(error)) throw error;
    return { ...(await scrapeOf(error.families)), error: error.message };
  }
}

export function writer(t: TestContext, port: number): Redis {
  const redis = new Redis({ port, host: '127.0.0.1', protocol: 2, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  t.after(() => redis.disconnect());
  return redis;
}

export async function asynqRig(
  t: TestContext,
  options: RedisServerOptions & Pick<CollectorOptions, 'clock' | 'config'> = {},
): Promise<Rig> {
  const server = await startRedis(t, options);
  const health = fakeHealth();
  const collector = startCollector(t, { url: server.url, health, ...options });
  return {
    server,
    redis: writer(t, server.port),
    collector,
    health,
    scrape: () => scrape(collector),
  };
}
