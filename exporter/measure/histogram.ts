/** Counts observations into the buckets of a declared histogram. */

/** Cumulative counts are made when rendering: `counts[i]` is what fell into bucket i alone. */
export interface HistogramValue {
  /** One more than the metric's buckets: the last is everything above the highest bound. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface HistogramCounter {
  observe(value: number): void;
  /** A copy: later observations do not change it. */
  value(): HistogramValue;
}

export function createHistogram({
  buckets,
}: {
  readonly buckets: readonly number[];
}): HistogramCounter {
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
