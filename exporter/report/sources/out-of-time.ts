/**
 * The kernel's lines stand in its own time, and each was written down after it was printed. A few that
 * do neither, after which the log goes on as before, are somebody else's: one of them would make a
 * boot of its own, or date all others by hours wrong. What stays is a clock that was set, or a new boot.
 */
import type { KernelLine } from './kernel-line.ts';

export interface OutOfTime {
  /** Hands on what is the kernel's, in order. */
  take(line: KernelLine): void;
  /** What is still undecided at the end counts. */
  end(): void;
  /** How many were left out. */
  leftOut(): number;
}

/** Records of several CPUs come a little out of order. */
const disorderMicroseconds = 10e6;
/** Of clocks and of stamps that are cut. */
const slackSeconds = 3;
/** A line that comes late is no other clock's. */
const lateSeconds = 60;
/** Lines that go on for so long are no insertion. */
const steadyMicroseconds = 5e6;
const mostHeld = 1024;

type Timed = KernelLine & { readonly microseconds: number; readonly stamp: number };

const isTimed = (line: KernelLine): line is Timed =>
  line.microseconds !== undefined && line.stamp !== undefined;

const differenceOf = ({ stamp, microseconds }: Timed): number => stamp - microseconds / 1e6;

export function createOutOfTime(handOn: (line: KernelLine) => void): OutOfTime {
  let clock: { last: number; stamp: number; difference: number } | undefined;
  let held: Timed[] = [];
  let leftOut = 0;

  function accept(line: Timed): void {
    const { microseconds, stamp } = line;
    const difference = differenceOf(line);
    const begins = clock === undefined || microseconds < clock.last - disorderMicroseconds;
    const near = clock !== undefined && Math.abs(difference - clock.difference) <= lateSeconds;
    clock = {
      last: begins ? microseconds : Math.max(clock?.last ?? 0, microseconds),
      stamp,
      difference:
        near && !begins ? Math.min(difference, clock?.difference ?? Infinity) : difference,
    };
    handOn(line);
  }

  function release(): void {
    const lines = held;
    held = [];
    lines.forEach(accept);
  }

  /** Back in the kernel's time, or written before it was printed. A clock that was set back shows that itself. */
  function stepsOut(line: Timed): boolean {
    if (clock === undefined) return false;
    const early = differenceOf(line) < clock.difference - slackSeconds;
    return (
      line.microseconds < clock.last - disorderMicroseconds ||
      (early && line.stamp >= clock.stamp - slackSeconds)
    );
  }

  const goesOn = (line: Timed): boolean =>
    clock !== undefined &&
    line.microseconds >= clock.last - disorderMicroseconds &&
    differenceOf(line) >= clock.difference - slackSeconds &&
    differenceOf(line) <= clock.difference + lateSeconds;

  function decide(line: Timed): void {
    const [first] = held;
    if (goesOn(line)) {
      leftOut += held.length;
      held = [];
      accept(line);
      return;
    }
    held.push(line);
    const steady =
      first !== undefined && line.microseconds - first.microseconds >= steadyMicroseconds;
    if (steady || held.length >= mostHeld) release();
  }

  return {
    take(line) {
      if (!isTimed(line)) handOn(line);
      else if (held.length > 0) decide(line);
      else if (stepsOut(line)) held.push(line);
      else accept(line);
    },
    end: release,
    leftOut: () => leftOut,
  };
}
