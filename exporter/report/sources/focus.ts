/** Around which time the large and chatty sources are read. */
import type { AlertSpan, Boot, Gathered, Instant, KernelReport } from '../facts/facts.ts';
import { timeOfId } from '../cause/incident.ts';
import type { GatherOptions } from './options.ts';

export interface Focus {
  readonly from: Instant;
  readonly to: Instant;
  /** Nothing but the figures themselves can say when it was: all that was kept of them is read. */
  readonly undated?: true;
}

interface Dated extends Focus {
  readonly newest: Instant;
}

const hour = 3600;
const aDay = 24 * hour;
/** The day before is what an incident is compared with. */
const before = 25 * hour;
/** Reports further apart are of two incidents, as a rule. */
const oneIncident = 48 * hour;
/** What a machine says of an incident after its reboot. */
const after = hour;

function ofReports(
  reports: readonly KernelReport[],
  boots: readonly Boot[],
  now: Instant,
): Dated | undefined {
  const newest = reports.reduce<KernelReport | undefined>(
    (latest, report) => (latest === undefined || report.at > latest.at ? report : latest),
    undefined,
  );
  if (newest === undefined) return undefined;
  const same = reports.filter(
    ({ at, boot }) => boot === newest.boot && newest.at - at <= oneIncident,
  );
  const began = Math.min(...same.map(({ at, report }) => at - report.seconds));
  const own = boots.find(({ id }) => id === newest.boot);
  // A kernel log alone ends with its last report, hours before the reset: what Redis says after the
  // reboot is wanted too.
  const next = Math.min(
    ...boots.flatMap(({ start }) => (start.latest > newest.at ? [start.latest] : [])),
  );
  const end = own?.end === undefined ? now : Math.max(own.end.at, Number.isFinite(next) ? next : 0);
  return { from: began - before, to: Math.min(now, end + after), newest: newest.at };
}

function ofPages(pages: readonly AlertSpan[], now: Instant): Dated | undefined {
  const newest = pages.reduce<AlertSpan | undefined>(
    (latest, page) => (latest === undefined || page.from > latest.from ? page : latest),
    undefined,
  );
  if (newest === undefined) return undefined;
  // Others that fired then began earlier, perhaps.
  const same = pages.filter(
    ({ from, to = now }) => to >= newest.from && newest.from - from <= oneIncident,
  );
  const began = Math.min(...same.map(({ from }) => from));
  const ended = Math.max(...same.map(({ to = now }) => to));
  return { from: began - before, to: Math.min(now, ended + after), newest: newest.from };
}

function ofBadEnds(boots: readonly Boot[], now: Instant): Dated | undefined {
  const bad = Math.max(...boots.map(({ end }) => (end?.how === 'unclean' ? end.at : -Infinity)));
  return Number.isFinite(bad)
    ? { from: bad - before, to: Math.min(now, bad + after), newest: bad }
    : undefined;
}

/**
 * As an incident is chosen: the newest of what was reported, paged or ended badly. What one of the others tells
 * of the day before is read with it.
 */
function newestOf(all: readonly (Dated | undefined)[]): Focus | undefined {
  const dated = all.flatMap((one) => one ?? []);
  const newest = Math.max(...dated.map((one) => one.newest));
  const near = dated.filter((one) => newest - one.newest <= aDay);
  if (near.length === 0) return undefined;
  return {
    from: Math.min(...near.map(({ from }) => from)),
    to: Math.max(...near.map(({ to }) => to)),
  };
}

/** Of another incident than the newest, what was read around that one would not say. */
function aroundId(id: string, found: Focus, now: Instant): Focus | undefined {
  const at = timeOfId(id);
  if (at === undefined) return undefined;
  const own = { from: at - before, to: Math.min(now, at + aDay) };
  const within = found.from <= at && at <= found.to;
  return within ? { from: Math.min(own.from, found.from), to: Math.max(own.to, found.to) } : own;
}

/** The times that were asked for; else those of the newest reports, pages, or bad end; else the last day. */
export function focusOf(
  options: GatherOptions,
  parts: readonly Gathered[],
  pages: readonly AlertSpan[],
  now: Instant,
): Focus {
  const { from, to } = options;
  const boots = parts.flatMap((part) => part.boots ?? []);
  const all = parts.flatMap((part) => part.kernelReports ?? []);
  const runs = boots.find(({ end }) => end === undefined)?.id;
  // What the running boot says is no matter of the last one.
  const reports = options.lastBoot ? all.filter(({ boot }) => boot !== runs) : all;
  const dated = newestOf([
    ofReports(reports, boots, now),
    ofPages(pages, now),
    ofBadEnds(boots, now),
  ]);
  const found = dated ?? { from: now - before, to: now };
  const around =
    options.incident === undefined ? undefined : aroundId(options.incident, found, now);
  if (around !== undefined) return around;
  if (dated === undefined && from === undefined && to === undefined) {
    return { ...found, undated: true };
  }
  return {
    from: from === undefined ? Math.min(found.from, (to ?? now) - before) : from - before,
    to: to === undefined ? Math.max(found.to, (from ?? found.from) + after) : to + after,
  };
}
