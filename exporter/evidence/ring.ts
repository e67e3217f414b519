/** The last quarter of an hour, a row a second, in flat memory. */
import type { Second } from '../core/second.ts';
import { columnNames } from '../core/second.ts';
import { width } from './fold.ts';

const slots = 900;

export interface Ring {
  push(time: number, second: Second): void;
  /** Rows after `time`, oldest first: `values` from `offset` on. Do not keep what it hands out. */
  since(time: number, row: (time: number, values: Float32Array, offset: number) => void): void;
}

export function createRing(): Ring {
  const times = new Float64Array(slots).fill(-Infinity);
  const values = new Float32Array(slots * width);
  let next = 0;

  return {
    push(time, second) {
      times[next] = time;
      for (let i = 0; i < width; i += 1) {
        values[next * width + i] = second[columnNames[i] ?? 'cpu_own'] ?? NaN;
      }
      next = (next + 1) % slots;
    },
    since(time, row) {
      // From the newest back: who asks each second asks for a few of the last, and need not pass all.
      let rows = 0;
      while (rows < slots && (times[(next - rows - 1 + slots) % slots] ?? -Infinity) > time)
        rows += 1;
      for (; rows > 0; rows -= 1) {
        const slot = (next - rows + slots) % slots;
        row(times[slot] ?? -Infinity, values, slot * width);
      }
    },
  };
}
