/**
 * Leaves out what has a time that cannot be: before 1970, in the future, no time at all. A log that
 * was torn or a clock that was never set must not date an incident, or end the report.
 */
import type { Boot, Facts, Instant, KernelReport, Series } from '../facts/facts.ts';
import { saneSeries } from './sane-values.ts';

/** Zones that were taken wrongly may lie ahead, by a day at most. */
const aheadSeconds = 24 * 3600;

/** As what they are listed among the missing. */
export const leftOutRecords = 'some records';

/** What the kernel's two clocks may differ by: one counts ticks, and the other dates its lines. */
const clocksDifferSeconds = 60;
/** Of a log that begins somewhere in a boot its beginning is not known. */
const vagueStartSeconds = 24 * 3600;

/** Nothing sleeps for longer than its machine has run, by the clock that nobody sets or else by the wall. */
function sleptInItsBoot({ at, boot, report }: KernelReport, boots: readonly Boot[]): boolean {
  const start = boots.find(({ id }) => id === boot)?.start;
  if (start === undefined) return true;
  const isVague = start.latest - start.earliest > vagueStartSeconds;
  const ran = isVague ? at - start.earliest : report.microseconds / 1e6;
  return report.seconds <= ran + clocksDifferSeconds;
}

export function withSaneTimes(facts: Facts, now: Instant): Facts {
  let leftOut = 0;
  const sane = (at: Instant) => at > 0 && at <= now + aheadSeconds;

  function kept<T>(all: readonly T[], isSane: (one: T) => boolean): T[] {
    const good = all.filter(isSane);
    leftOut += all.length - good.length;
    return good;
  }

  const dated = <T extends { readonly at: Instant }>(all: readonly T[]) =>
    kept(all, ({ at }) => sane(at));

  // Of a clock that began at 0 with the machine, a boot begins before that by what it is off.
  const saneBoot = ({ start, end }: Boot) =>
    (sane(start.earliest) || (start.latest >= 0 && start.earliest > -aheadSeconds)) &&
    (sane(start.latest) || start.latest === 0) &&
    start.earliest <= start.latest &&
    (end === undefined || (sane(end.at) && end.at >= start.earliest));

  function measured(one: Series): Series[] {
    const good = saneSeries(one, sane);
    leftOut += one.points.length - (good?.points.length ?? 0);
    return good === undefined ? [] : [good];
  }

  const cleaned: Facts = {
    ...facts,
    boots: kept(facts.boots, saneBoot),
    kernelReports: kept(
      facts.kernelReports,
      (one) =>
        sane(one.at) &&
        sane(one.at - one.report.seconds) &&
        one.report.seconds > 0 &&
        sleptInItsBoot(one, facts.boots),
    ),
    kernelEvents: dated(facts.kernelEvents),
    systemEvents: dated(facts.systemEvents),
    redis: dated(facts.redis),
    series: facts.series.flatMap(measured),
    gaps: kept(facts.gaps, ({ from, to }) => sane(from) && sane(to) && from <= to),
    recorded: kept(
      facts.recorded,
      ({ onset, last, asleep, redis }) =>
        [onset.earliest, onset.latest, last].every(sane) &&
        onset.earliest <= last &&
        asleep.every(({ since, last: seen }) => sane(since) && sane(seen)) &&
        redis.every(({ at }) => sane(at)),
    ),
    alerts: kept(facts.alerts, ({ from, to = from }) => sane(from) && sane(to) && from <= to),
  };
  if (leftOut === 0) return cleaned;
  const why = `${leftOut} had a time or a value that cannot be, and were left out`;
  return { ...cleaned, missing: [...facts.missing, { what: leftOutRecords, why }] };
}
