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
  /** Collect; resolves by `deadlineSeconds` and never rejects. */
  run(deadlineSeconds: number): Promise<Outcome>;
  /** Unix time of the last success, 0 before the first. */
  lastSuccess(): number;
}

export function isolate(collector: Collector, clock: Clock): IsolatedCollector {
  let running: Promise<Outcome> | undefined;
  let stuck: Outcome | undefined;
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

  async function start(deadlineSeconds: number): Promise<Outcome> {
    const started = clock.monotonic();
    const abort = new AbortController();
    const { promise: expired, resolve: expire } = Promise.withResolvers<Outcome>();
    let ended = false;
    const timer = setTimeout(() => {
      const error = new Error(`${collector.name}: no answer within ${deadlineSeconds} s`);
      abort.abort(error);
      // One turn of the event loop for a collector that heeds the signal: it can still say what
      // it knows, where we can only say that it did not answer.
      setImmediate(() => {
        if (ended) return;
        stuck = failure(error, started);
        expire(stuck);
      });
    }, deadlineSeconds * 1000);
    const settled = call(abort.signal, started).then((outcome) => {
      clearTimeout(timer);
      ended = true;
      running = undefined;
      stuck = undefined;
      return outcome;
    });
    return Promise.race([settled, expired]);
  }

  return {
    collector,
    run(deadlineSeconds) {
      if (stuck !== undefined) return Promise.resolve(stuck);
      running ??= start(deadlineSeconds);
      return running;
    },
    lastSuccess: () => lastSuccess,
  };
}
