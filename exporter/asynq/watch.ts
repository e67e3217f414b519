/**
 * When to collect, and what is known between collections.
 *
 * Up to `inlineQueues` queues are read when a scrape asks: a value is as old as the scrape. More
 * take seconds, so they are read in the background, at an interval that grows with what a
 * collection costs, and the age is exported. Where there is no Asynq, one is looked for in the
 * background as well, every 15 s. Either way a slow tick refreshes what the page
 * shows when nobody scrapes, one collection is under way at most, and a Redis whose probe says
 * that it does not answer is not asked.
 */
import type { Clock } from '../clock.ts';
import type { RedisProbe } from '../redis/probe.ts';
import type { Collection, Snapshot } from './collection.ts';
import { isWithoutAsynq } from './presence.ts';
import { type QueueView, viewsOf } from './queue-metrics.ts';

export const inlineQueues = 500;
/** Less than the second a scrape allows a collector, so that we speak and not the deadline. */
const inlineWaitSeconds = 0.8;
export const tickSeconds = 5;
/** A background collection may take this share of the time, the rest is rest. */
const restFactor = 10;
const largeIntervalSeconds = 15;
const emptyIntervalSeconds = 15;
const longestIntervalSeconds = 600;
/** When a scrape of a small fleet cannot have numbers of its own moment, these will do. */
const recentSeconds = 20;

export interface Known {
  readonly snapshot: Snapshot;
  readonly views: readonly QueueView[];
}

export interface Watch {
  /** Numbers fit to publish: now for a small fleet, at most a few intervals old for a large one. */
  fresh(signal: AbortSignal): Promise<Known | undefined>;
  /** The same from memory, without asking. */
  remembered(): Known | undefined;
  /** The last ever known, whatever happened since: totals stay. */
  last(): Known | undefined;
  /** Why there is nothing fresh; undefined before the first collection has ended. */
  failure(): Error | undefined;
  /** Since the background clock last ticked. */
  tickAgeSeconds(): number;
  close(): void;
}

export type Health = Pick<RedisProbe, 'state' | 'answers' | 'judged'>;

export interface WatchOptions {
  readonly collection: Collection;
  readonly clock: Clock;
  readonly health: Health;
  /** Least time between two collections that no scrape asked for. */
  readonly intervalSeconds: number;
  /** After each tick, with what is known then. */
  readonly onTick: (known: Known | undefined) => void;
}

export function createWatch(options: WatchOptions): Watch {
  const { collection, clock, health, intervalSeconds, onTick } = options;
  const closing = new AbortController();
  let current: Known | undefined;
  let last: Known | undefined;
  let failure: Error | undefined;
  let running: Promise<void> | undefined;
  let ticked = clock.monotonic();

  const isLarge = (): boolean => (last?.snapshot.queues.length ?? 0) > inlineQueues;

  const isEmpty = (): boolean => current !== undefined && isWithoutAsynq(current.snapshot);

  function interval(): number {
    if (isEmpty()) return Math.max(emptyIntervalSeconds, intervalSeconds);
    if (!isLarge()) return Math.max(tickSeconds, intervalSeconds);
    const rest = restFactor * (last?.snapshot.durationSeconds ?? 0);
    return Math.max(largeIntervalSeconds, intervalSeconds, Math.min(rest, longestIntervalSeconds));
  }

  async function collect(): Promise<void> {
    try {
      const snapshot = await collection.collect(closing.signal);
      current = { snapshot, views: viewsOf(snapshot) };
      last = current;
      failure = undefined;
    } catch (error) {
      // A depth from before the failure would be a lie; only totals outlive it.
      current = undefined;
      failure = error instanceof Error ? error : new Error(String(error));
    } finally {
      running = undefined;
    }
  }

  function refresh(): Promise<void> {
    running ??= collect();
    return running;
  }

  function forgetUnanswered(): boolean {
    if (health.answers()) return false;
    current = undefined;
    failure = new Error(`Redis is ${health.state()}`);
    return true;
  }

  function tick(): void {
    ticked = clock.monotonic();
    const age = current === undefined ? Infinity : ticked - current.snapshot.takenAt;
    // A tick in which a scrape has just read finds fresh numbers and lets Redis be.
    if (!forgetUnanswered() && age >= interval() * 0.9) void refresh();
    onTick(remembered());
  }

  function remembered(mostSeconds = 3 * interval() + tickSeconds): Known | undefined {
    if (current === undefined || !health.answers()) return undefined;
    return clock.monotonic() - current.snapshot.takenAt <= mostSeconds ? current : undefined;
  }

  const stop = clock.every(tickSeconds, tick);
  return {
    async fresh(signal) {
      await health.judged(signal);
      if (forgetUnanswered()) return undefined;
      if (isLarge() || isEmpty()) return remembered();
      // A collection that is late leaves the one before it, and its age says so.
      await waitFor(refresh());
      return remembered(recentSeconds);
    },
    remembered: () => remembered(),
    last: () => last,
    failure: () => failure,
    tickAgeSeconds: () => clock.monotonic() - ticked,
    close() {
      stop();
      closing.abort(new Error('the exporter ends'));
    },
  };
}

/** Until it has ended or a scrape cannot wait any longer. */
async function waitFor(collected: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, inlineWaitSeconds * 1000);
  });
  await Promise.race([collected, late]);
  clearTimeout(timer);
}
