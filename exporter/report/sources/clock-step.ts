import { durationText } from '../../measure/duration.ts';
import type { Instant, SystemEvent } from '../facts/facts.ts';

/** Somebody set the clock of the machine, as a log shows it: forward by so much, or back where it is less than 0. */
export function clockStepped(
  { at, seconds }: { readonly at: Instant; readonly seconds: number },
  boot: string,
  source: string,
): SystemEvent {
  const by = durationText(Math.abs(seconds));
  const text = `the clock was set ${seconds < 0 ? 'back' : 'forward'} by ${by}`;
  return { at, boot, kind: 'clock_stepped', text, source };
}
