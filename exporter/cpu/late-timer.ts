/**
 * How late a timer of 50 ms fires. The timer is Node's own for event loop delay: it counts in C++,
 * so that a tick costs half of one that enters JavaScript.
 */
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../measure/clock.ts';

const periodSeconds = 0.05;

export interface LateTimer {
  /** By how many seconds it was late since it was asked before, all times together. */
  take(): number;
  close(): void;
}

export function createLateTimer(
  clock: Clock,
  histogram: ELDHistogram = monitorEventLoopDelay({ resolution: periodSeconds * 1000 }),
): LateTimer {
  let before = { at: clock.monotonic(), count: 0, exceeds: 0, sum: 0 };
  histogram.enable();

  return {
    // Never reset: that would lose the period under way, and with it what began there.
    take() {
      const { count, exceeds, mean } = histogram;
      const sum = count === 0 ? 0 : (mean / 1e9) * count;
      const now = { at: clock.monotonic(), count, exceeds, sum };
      const fired = now.count - before.count;
      // Over an hour is more than the histogram holds.
      const elapsed = now.exceeds > before.exceeds ? now.at - before.at : now.sum - before.sum;
      before = now;
      return Math.max(0, elapsed - fired * periodSeconds);
    },
    close: () => histogram.disable(),
  };
}
