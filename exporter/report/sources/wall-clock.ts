/**
 * When the kernel's clock was at 0, from pairs of a kernel time stamp and the time at which
 * somebody wrote the record down. Writing comes late, never early: in a burst after a stall by a
 * quarter of an hour. So the smallest difference of the two within a day is the true one, unless
 * somebody set the clock: then there are two, and the moment is told.
 */
import type { Instant, Interval } from '../facts/facts.ts';
import type { ClockStep } from './clock-step.ts';

export interface WallClock {
  /** Of one record, in the order they were written down. Stamps are cut to `resolution` seconds. */
  note(microseconds: number, stamp: Instant, resolution: number): void;
  /** Undefined where nothing was noted. */
  at(microseconds: number): Instant | undefined;
  /** When the kernel's clock was at 0, as the first records have it. */
  start(): Interval | undefined;
  steps(): readonly ClockStep[];
}

const bucketMicroseconds = 3600e6;
const bucketsAround = 24;
/** Less is the delay and the resolution of the stamps. */
const leastStepSeconds = 2;
/** For so long the kernel's clock must go on in step with the new time. */
const steadyMicroseconds = 5e6;
const mostSegments = 256;

interface Segment {
  readonly from: number;
  /** A difference that stayed for a while: what is far below it afterwards was set back. */
  settled: { readonly from: number; readonly difference: number; isSteady: boolean } | undefined;
  /** By hour since boot: the smallest difference seen. */
  readonly smallest: Map<number, number>;
}

const segmentFrom = (from: number): Segment => ({ from, settled: undefined, smallest: new Map() });
const bucketOf = (microseconds: number) => Math.floor(microseconds / bucketMicroseconds);

/** What comes late comes ever less late; what stays the same was in time. */
function settle(segment: Segment, from: number, difference: number, tolerance: number): void {
  const { settled } = segment;
  if (settled === undefined || difference < settled.difference - tolerance) {
    segment.settled = { from, difference, isSteady: false };
  } else if (difference <= settled.difference + tolerance)
    settled.isSteady ||= from - settled.from >= steadyMicroseconds;
}

function enter({ smallest }: Segment, microseconds: number, difference: number): void {
  const bucket = bucketOf(microseconds);
  const known = smallest.get(bucket);
  if (known === undefined || difference < known) smallest.set(bucket, difference);
}

/** The smallest difference within a day of this moment, or else the nearest there is. */
function differenceAt({ smallest }: Segment, microseconds: number): number | undefined {
  const bucket = bucketOf(microseconds);
  let near = Infinity;
  let nearest: number | undefined;
  let distance = Infinity;
  for (const [other, difference] of smallest) {
    const apart = Math.abs(other - bucket);
    if (apart <= bucketsAround) near = Math.min(near, difference);
    if (apart < distance) [distance, nearest] = [apart, difference];
  }
  return near === Infinity ? nearest : near;
}

export function createWallClock(): WallClock {
  let resolution = 0;
  const segments: Segment[] = [];
  const steps: ClockStep[] = [];
  let last: { readonly microseconds: number; readonly stamp: number } | undefined;
  /** Since when the differences have been larger by about the same: a step, if that stays. */
  let higher:
    | { readonly from: number; readonly difference: number; readonly before: number }
    | undefined;

  function begin(microseconds: number, difference: number, set?: { by: number; after: number }) {
    const segment = segmentFrom(microseconds);
    if (set !== undefined) {
      const vagueSeconds = Math.max(0, microseconds - set.after) / 1e6;
      const at = difference + microseconds / 1e6;
      steps.push({ microseconds, at, seconds: set.by, vagueSeconds });
    }
    if (segments.length < mostSegments) segments.push(segment);
    higher = undefined;
    return segments.at(-1) ?? segment;
  }

  /** A difference that grew and then stays what it is was set; what was only late goes back. */
  function putForward(microseconds: number, difference: number, usual: number): boolean {
    if (difference < usual + leastStepSeconds + resolution) {
      higher = undefined;
      return false;
    }
    if (higher === undefined || Math.abs(difference - higher.difference) > resolution + 0.5) {
      higher = { from: microseconds, difference, before: last?.microseconds ?? microseconds };
      return false;
    }
    return microseconds - higher.from >= steadyMicroseconds;
  }

  /** A stamp before the one before, or one before its record was printed by a clock that was right till then. */
  function putBack(stamp: number, difference: number, { settled }: Segment): boolean {
    if (last !== undefined && stamp < last.stamp - leastStepSeconds) return true;
    const steady = settled?.isSteady === true ? settled.difference : -Infinity;
    return difference < steady - leastStepSeconds - resolution;
  }

  return {
    note(microseconds, stamp, cutTo) {
      resolution = Math.max(resolution, cutTo);
      const difference = stamp - microseconds / 1e6;
      const current = segments.at(-1);
      const usual = current && differenceAt(current, microseconds);
      let segment = current ?? begin(microseconds, difference);
      if (usual !== undefined && putBack(stamp, difference, segment)) {
        const after = last?.microseconds ?? microseconds;
        segment = begin(microseconds, difference, { by: difference - usual, after });
      } else if (usual !== undefined && putForward(microseconds, difference, usual)) {
        const { from = microseconds, before: after = microseconds } = higher ?? {};
        segment = begin(from, difference, { by: difference - usual, after });
      }
      // What may be late or set: which of the two, the next records tell.
      enter(segment, microseconds, difference);
      settle(segment, microseconds, difference, resolution + 0.5);
      last = { microseconds, stamp };
    },
    at(microseconds) {
      const segment = segments.findLast(({ from }) => from <= microseconds) ?? segments[0];
      const difference = segment && differenceAt(segment, microseconds);
      return difference === undefined
        ? undefined
        : difference + resolution / 2 + microseconds / 1e6;
    },
    start() {
      const first = segments[0];
      const difference = first && differenceAt(first, first.from);
      if (difference === undefined) return undefined;
      return { earliest: difference, latest: difference + resolution };
    },
    steps: () => steps,
  };
}
