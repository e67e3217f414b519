/** All incidents of the facts, and the one that a report is about. */
import type { Facts, Instant } from '../facts/facts.ts';
import { overBy } from './boots.ts';
import {
  type EndHow,
  type Incident,
  incidentId,
  type Sign,
  type SignKind,
  timeOfId,
} from './incident.ts';
import { isStrong, signsOf } from './signs.ts';
import { reportedIncidents } from './sleeps.ts';
import type { Window } from './window.ts';

/** Signs of one trouble come within so much of each other. */
const togetherSeconds = 600;

const overlaps = (sign: Sign, { from, to }: Window, slack: number) =>
  sign.from <= to + slack && sign.to >= from - slack;

/** Until it is known to have been over: what happens meanwhile belongs to it, unless it may have been over for hours. */
export function spanOf({ onset, end }: Incident): Window {
  const latest = end.how === 'unseen' ? end.at : (end.latest ?? end.at);
  return { from: onset.earliest, to: Math.max(latest, end.at) };
}

interface Cluster {
  readonly signs: Sign[];
  to: Instant;
}

function clustersOf(signs: readonly Sign[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const sign of signs) {
    const last = clusters.at(-1);
    if (last === undefined || sign.from > last.to + togetherSeconds) {
      clusters.push({ signs: [sign], to: sign.to });
    } else {
      last.signs.push(sign);
      last.to = Math.max(last.to, sign.to);
    }
  }
  return clusters;
}

/** Its last sign lasts as long as there are samples: when it was over, they do not show. */
export function goesOn(signs: readonly Sign[], to: Instant, { series }: Facts): boolean {
  const last = signs.filter((sign) => sign.to >= to && sign.to > sign.from);
  return last.some(({ source }) => {
    const own = series.filter((one) => one.source === source);
    const until = Math.max(...own.flatMap(({ points }) => points.at(-1)?.at ?? []));
    return own.length > 0 && until <= to;
  });
}

function incidentOf({ signs, to }: Cluster, facts: Facts, now: Instant): Incident | undefined {
  const [first] = signs;
  if (first === undefined) return undefined;
  const onset = { earliest: first.from - first.step, latest: first.from };
  const reset = signs.findLast(({ kind }) => kind === 'unclean_end');
  const boot = facts.boots.findLast(({ start }) => start.latest <= first.to);
  const how =
    reset !== undefined && reset.from >= to
      ? 'reset'
      : to >= now
        ? 'still_on'
        : goesOn(signs, to, facts)
          ? 'unseen'
          : 'measured';
  const latest = how === 'reset' ? overBy(facts.boots, boot?.id) : undefined;
  return {
    id: incidentId(onset.latest),
    ...(boot === undefined ? {} : { boot: boot.id }),
    onset,
    end: { at: to, how, ...(latest === undefined ? {} : { latest }) },
    signs,
  };
}

const fresh = (incidents: readonly Incident[], signs: readonly Sign[]) =>
  signs.filter(
    (sign) => !incidents.some((incident) => overlaps(sign, spanOf(incident), togetherSeconds)),
  );

function withSigns(incident: Incident, signs: readonly Sign[]): Incident {
  return { ...incident, signs: signs.filter((sign) => overlaps(sign, spanOf(incident), 60)) };
}

function made(signs: readonly Sign[], facts: Facts, now: Instant): Incident[] {
  return clustersOf(signs).flatMap((cluster) => incidentOf(cluster, facts, now) ?? []);
}

/** Weak signs that lead up to a strong one are its beginning. */
function leadingUp(strong: readonly Sign[], weak: readonly Sign[]): Sign[] {
  return weak.filter((sign) => strong.some((other) => overlaps(sign, other, togetherSeconds)));
}

/** The process lived when the boot went on: then a reset later has another reason. */
const lived: ReadonlySet<EndHow> = new Set(['sign_of_life', 'process_gone']);

/** A reset after a sleep that nothing showed the end of is how people end such a thing. */
function isCureOf(reported: readonly Incident[], { kind, from }: Sign, { boots }: Facts): boolean {
  if (kind !== 'unclean_end') return false;
  const boot = boots.find(({ end }) => end?.how === 'unclean' && end.at === from);
  const last = reported.findLast((incident) => incident.boot === boot?.id);
  return last !== undefined && !lived.has(last.end.how);
}

/** So soon after a CPU stood still a reset is how that ended, or was ended. */
const givenUpSeconds = 3600;

function endsLockup({ kind, from }: Sign, signs: readonly Sign[], { boots }: Facts): boolean {
  if (kind !== 'unclean_end') return false;
  const boot = boots.find(({ end }) => end?.how === 'unclean' && end.at === from);
  const since = Math.max(boot?.start.earliest ?? -Infinity, from - givenUpSeconds);
  const last = signs.findLast((other) => other.kind === 'lockup' && other.from < from);
  // One that is nearer belongs to the same incident anyway.
  return last !== undefined && last.from >= since && from - last.from > togetherSeconds;
}

/** Oldest first. */
export function incidentsOf(facts: Facts, now: Instant): Incident[] {
  const signs = signsOf(facts, now);
  const reported = reportedIncidents(facts, now);
  const strong = fresh(
    reported,
    signs.filter(
      (sign) =>
        isStrong(sign) && !isCureOf(reported, sign, facts) && !endsLockup(sign, signs, facts),
    ),
  );
  const weak = fresh(
    reported,
    signs.filter((sign) => !isStrong(sign)),
  );
  const lead = leadingUp(strong, weak);
  const byStrong = made(
    [...strong, ...lead].sort((one, other) => one.from - other.from),
    facts,
    now,
  );
  const byWeak = made(fresh(byStrong, weak), facts, now);
  return [...reported, ...byStrong, ...byWeak]
    .map((incident) => withSigns(incident, signs))
    .sort((one, other) => one.onset.latest - other.onset.latest);
}

export interface Wanted {
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
  readonly id?: string | undefined;
  readonly lastBoot: boolean;
}

/**
 * The newest that is over. Of logs from elsewhere none is running: the newest may be the one that
 * was reset, of a disk, or the one after it, of a copy.
 */
function lastBootsOf({ boots }: Facts): readonly string[] {
  const over = boots.filter(({ end }) => end !== undefined).map(({ id }) => id);
  return over.slice(over.length < boots.length ? -1 : -2);
}

/** Each time it is asked a machine dates its boot anew, to a second or so. */
const sameIdSeconds = 5;

/** The incident of that name; where the clock makes another second of it, the one that is meant. */
export function called(incidents: readonly Incident[], id: string): Incident | undefined {
  const at = timeOfId(id) ?? NaN;
  const far = ({ onset }: Incident) => Math.abs(Math.floor(onset.latest) - at);
  return (
    incidents.find((incident) => incident.id === id) ??
    incidents
      .filter((incident) => far(incident) <= sameIdSeconds)
      .sort((one, other) => far(one) - far(other))[0]
  );
}

function isWanted(incident: Incident, { from, to, lastBoot }: Wanted, facts: Facts): boolean {
  const span = spanOf(incident);
  if (from !== undefined && span.to < from) return false;
  if (to !== undefined && span.from > to) return false;
  return !lastBoot || incident.boot === undefined || lastBootsOf(facts).includes(incident.boot);
}

/** Somebody was without service: the kernel reported a sleep, or more is known than how a boot ended. */
const mildly: ReadonlySet<SignKind> = new Set(['unclean_end', 'out_of_memory']);

/** An outage, then what a strong sign shows, then what any does. */
function weightOf({ sleep, signs }: Incident): number {
  if (sleep !== undefined || signs.some((sign) => isStrong(sign) && !mildly.has(sign.kind)))
    return 2;
  return signs.some(isStrong) ? 1 : 0;
}

/** A reset, or a process that ran out of memory, so soon after an outage is what came of it, or of no matter. */
const aftermathSeconds = 24 * 3600;

/** The newest that a strong sign or the kernel shows, unless an outage was within the day before; else the newest. */
export function chosen(
  incidents: readonly Incident[],
  wanted: Wanted,
  facts: Facts,
): Incident | undefined {
  if (wanted.id !== undefined) return called(incidents, wanted.id);
  const fitting = incidents.filter((incident) => isWanted(incident, wanted, facts));
  const newest = fitting.findLast((incident) => weightOf(incident) > 0) ?? fitting.at(-1);
  if (newest === undefined) return undefined;
  const since = newest.onset.latest - aftermathSeconds;
  const outage = fitting.findLast(
    (incident) => weightOf(incident) === 2 && spanOf(incident).to >= since,
  );
  return outage ?? newest;
}
