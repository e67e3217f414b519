/** Around which time the large and chatty sources are read. */
import type { AlertSpan, Boot, Gathered, Instant, KernelReport } from '../facts/facts.ts';
import type { GatherOptions } from './options.ts';

export interface Focus {
  readonly from: Instant;
  readonly to: Instant;
  /** Nothing but the figures themselves can say when it was: all that was kept of them is read. */
  readonly undated?: true;
}

const hour = 3600;
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
): Focus | undefined {
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
  return { from: began - before, to: Math.min(now, end + after) };
}

function ofPages(pages: readonly AlertSpan[], now: Instant): Focus | undefined {
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
  return { from: began - before, to: Math.min(now, ended + after) };
}

function ofBadEnds(boots: readonly Boot[], now: Instant): Focus | undefined {
  const bad = Math.max(...boots.map(({ end }) => (end?.how === 'unclean' ? end.at : -Infinity)));
  return Number.isFinite(bad) ? { from: bad - before, to: Math.min(now, bad + after) } : undefined;
}

/** The times that were asked for; else the newest reports, pages, or bad end; else the last day. */
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
  const dated = ofReports(reports, boots, now) ?? ofPages(pages, now) ?? ofBadEnds(boots, now);
  const found = dated ?? { from: now - before, to: now };
  if (dated === undefined && from === undefined && to === undefined) {
    return { ...found, undated: true };
  }
  return {
    from: from === undefined ? Math.min(found.from, (to ?? now) - before) : from - before,
    to: to === undefined ? Math.max(found.to, (from ?? found.from) + after) : to + after,
  };
}
