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
import type { Clock } from '../measure/clock.ts';
import type { RedisProbe } from '../redis/probe.ts';
import type { Collection, Snapshot } from './collection.ts';
import { inlineQueues, type Known } from './known.ts';
import { isWithoutAsynq } from './presence.ts';
import { asError } from '../measure/errors.ts';

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
  /** Makes ready what was read; `before` is what was known until then. */
  readonly know: (snapshot: Snapshot, before: Known | undefined) => Promise<Known>;
  readonly clock: Clock;
  readonly health: Health;
  /** Least time between two collections that no scrape asked for. */
  readonly intervalSeconds: number;
  /** After each tick, with what is known then. */
  readonly onTick: (known: Known | undefined) => void;
}

interface Refreshing {
  readonly done: Promise<void>;
  readonly waitSeconds: number;
}

export function createWatch(options: WatchOptions): Watch {
  const { collection, know, clock, health, intervalSeconds, onTick } = options;
  const closing = new AbortController();
  let current: Known | undefined;
  let last: Known | undefined;
  let failure: Error | undefined;
  let running: { readonly done: Promise<void>; readonly since: number } | undefined;
  /** How long the last collection took, whatever came of it. */
  let tookSeconds = 0;
  let ticked = clock.monotonic();

  const isLarge = (): boolean => (last?.queues ?? 0) > inlineQueues;

  /** A node of a cluster that does not answer makes every collection late: no scrape waits for it. */
  const isSlow = (): boolean => tookSeconds > inlineWaitSeconds;

  const isEmpty = (): boolean => current !== undefined && isWithoutAsynq(current);

  function interval(): number {
    if (isEmpty()) return Math.max(emptyIntervalSeconds, intervalSeconds);
    if (!isLarge()) return Math.max(tickSeconds, intervalSeconds);
    const rest = restFactor * (last?.snapshot.durationSeconds ?? 0);
    return Math.max(largeIntervalSeconds, intervalSeconds, Math.min(rest, longestIntervalSeconds));
  }

  async function collect(since: number): Promise<void> {
    try {
      const snapshot = await collection.collect(closing.signal);
      last = await know(snapshot, last);
      current = last;
      failure = undefined;
    } catch (error) {
      // A depth from before the failure would be a lie; only totals outlive it.
      current = undefined;
      failure = asError(error);
    } finally {
      running = undefined;
      tookSeconds = clock.monotonic() - since;
    }
  }

  /** The one that is under way, or a new one; and for how long a scrape may wait for it. */
  function refresh(): Refreshing {
    const now = clock.monotonic();
    running ??= { done: collect(now), since: now };
    return { done: running.done, waitSeconds: inlineWaitSeconds - (now - running.since) };
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
    if (!forgetUnanswered() && age >= interval() * 0.9) refresh();
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
      if (!isSlow()) await waitFor(refresh());
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
async function waitFor({ done, waitSeconds }: Refreshing): Promise<void> {
  if (waitSeconds <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitSeconds * 1000);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}
