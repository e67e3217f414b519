/**
 * Keeps a sick source from hurting a scrape.
 *
 * A collector behind `isolate` answers by its deadline, whatever its source does. At most one
 * call to a source is outstanding, ever: callers that come while one runs share it, and callers
 * that come while one is stuck past its deadline get the same failure at once. The breaker
 * closes by itself when the stuck call at last settles.
 */
import type { Clock } from '../measure/clock.ts';
import { type Collector, type Family, isIncomplete, unanswered } from './collector.ts';
import { asError } from '../measure/errors.ts';

export interface Outcome {
  readonly success: boolean;
  readonly families: readonly Family[];
  readonly durationSeconds: number;
  /** Set when `success` is false. */
  readonly error?: Error;
}

export interface IsolatedCollector {
  readonly collector: Collector;
  /** Collect; resolves by the deadline and never rejects. */
  run(deadline: Deadline): Promise<Outcome>;
  /** What to say for a caller who leaves before the call under way has ended. */
  unfinished(waitedSeconds: number): Outcome;
  /** Unix time of the last success, 0 before the first. */
  lastSuccess(): number;
}

/** One for all the collectors of a scrape: a timer and a signal each would cost more than most of them. */
export interface Deadline {
  readonly seconds: number;
  /** Aborts when the time is up. */
  readonly signal: AbortSignal;
  /** Resolves one turn of the event loop later: see `startDeadline`. */
  readonly passed: Promise<void>;
  /** The answer is there; no need to keep the time any longer. */
  clear(): void;
}

export function startDeadline(seconds: number): Deadline {
  const abort = new AbortController();
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    abort.abort(new Error(`no answer within ${seconds} s`));
    // One turn of the event loop for a collector that heeds the signal: it can still say what it
    // knows, where we can only say that it did not answer.
    setImmediate(resolve);
  }, seconds * 1000);
  return { seconds, signal: abort.signal, passed, clear: () => clearTimeout(timer) };
}

/** Of more samples than 500 queues have nothing is kept: larger fleets are kept as text. */
const mostKeptSamples = 20_000;

export function isolate(collector: Collector, clock: Clock): IsolatedCollector {
  /** Also after the deadline, when it holds the failure that the stuck call came to, for all who ask. */
  let running: Promise<Outcome> | undefined;
  let lastSuccess = 0;
  let lastFamilies: readonly Family[] = [];

  function keep(families: readonly Family[]): readonly Family[] {
    const samples = families.reduce((sum, family) => sum + family.samples.length, 0);
    lastFamilies = samples > mostKeptSamples ? [] : families;
    return families;
  }

  function unfinished(waitedSeconds: number, withinSeconds = waitedSeconds): Outcome {
    return {
      success: false,
      families: lastFamilies.map(unanswered),
      durationSeconds: waitedSeconds,
      error: new Error(`${collector.name}: no answer within ${withinSeconds} s`),
    };
  }

  function failure(error: Error, started: number): Outcome {
    return {
      success: false,
      families: isIncomplete(error) ? keep(error.families) : [],
      durationSeconds: clock.monotonic() - started,
      error,
    };
  }

  async function call(signal: AbortSignal, started: number): Promise<Outcome> {
    try {
      const families = keep(await collector.collect(signal));
      lastSuccess = clock.wall();
      return { success: true, families, durationSeconds: clock.monotonic() - started };
    } catch (error) {
      return failure(asError(error), started);
    }
  }

  async function start(deadline: Deadline): Promise<Outcome> {
    const started = clock.monotonic();
    const settled = call(deadline.signal, started).then((outcome) => {
      running = undefined;
      return outcome;
    });
    const expired = deadline.passed.then(() =>
      unfinished(clock.monotonic() - started, deadline.seconds),
    );
    return Promise.race([settled, expired]);
  }

  return {
    collector,
    run(deadline) {
      running ??= start(deadline);
      return running;
    },
    unfinished: (waitedSeconds) => unfinished(waitedSeconds),
    lastSuccess: () => lastSuccess,
  };
}
