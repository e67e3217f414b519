/** From when to when, and how long, as far as it is known. */
import type { FindingData } from '../cause/findings.ts';
import type { EndHow } from '../cause/incident.ts';
import { durationText } from '../../measure/duration.ts';
import { say, type Text } from '../text/say.ts';
import { between, utc, utcMinutes, utcRange } from '../text/units.ts';

type IncidentData = FindingData['incident'];

/** Ends that are the last that is known, not the end. */
const open: ReadonlySet<EndHow> = new Set(['detector_quiet', 'unseen', 'still_on']);

/** `9 h 37 min`, `at least 8 min` */
export function lasted({ seconds, end }: IncidentData): Text {
  const length = durationText(seconds);
  return open.has(end.how) ? say`at least ${length}` : say`${length}`;
}

export function span({ onset, end }: IncidentData): Text {
  return say`${utcMinutes({ from: onset.latest, to: end.at })} UTC`;
}

export function seconds({ onset, end }: IncidentData): Text {
  return say`${utcRange({ from: onset.earliest, to: end.at })}`;
}

export function began({ onset }: IncidentData): Text {
  return say`${between(onset)}`;
}

export const at = (instant: number): Text => say`${utc(instant)}`;
