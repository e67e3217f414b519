/**
 * The pages that nobody needs. Random, so that neither same-page merging nor the zero page can
 * stand in for them, and visited in a random order, so that no read-ahead hides the host's disk.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export const pageBytes = 4096;
/** Where in a page it is touched: not at its start, which the allocator may own. */
const offsetInPage = 2048;
const fillChunk = 1024 * 1024;

/** Memory of its own, filled from /dev/urandom: 0.1 s for 32 MiB, and no crypto library. */
export function createPool(bytes: number): Uint8Array {
  const pool = new Uint8Array(bytes);
  const random = openSync('/dev/urandom', 'r');
  try {
    for (let at = 0; at < bytes;)
      at += readSync(random, pool, at, Math.min(fillChunk, bytes - at), null);
  } finally {
    closeSync(random);
  }
  return pool;
}

/** Offsets to touch, one per page, in random order (Fisher and Yates). */
export function touchOrder(bytes: number, random: () => number): Uint32Array {
  const order = Uint32Array.from(
    { length: Math.floor(bytes / pageBytes) },
    (_, page) => page * pageBytes + offsetInPage,
  );
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const offset = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = offset;
  }
  return order;
}

/** One class's share of the order, walked round and round, a batch at a time. */
export interface Walk {
  /** The clock's seconds at which the next batch is due. */
  readonly due: number;
  /** Copy the next offsets into `batch` and set when the batch after it is due. */
  next(batch: Uint32Array, now: number): void;
}

/** Pages are first touched once they have been left alone for the whole age of their class. */
export function createWalk(order: Uint32Array, seconds: number, batch: number, now: number): Walk {
  const period = (seconds * batch) / order.length;
  let position = 0;
  let due = now + seconds;
  return {
    get due() {
      return due;
    },
    next(target, at) {
      for (let i = 0; i < batch; i += 1) {
        target[i] = order[position] ?? 0;
        position = (position + 1) % order.length;
      }
      // Ticks missed while the machine stood still are not made up for: pages only get older.
      due = Math.max(due + period, at);
    },
  };
}

/** Equal parts, one for each class, of at least one batch. */
export function shares(order: Uint32Array, classes: number): Uint32Array[] {
  const size = Math.floor(order.length / classes);
  return Array.from({ length: classes }, (_, i) => order.subarray(i * size, (i + 1) * size));
}
