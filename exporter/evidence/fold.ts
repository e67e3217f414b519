/** Several rows as one. */
import { columnNames, columns } from '../core/second.ts';

export interface Folding {
  /** `seconds`: what the row speaks of. */
  add(values: ArrayLike<number>, offset: number, seconds: number): void;
  /** What there is so far, into `values`; what was known in no row is NaN. */
  write(values: Float32Array, offset: number): void;
  clear(): void;
}

const folds = columnNames.map((name) => columns[name]);
export const width = folds.length;

/** Of a wait the longest, of a time the sum, of all else the mean over the time in which it was known. */
export function createFolding(): Folding {
  const sums = new Float64Array(width);
  const seconds = new Float64Array(width);

  function addOne(i: number, value: number, weight: number): void {
    const known = seconds[i] ?? 0;
    const sum = sums[i] ?? 0;
    if (folds[i] === 'max') sums[i] = known > 0 ? Math.max(sum, value) : value;
    else sums[i] = sum + (folds[i] === 'mean' ? value * weight : value);
    seconds[i] = known + weight;
  }

  function valueOf(i: number): number {
    const known = seconds[i] ?? 0;
    if (known === 0) return NaN;
    return (sums[i] ?? NaN) / (folds[i] === 'mean' ? known : 1);
  }

  return {
    add(values, offset, weight) {
      for (let i = 0; i < width; i += 1) {
        const value = values[offset + i] ?? NaN;
        if (!Number.isNaN(value)) addOne(i, value, weight);
      }
    },
    write(values, offset) {
      for (let i = 0; i < width; i += 1) values[offset + i] = valueOf(i);
    },
    clear() {
      sums.fill(0);
      seconds.fill(0);
    },
  };
}
