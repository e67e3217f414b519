/**
 * A counter that never goes back, over a kernel counter that may.
 *
 * The kernel's steal and idle times step back at a live migration and at CPU hot-plug, iowait
 * wobbles by nature (kernel/time/tick-sched.c: it depends on which CPU a sleeper is booked on),
 * and several counters are 32 bits wide. A small step back is held flat until the kernel catches
 * up; a large one is a reset: counting goes on from the new reading. Time that a reset hides
 * is lost, never invented.
 */

export interface MonotonicCounter {
  /**
   * Take a reading. Returns how far the counter moved, never negative; the first reading is the
   * baseline and moves nothing. A leap of over `most` is no progress but a reset, too: some
   * kernels let steal underflow to 2^64 ns for a while. NaN is no reading: it changes nothing,
   * and how far the counter moved is not known.
   */
  advance(raw: number, most?: number): number;
  /** The first reading and all movement since; NaN before the first. */
  value(): number;
  resets(): number;
}

/** `wobble`: how far a reading may fall below the highest one without counting as a reset. */
export function monotonicCounter(wobble = 0): MonotonicCounter {
  let highest: number | undefined;
  let value = NaN;
  let resets = 0;

  return {
    advance(raw, most = Infinity) {
      if (Number.isNaN(raw)) return NaN;
      if (highest === undefined) {
        highest = raw;
        value = raw;
        return 0;
      }
      const step = raw - highest;
      if (step < 0 && step >= -wobble) return 0;
      highest = raw;
      if (step < 0 || step > most) {
        resets += 1;
        return 0;
      }
      value += step;
      return step;
    },
    value: () => value,
    resets: () => resets,
  };
}
