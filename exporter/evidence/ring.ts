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
      for (let i = 0; i < slots; i += 1) {
        const slot = (next + i) % slots;
        const at = times[slot] ?? -Infinity;
        if (at > time) row(at, values, slot * width);
      }
    },
  };
}
