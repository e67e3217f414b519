/**
 * The memory that the canary's thread and the event loop share. Nothing else passes between
 * them: no message, no lock, so neither ever waits for the other, and what the thread was doing
 * can be read while it sleeps in the kernel for hours.
 *
 * Every cell has one writer. Cells are naturally aligned, so a read is never torn; that a sum may
 * be one touch ahead of its count for an instant is of no consequence.
 */

/** Upper bounds of the latency buckets, in seconds. */
export const touchBuckets = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10] as const;

/** Pages touched between two readings of the thread's counters. */
export const batchSize = 16;

export interface AgeClass {
  /** Value of the `age` label. */
  readonly age: string;
  /** How long a page of this class is left alone between two touches. */
  readonly seconds: number;
}

export const ageClasses: readonly AgeClass[] = [
  { age: '2m', seconds: 120 },
  { age: '15m', seconds: 900 },
  { age: '60m', seconds: 3600 },
];

/** Int32 cells. */
export const flag = {
  /** Whether a batch is under way. */
  touching: 0,
  /** Index of the touch under way within its batch. */
  position: 1,
  /** Set by the event loop: end at the next batch. */
  stop: 2,
} as const;
/** Even, so that the floats after them are aligned. */
const flagCount = 4;

/** What each class counts. Float64: counts stay exact up to 2^53. */
interface ClassCells {
  readonly counts: Float64Array;
  /** Seconds of all touches. */
  readonly sum: Float64Array;
  readonly hostFaults: Float64Array;
}

export interface Cells {
  readonly flags: Int32Array;
  /** Seconds of CLOCK_MONOTONIC at which the thread last came round. */
  readonly heartbeat: Float64Array;
  /** To add to the thread's own clock, in seconds, to get CLOCK_MONOTONIC. */
  readonly clockOffset: Float64Array;
  /** Milliseconds of the thread's own clock before each touch and after the last. */
  readonly times: Float64Array;
  readonly discardedTouches: Float64Array;
  readonly classes: readonly ClassCells[];
}

export function cellsSize(classes: number): number {
  const floats = 3 + (batchSize + 1) + classes * (touchBuckets.length + 1 + 2);
  return flagCount * 4 + floats * 8;
}

export function cellsOf(memory: SharedArrayBuffer, classes: number): Cells {
  let at = flagCount * 4;
  function floats(length: number): Float64Array {
    const cells = new Float64Array(memory, at, length);
    at += length * 8;
    return cells;
  }
  return {
    flags: new Int32Array(memory, 0, flagCount),
    heartbeat: floats(1),
    clockOffset: floats(1),
    discardedTouches: floats(1),
    times: floats(batchSize + 1),
    classes: Array.from({ length: classes }, () => ({
      counts: floats(touchBuckets.length + 1),
      sum: floats(1),
      hostFaults: floats(1),
    })),
  };
}

/** What the thread is started with. */
export interface CanaryOrder {
  readonly memory: SharedArrayBuffer;
  readonly poolBytes: number;
  readonly classes: readonly AgeClass[];
}

export interface CanaryReading {
  /** How long the touch under way has been waiting; 0 when none is. */
  readonly outstandingSeconds: number;
  /** How long ago the thread last came round. */
  readonly ageSeconds: number;
  readonly discardedTouches: number;
  readonly classes: readonly {
    readonly age: string;
    readonly counts: readonly number[];
    readonly sum: number;
    readonly hostFaults: number;
  }[];
}

/**
 * How long the touch under way has been waiting at `now` of CLOCK_MONOTONIC, 0 while none is. Read
 * by the event loop while the thread may sleep in the middle of it.
 */
function outstandingSeconds({ flags, times, clockOffset }: Cells, now: number): number {
  if (flags[flag.touching] !== 1) return 0;
  const startMs = times[flags[flag.position] ?? 0] ?? 0;
  return Math.max(0, now - (startMs / 1000 + (clockOffset[0] ?? 0)));
}

/** What the event loop publishes, from the cells as they are at `now` of CLOCK_MONOTONIC. */
export function readingOf(cells: Cells, classes: readonly AgeClass[], now: number): CanaryReading {
  return {
    outstandingSeconds: outstandingSeconds(cells, now),
    ageSeconds: now - (cells.heartbeat[0] ?? now),
    discardedTouches: cells.discardedTouches[0] ?? 0,
    classes: cells.classes.map(({ counts, sum, hostFaults }, i) => ({
      age: classes[i]?.age ?? '',
      counts: [...counts],
      sum: sum[0] ?? 0,
      hostFaults: hostFaults[0] ?? 0,
    })),
  };
}

/** How long each touch of the last batch took. */
export function touchSeconds({ times }: Cells): number[] {
  return Array.from(
    { length: batchSize },
    (_, i) => ((times[i + 1] ?? 0) - (times[i] ?? 0)) / 1000,
  );
}

/** Adds a batch to its class. Called by the thread alone. */
export function countTouches(target: ClassCells, seconds: readonly number[], faults: number): void {
  const { counts, sum, hostFaults } = target;
  for (const one of seconds) {
    const bucket = touchBuckets.findIndex((bound) => one <= bound);
    const at = bucket === -1 ? touchBuckets.length : bucket;
    counts[at] = (counts[at] ?? 0) + 1;
    sum[0] = (sum[0] ?? 0) + one;
  }
  hostFaults[0] = (hostFaults[0] ?? 0) + faults;
}
