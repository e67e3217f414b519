import { median } from '../rig/quantile.ts';

/**
 * How much more the last quarter of the samples has than the second one, by their medians: the first
 * quarter is start-up, and single peaks are no growth. NaN for fewer samples than eight.
 */
export function growthOf(samples: readonly number[]): number {
  const quarter = Math.floor(samples.length / 4);
  if (quarter < 2) return Number.NaN;
  const middle = (from: number) => median(samples.slice(from, from + quarter));
  return middle(samples.length - quarter) - middle(quarter);
}
