/**
 * Asynq's queues, servers and schedulers, straight from Redis: everything asynq's own exporter
 * publishes, under the same names, right where that one is wrong, and what it does not see.
 */
import { type ErrorReason, errorReasons } from '../asynq/ask.ts';
import { createCollection } from '../asynq/collection.ts';
import { findingsOf } from '../asynq/findings.ts';
import {
  collectionFamilies,
  errorFamily,
  fleetFamilies,
  fleetMetrics,
  upFamily,
} from '../asynq/fleet-metrics.ts';
import { asynqCheck, asynqSignal, type Standing } from '../asynq/check.ts';
import { isWithoutAsynq } from '../asynq/presence.ts';
import { queueCounters, queueGauges, queueMetrics } from '../asynq/queue-metrics.ts';
import { createWatch, type Health, type Known } from '../asynq/watch.ts';
import type { Clock } from '../clock.ts';
import {
  type Collector,
  type Family,
  type Finding,
  incomplete,
  type Report,
} from '../collector.ts';
import type { Config } from '../config.ts';
import { createHistory } from '../history.ts';
import type { RedisClient } from '../redis/client.ts';
import { openRedis } from '../redis/open.ts';

export interface AsynqDependencies {
  readonly config: Pick<Config, 'redis' | 'asynqQueues' | 'asynqInterval' | 'asynqMemory'>;
  readonly clock: Clock;
  readonly redis: Health;
  /** One that gives Buffers. The INFO collector's as well: one connection less on a frozen Redis. */
  readonly client?: RedisClient;
}

/** Connecting and one pipeline of 100 queues, which Redis answers in about 10 ms. */
const timeoutMs = 2000;

const alwaysAsk: Health = {
  state: () => 'up',
  answers: () => true,
  judged: () => Promise.resolve(),
};

export function asynqCollector({
  config,
  clock,
  redis,
  client = openRedis(config.redis, { buffers: true, timeoutMs }),
}: AsynqDependencies): Collector {
  const errors = Object.fromEntries(errorReasons.map((reason) => [reason, 0])) as Record<
    ErrorReason,
    number
  >;
  const oldest = createHistory(clock);
  const withMemory = config.asynqMemory;
  const watch = createWatch({
    collection: createCollection({
      client,
      clock,
      configuredQueues: config.asynqQueues,
      withMemory,
      countError: (reason) => {
        errors[reason] += 1;
      },
    }),
    clock,
    // The probe knows one node; the others of a cluster answer for themselves.
    health: config.redis.cluster === undefined ? redis : alwaysAsk,
    intervalSeconds: config.asynqInterval,
    onTick(known) {
      const ages = known?.views.map(({ latencySeconds }) => latencySeconds) ?? [];
      const told = ages.filter((age) => !Number.isNaN(age));
      if (told.length > 0) oldest.record(told.reduce((a, b) => Math.max(a, b)));
    },
  });
  let standing: Standing | undefined;

  /** Not for those who have no Asynq. */
  function errorFamilies(): Family[] {
    const last = watch.last();
    return last !== undefined && isWithoutAsynq(last.snapshot) ? [] : [errorFamily(errors)];
  }

  /** A depth that cannot be read is left out; totals stay at their last value. */
  function failed(): Error {
    const failure = watch.failure();
    const up = failure === undefined ? [] : [upFamily(false)];
    return incomplete(failure?.message ?? 'the first collection is under way', [
      ...up,
      ...errorFamilies(),
      ...queueCounters(watch.last()?.snapshot.queues ?? []),
    ]);
  }

  function families({ snapshot, views }: Known): Family[] {
    if (isWithoutAsynq(snapshot)) return [upFamily(true), ...errorFamilies()];
    return [
      upFamily(true),
      ...errorFamilies(),
      ...collectionFamilies(snapshot, clock.monotonic()),
      ...queueGauges(views, withMemory),
      ...queueCounters(snapshot.queues),
      ...(snapshot.fleet === undefined ? [] : fleetFamilies(snapshot.fleet)),
    ];
  }

  function findings(known: Known | undefined): Finding[] {
    if (known !== undefined) return findingsOf(known.snapshot, known.views);
    const failure = watch.failure();
    // What is wrong with Redis itself, the probe says better.
    if (failure === undefined || !redis.answers()) return [];
    return [{ severity: 'warning', text: `Asynq's queues cannot be read: ${failure.message}.` }];
  }

  function report(): Report {
    const known = watch.remembered();
    const check = asynqCheck(known, watch.failure(), standing, clock.monotonic());
    standing = check.standing;
    return {
      signals: asynqSignal(watch.last()),
      samplers: [{ name: 'asynq', ageSeconds: watch.tickAgeSeconds() }],
      checks: [check.check],
      findings: findings(known),
      charts: [{ title: 'Oldest pending Asynq task', unit: 'seconds', history: oldest }],
    };
  }

  return {
    name: 'asynq',
    source: 'network',
    metrics: [...fleetMetrics, ...queueMetrics],
    async collect(signal) {
      const known = await watch.fresh(signal);
      if (known === undefined) throw failed();
      return families(known);
    },
    report,
    async close() {
      watch.close();
      await client.close();
    },
  };
}
