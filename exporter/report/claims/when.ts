/** From when to when, and how long, as far as it is known. */
import type { FindingData } from '../cause/findings.ts';
import type { End, EndHow } from '../cause/incident.ts';
import type { Window } from '../cause/window.ts';
import { isBelieved } from '../facts/facts.ts';
import { durationText } from '../../measure/duration.ts';
import { say, type Text } from '../text/say.ts';
import { between, utc, utcMinutes, utcRange } from '../text/units.ts';

type IncidentData = FindingData['incident'];

/** Ends that are the last that is known, not the end. */
const open: ReadonlySet<EndHow> = new Set(['detector_quiet', 'unseen', 'still_on', 'boot_ended']);
/** Between the last record and the next boot lies the time that a boot takes, or a night. */
const bootSeconds = 600;

/** By when it was over, where that is far from the last that is known. */
function farEnd({ at, latest, how }: End): number | undefined {
  const far = latest !== undefined && latest - at > bootSeconds && how !== 'detector_quiet';
  return far ? latest : undefined;
}

/** What a length is made of. */
type Length = Pick<IncidentData, 'onset' | 'end' | 'seconds'>;

/** `9 h 37 min`, `at least 8 min` */
export function lasted({ seconds, end }: Length): Text {
  const length = durationText(seconds);
  return open.has(end.how) || farEnd(end) !== undefined ? say`at least ${length}` : say`${length}`;
}

/** The same with its other end: `at least 8 min, at most 9 h 37 min`. */
export function lastedAtMost(data: Length): Text {
  const latest = farEnd(data.end);
  // Between a clock that nobody had set and one that was set lie decades that nobody slept.
  if (latest === undefined || isBelieved(latest) !== isBelieved(data.onset.earliest))
    return lasted(data);
  return say`${lasted(data)}, at most ${durationText(latest - data.onset.earliest)}`;
}

/** `at 06:40:55`, or between the last record and the next boot. */
export function ended(end: End): Text {
  const latest = farEnd(end);
  return latest === undefined
    ? say`at ${utc(end.at)}`
    : say`between ${utc(end.at)} (last record) and ${utc(latest)} (next boot)`;
}

function minutes(window: Window): Text {
  const doubt = isBelieved(window.from) ? '' : ', by a clock that was not set and is not believed';
  return say`${utcMinutes(window)} UTC${doubt}`;
}

export const span = ({ onset, end }: IncidentData): Text =>
  minutes({ from: onset.latest, to: end.at });

type Silence = FindingData['redis_unserved'];

/** `94 s`, `at least 94 s` */
export const silence = ({ seconds: length, atLeast }: Silence): Text =>
  say`${atLeast === true ? 'at least ' : ''}${durationText(length)}`;

/** `94 s (2026-10-14 22:00 to 22:02 UTC)`: of what the incident is the frame of. */
export const silent = (data: Silence): Text => say`${silence(data)} (${minutes(data.window)})`;

export function seconds({ onset, end }: IncidentData): Text {
  return say`${utcRange({ from: onset.earliest, to: end.at })}`;
}

/** The time that its length is of; it may have begun a step of what was measured earlier. */
export const judged = ({ onset, end }: IncidentData): Text =>
  say`${utcRange({ from: onset.latest, to: end.at })}`;

export function began({ onset }: IncidentData): Text {
  return say`${between(onset)}`;
}

export const at = (instant: number): Text => say`${utc(instant)}`;
