/**
 * The last 15 minutes of one number, for the page at `/`. Flat memory: a ring of 180 slots of
 * 5 s, each keeping the largest value recorded in it, so that a one-second spike stays visible.
 * A slot in which nothing was recorded is a gap, and gaps are data: the machine stood still.
 */
import type { Clock } from './clock.ts';

const stepSeconds = 5;
const slots = 180;

export interface History {
  readonly stepSeconds: number;
  /**
   * Oldest first, null where nothing was recorded: of the last so many steps, or of all since the first
   * record, as far as they are kept.
   */
  points(steps?: number): (number | null)[];
}

export interface Recorder extends History {
  record(value: number): void;
}

export function createHistory(clock: Clock): Recorder {
  const values = new Float64Array(slots);
  const stamps = new Float64Array(slots).fill(-1);
  const slotNow = () => Math.floor(clock.monotonic() / stepSeconds);
  let begun: number | undefined;
  const sinceBegun = () => (begun === undefined ? 0 : Math.min(slots, slotNow() - begun + 1));

  return {
    stepSeconds,
    record(value) {
      const stamp = slotNow();
      const i = stamp % slots;
      begun ??= stamp;
      values[i] = stamps[i] === stamp ? Math.max(values[i] ?? value, value) : value;
      stamps[i] = stamp;
    },
    points(steps = sinceBegun()) {
      const first = slotNow() - steps + 1;
      return Array.from({ length: steps }, (_, back) => {
        const stamp = first + back;
        const i = stamp % slots;
        return stamps[i] === stamp ? (values[i] ?? null) : null;
      });
    },
  };
}
