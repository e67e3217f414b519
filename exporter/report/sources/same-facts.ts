/**
 * One boot may be kept in several places, and its reports with it: each counts once. What the
 * earlier of the given parts says of it is taken, so the most exact source comes first.
 */
import type { Boot, Gathered, KernelReport } from '../facts/facts.ts';

/** Both sources have the same clock, and each is a little off. */
const sameStartSeconds = 120;
/** Two rounds of the detector are further apart; stamps without a time since boot may be late. */
const sameReportSeconds = 4;

const isSameBoot = (one: Boot, other: Boot): boolean =>
  one.source !== other.source &&
  one.start.earliest - sameStartSeconds <= other.start.latest &&
  other.start.earliest - sameStartSeconds <= one.start.latest;

interface Placed {
  readonly at: number;
  readonly boot?: string | undefined;
  readonly source: string;
}

const isSameTime = (one: Placed, other: Placed): boolean =>
  one.source !== other.source &&
  one.boot === other.boot &&
  Math.abs(one.at - other.at) <= sameReportSeconds;

const isSameReport = (one: KernelReport, other: KernelReport): boolean =>
  isSameTime(one, other) &&
  one.report.pid === other.report.pid &&
  one.report.comm === other.report.comm &&
  one.report.seconds === other.report.seconds;

/** Facts of which an equal one is not there yet, by what they have in common. */
function createKnown<T>(keyOf: (fact: T) => string, isSame: (one: T, other: T) => boolean) {
  const known = new Map<string, T[]>();
  return (fact: T): boolean => {
    const key = keyOf(fact);
    const alike = known.get(key) ?? [];
    known.set(key, alike);
    if (alike.some((other) => isSame(other, fact))) return false;
    alike.push(fact);
    return true;
  };
}

/** Two clocks of the kernel do not show the same microsecond by chance. */
const isTwin = (one: KernelReport, other: KernelReport): boolean =>
  one.report.microseconds === other.report.microseconds &&
  one.report.microseconds % 1e6 !== 0 &&
  one.report.pid === other.report.pid &&
  one.report.comm === other.report.comm;

/** Another name of a known boot, and how far off that source has its times. */
interface OtherName {
  readonly boot: string;
  readonly shift: number;
}

/** Where boots are told apart, and known ones found again in another source. */
interface BootNames {
  /** The boots of a part that are not known yet. */
  readonly take: (part: Gathered) => Boot[];
  readonly rename: <T extends { readonly boot?: string; readonly at: number }>(fact: T) => T;
}

function createBootNames(): BootNames {
  const boots: Boot[] = [];
  const reports: KernelReport[] = [];
  const names = new Map<string, OtherName>();

  function otherNameOf(boot: Boot, own: readonly KernelReport[]): OtherName | undefined {
    for (const report of own) {
      const twin = reports.find((known) => known.source !== report.source && isTwin(known, report));
      if (twin !== undefined) return { boot: twin.boot, shift: twin.at - report.at };
    }
    const known = boots.find((other) => isSameBoot(other, boot));
    return known && { boot: known.id, shift: 0 };
  }

  return {
    take({ boots: found = [], kernelReports = [] }: Gathered): Boot[] {
      const fresh = found.filter((boot) => {
        const own = kernelReports.filter((report) => report.boot === boot.id);
        const other = otherNameOf(boot, own);
        if (other === undefined) reports.push(...own);
        else names.set(boot.id, other);
        return other === undefined;
      });
      boots.push(...fresh);
      return fresh;
    },
    rename(fact) {
      const name = fact.boot === undefined ? undefined : names.get(fact.boot);
      if (name === undefined) return fact;
      // A second or two is how exact it is; more is a log that does not know when it was.
      const shift = Math.abs(name.shift) > sameReportSeconds ? name.shift : 0;
      return { ...fact, boot: name.boot, at: fact.at + shift };
    },
  };
}

/** The parts, each without what an earlier one has said. */
export function withoutRepeats(parts: readonly Gathered[]): Gathered[] {
  const names = createBootNames();
  const isNewReport = createKnown<KernelReport>(
    ({ boot, report: { pid } }) => `${boot} ${pid}`,
    isSameReport,
  );
  const isNewEvent = createKnown<Placed & { kind: string; text: string }>(
    ({ boot, kind, text }) => `${boot} ${kind} ${text}`,
    isSameTime,
  );
  return parts.map((part) => ({
    ...part,
    boots: names.take(part),
    kernelReports: (part.kernelReports ?? []).map(names.rename).filter(isNewReport),
    kernelEvents: (part.kernelEvents ?? []).map(names.rename).filter(isNewEvent),
    systemEvents: (part.systemEvents ?? []).map(names.rename).filter(isNewEvent),
    recorded: (part.recorded ?? []).map((one) =>
      Object.assign({}, one, { boot: names.rename({ boot: one.boot, at: 0 }).boot }),
    ),
  }));
}
