/** Counts observations into the buckets of a declared histogram. */
import type { HistogramValue, Metric } from '../core/collector.ts';

export interface HistogramCounter {
  observe(value: number): void;
  /** A copy: later observations do not change it. */
  value(): HistogramValue;
}

export function createHistogram({ buckets }: Metric): HistogramCounter {
  const counts = Array.from({ length: buckets.length + 1 }, () => 0);
  let sum = 0;
  return {
    observe(value) {
      const bucket = buckets.findIndex((bound) => value <= bound);
      const i = bucket === -1 ? buckets.length : bucket;
      counts[i] = (counts[i] ?? 0) + 1;
      sum += value;
    },
    value: () => ({ counts: [...counts], sum }),
  };
}
