/**
 * Keeps a sick source from hurting a scrape.
 *
 * A collector behind `isolate` answers by its deadline, whatever its source does. At most one
 * call to a source is outstanding, ever: callers that come while one runs share it, and callers
 * that come while one is stuck past its deadline get the same failure at once. The breaker
 * closes by itself when the stuck call at last settles.
 */
import type { Clock } from './clock.ts';
import { type Collector, type Family, isIncomplete } from './collector.ts';

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

export function isolate(collector: Collector, clock: Clock): IsolatedCollector {
  /** Also after the deadline, when it holds the failure that the stuck call came to, for all who ask. */
  let running: Promise<Outcome> | undefined;
  let lastSuccess = 0;

  function failure(error: Error, started: number): Outcome {
    return {
      success: false,
      families: isIncomplete(error) ? error.families : [],
      durationSeconds: clock.monotonic() - started,
      error,
    };
  }

  async function call(signal: AbortSignal, started: number): Promise<Outcome> {
    try {
      const families = await collector.collect(signal);
      lastSuccess = clock.wall();
      return { success: true, families, durationSeconds: clock.monotonic() - started };
    } catch (error) {
      return failure(error instanceof Error ? error : new Error(String(error)), started);
    }
  }

  async function start(deadline: Deadline): Promise<Outcome> {
    const started = clock.monotonic();
    const settled = call(deadline.signal, started).then((outcome) => {
      running = undefined;
      return outcome;
    });
    const expired = deadline.passed.then(() => {
      const error = new Error(`${collector.name}: no answer within ${deadline.seconds} s`);
      return failure(error, started);
    });
    return Promise.race([settled, expired]);
  }

  return {
    collector,
    run(deadline) {
      running ??= start(deadline);
      return running;
    },
    lastSuccess: () => lastSuccess,
  };
}
