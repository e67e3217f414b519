/**
 * Asynq's queues, servers and schedulers, straight from Redis: everything asynq's own exporter
 * publishes, under the same names, right where that one is wrong, and what it does not see.
 */
import { errorReasons } from '../asynq/ask.ts';
import { createCollection } from '../asynq/collection.ts';
import {
  ageFamilies,
  asUnread,
  errorFamily,
  fleetFamilies,
  fleetMetrics,
  snapshotFamilies,
  upFamily,
} from '../asynq/fleet-metrics.ts';
import { asynqCheck, asynqSignal, type Standing } from '../asynq/check.ts';
import { know, type Known } from '../asynq/known.ts';
import { isWithoutAsynq } from '../asynq/presence.ts';
import { queueMetrics } from '../asynq/queue-metrics.ts';
import { explained, sentenceOf } from '../asynq/refused.ts';
import { createWatch, type Health } from '../asynq/watch.ts';
import type { Clock } from '../measure/clock.ts';
import {
  type Collector,
  type Family,
  type Finding,
  incomplete,
  type Report,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { createHistory } from '../measure/history.ts';
import type { RedisClient } from '../redis/client.ts';
import { openRedis } from '../redis/open.ts';
import { zeroes } from '../measure/zeroes.ts';

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
  const errors = zeroes(errorReasons);
  const oldest = createHistory(clock);
  const withMemory = config.asynqMemory;
  const isCluster = config.redis.cluster !== undefined;
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
    know: (snapshot, before) => know(snapshot, withMemory, before),
    clock,
    // The probe knows one node; the others of a cluster answer for themselves.
    health: isCluster ? alwaysAsk : redis,
    intervalSeconds: config.asynqInterval,
    onTick(known) {
      if (known?.oldestSeconds !== undefined) oldest.record(known.oldestSeconds);
    },
  });
  let standing: Standing | undefined;

  /** Not for those who have no Asynq, and for good once they were there. */
  let hasErrors = false;
  function errorFamilies(): Family[] {
    const last = watch.last();
    hasErrors ||= last === undefined ? watch.failure() !== undefined : !isWithoutAsynq(last);
    return hasErrors ? [errorFamily(errors)] : [];
  }

  /** An old depth would be a lie: every gauge that was there is NaN, totals stay as they were. */
  function failed(): Error {
    const { message, up } = missing();
    return incomplete(message, [...up, ...errorFamilies(), ...unreadFamilies()]);
  }

  /** Why there are no fresh numbers. Whether Asynq answers is not known while it is being asked. */
  function missing(): { readonly message: string; readonly up: readonly Family[] } {
    const failure = watch.failure();
    if (failure !== undefined) {
      return { message: explained(failure.message, isCluster), up: [upFamily(false)] };
    }
    return watch.last() === undefined
      ? { message: 'the first collection is under way', up: [] }
      : { message: 'the collection under way takes too long', up: [asUnread(upFamily(false))] };
  }

  function unreadFamilies(): Family[] {
    const last = watch.last();
    if (last === undefined || isWithoutAsynq(last)) return [];
    return [
      ...ageFamilies(last.snapshot, clock.monotonic()),
      ...snapshotFamilies(last.snapshot).map(asUnread),
      ...last.families.unread(),
      ...last.families.counters(),
      ...fleetFamilies(last.snapshot.fleet).map(asUnread),
    ];
  }

  function families(known: Known): Family[] {
    const { snapshot, families: ofQueues } = known;
    if (isWithoutAsynq(known)) return [upFamily(true), ...errorFamilies()];
    return [
      upFamily(true),
      ...errorFamilies(),
      ...ageFamilies(snapshot, clock.monotonic()),
      ...snapshotFamilies(snapshot),
      ...ofQueues.gauges(),
      ...ofQueues.counters(),
      ...fleetFamilies(snapshot.fleet),
    ];
  }

  function findings(known: Known | undefined): Finding[] {
    if (known !== undefined) {
      const { refusals } = known.snapshot;
      if (refusals === undefined) return [...known.findings];
      const text = `Asynq: ${sentenceOf(refusals, isCluster)}.`;
      return [...known.findings, { severity: 'warning', text }];
    }
    const failure = watch.failure();
    // What is wrong with Redis itself, the probe says better.
    if (failure === undefined || !redis.answers()) return [];
    const why = explained(failure.message, isCluster);
    return [{ severity: 'warning', text: `Asynq's queues cannot be read: ${why}.` }];
  }

  function report(): Report {
    const known = watch.remembered();
    const now = { monotonic: clock.monotonic(), isCluster };
    const check = asynqCheck(known, watch.failure(), standing, now);
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
      const { refusals } = known.snapshot;
      if (refusals !== undefined)
        throw incomplete(sentenceOf(refusals, isCluster), families(known));
      return families(known);
    },
    report,
    async close() {
      watch.close();
      await client.close();
    },
  };
}
