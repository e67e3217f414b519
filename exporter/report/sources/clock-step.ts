import { durationText } from '../../measure/duration.ts';
import type { Instant, SystemEvent } from '../facts/facts.ts';

export type ClockStep = NonNullable<SystemEvent['step']> & {
  /** When it had been set. */
  readonly at: Instant;
};

/** Somebody set the clock of the machine, as a log shows it: forward by so much, or back where it is less than 0. */
export function clockStepped(
  { at, ...step }: ClockStep,
  boot: string,
  source: string,
): SystemEvent {
  const by = durationText(Math.abs(step.seconds));
  const text = `the clock was set ${step.seconds < 0 ? 'back' : 'forward'} by ${by}`;
  return { at, boot, kind: 'clock_stepped', text, step, source };
}
