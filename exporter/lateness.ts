/**
 * How late a timer of 50 ms fires. The timer is Node's own for event loop delay: it counts in C++,
 * so that a tick costs half of one that enters JavaScript.
 */
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from './clock.ts';

const periodSeconds = 0.05;
/** The longest is forgotten once it is worth a word; until then it is a bound for all others. */
const notableSeconds = 0.02;

/** All times in seconds. */
export interface Lateness {
  /** How many times the timer fired. */
  readonly fired: number;
  /** How late it was, all times together. */
  readonly total: number;
  /** How late it was once, at most: exact from 20 ms on. */
  readonly longest: number;
}

export interface LateTimer {
  /** What came since it was asked before. */
  take(): Lateness;
  close(): void;
}

export function createLateTimer(
  clock: Clock,
  histogram: ELDHistogram = monitorEventLoopDelay({ resolution: periodSeconds * 1000 }),
): LateTimer {
  let before = { at: clock.monotonic(), count: 0, sum: 0 };
  histogram.enable();

  /** Loses the interval under way, so it is done rarely and not each time. */
  function forget(): void {
    histogram.reset();
    before = { ...before, count: 0, sum: 0 };
  }

  return {
    take() {
      const { at } = before;
      const { count, exceeds, max } = histogram;
      const sum = count === 0 ? 0 : (histogram.mean / 1e9) * count;
      const fired = count - before.count;
      let total = Math.max(0, sum - before.sum - fired * periodSeconds);
      let longest = count === 0 ? 0 : Math.max(0, max / 1e9 - periodSeconds);
      before = { at: clock.monotonic(), count, sum };
      if (exceeds > 0) {
        // Over an hour: more than the histogram holds.
        total = before.at - at;
        longest = total;
      }
      if (longest > notableSeconds) forget();
      return { fired: fired + exceeds, total, longest };
    },
    close: () => histogram.disable(),
  };
}
