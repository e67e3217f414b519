/** Around which time the large and chatty sources are read. */
import type { Boot, Gathered, Instant, KernelReport } from '../facts/facts.ts';
import type { GatherOptions } from './options.ts';

export interface Focus {
  readonly from: Instant;
  readonly to: Instant;
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

/** The times that were asked for; else the newest reports, the newest bad end, the last day. */
export function focusOf(options: GatherOptions, parts: readonly Gathered[], now: Instant): Focus {
  const { from, to } = options;
  const boots = parts.flatMap((part) => part.boots ?? []);
  const reports = parts.flatMap((part) => part.kernelReports ?? []);
  const bad = Math.max(...boots.map(({ end }) => (end?.how === 'unclean' ? end.at : -Infinity)));
  const found =
    ofReports(reports, boots, now) ??
    (Number.isFinite(bad)
      ? { from: bad - before, to: Math.min(now, bad + after) }
      : { from: now - before, to: now });
  return {
    from: from === undefined ? Math.min(found.from, (to ?? now) - before) : from - before,
    to: to === undefined ? Math.max(found.to, (from ?? found.from) + after) : to + after,
  };
}
