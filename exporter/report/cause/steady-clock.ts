/**
 * A clock that is set in the middle of a sleep makes it longer or shorter on paper, or makes two of one.
 * The kernel counts by a clock that nobody sets, and what was set last is right as a rule: what was
 * written before is dated by the clock after.
 */
import type { Facts, Gap, Instant, KernelReport, Series, SystemEvent } from '../facts/facts.ts';

type Step = SystemEvent & { readonly step: NonNullable<SystemEvent['step']> };

const isStep = (event: SystemEvent): event is Step => event.step !== undefined;

/** When the clock that nobody sets was 0, by the one on the wall. */
const zeroOf = ({ at, step }: Step): Instant => at - step.microseconds / 1e6;

/** By which of the clocks that the boot had it is dated, its own two times tell. */
function movedReport(report: KernelReport, steps: readonly Step[]): KernelReport {
  const own = steps.filter(({ boot }) => boot === report.boot);
  const [first] = own;
  const last = own.at(-1);
  if (first === undefined || last === undefined) return report;
  const zero = report.at - report.report.microseconds / 1e6;
  const near = [zeroOf(first) - first.step.seconds, ...own.map(zeroOf)].reduce((best, one) =>
    Math.abs(one - zero) < Math.abs(best - zero) ? one : best,
  );
  const by = zeroOf(last) - near;
  return by === 0 ? report : { ...report, at: report.at + by };
}

type MoveInstant = (at: Instant, boot?: string) => Instant | undefined;

/**
 * By the clock after all of them. Undefined where the time was told twice, or may have been, and
 * nothing tells which of the two is meant.
 */
function mover(steps: readonly Step[], boots: Facts['boots']): MoveInstant {
  const starts = new Map(boots.map(({ id, start }) => [id, start.earliest]));
  return (at, ofBoot) => {
    let by = 0;
    for (const { at: noticed, boot = '', step } of steps) {
      if (ofBoot !== undefined && ofBoot !== boot) continue;
      const { seconds, vagueSeconds } = step;
      if (at < (starts.get(boot) ?? -Infinity) - Math.abs(seconds)) continue;
      // The new clock speaks from then on, and the old one spoke until then.
      const [from, until] = [noticed - vagueSeconds, noticed - seconds];
      if (at >= from && at <= until) return undefined;
      if (at < Math.min(from, (from + until) / 2)) by += seconds;
    }
    return at + by;
  };
}

function byTime<T extends { readonly at: Instant }>(all: T[]): T[] {
  return all.sort((one, other) => one.at - other.at);
}

interface Dated {
  readonly at: Instant;
  readonly boot?: string;
}

const movedTo = <T extends Dated>(fact: T, at: Instant): T =>
  at === fact.at ? fact : Object.assign({}, fact, { at });

/** What dates or measures: nothing where it may have been at either of two times. */
function sureOf<T extends Dated>(all: readonly T[], move: MoveInstant): T[] {
  return byTime(
    all.flatMap((fact) => {
      const at = move(fact.at, fact.boot);
      return at === undefined ? [] : [movedTo(fact, at)];
    }),
  );
}

/** What happened is told, if its time is not sure. */
const allOf = <T extends Dated>(all: readonly T[], move: MoveInstant): T[] =>
  byTime(all.map((fact) => movedTo(fact, move(fact.at, fact.boot) ?? fact.at)));

function movedSeries(one: Series, move: MoveInstant): Series {
  return Object.assign({}, one, { points: sureOf(one.points, move) });
}

/** As in sources: less is no hole. */
const stepsOfGap = 2.5;

/** What is left of it: where the clock alone made it, nothing. */
function movedGap(gap: Gap, step: number, move: MoveInstant): Gap[] {
  const [from = gap.from, to = gap.to] = [move(gap.from), move(gap.to)];
  if (from === gap.from && to === gap.to) return [gap];
  return to - from > stepsOfGap * step ? [{ ...gap, from, to }] : [];
}

/** A jump of the clock ends within so long of the hole that it is of. */
const nearSeconds = 120;

/** Who looks from outside had no answer meanwhile: then the machine stood still, and its clock had been right. */
function stoodStill({ at, step: { seconds } }: Step, gaps: readonly Gap[]): boolean {
  return gaps.some(
    ({ from, to }) => Math.abs(to - at) < nearSeconds && to - from > seconds - nearSeconds,
  );
}

/** Two logs of a boot tell of one step: the journal, which has more to tell it by, counts before a text. */
function stepsOf({ systemEvents, sources, gaps, kernelReports }: Facts): Step[] {
  const ofKind = (kind: string) =>
    new Set(sources.flatMap((source) => (source.kind === kind ? [source.id] : [])));
  const [journals, watchers] = [ofKind('journal'), ofKind('prometheus')];
  const reported = new Set(kernelReports.map(({ boot }) => boot));
  const seen = gaps.filter(({ source }) => watchers.has(source));
  const all = systemEvents
    .filter(isStep)
    .filter(({ boot = '' }) => reported.has(boot))
    .filter((step) => step.step.seconds < 0 || !stoodStill(step, seen));
  const teller = new Map<string, string>();
  for (const { boot = '', source } of all)
    if (!teller.has(boot) || journals.has(source)) teller.set(boot, source);
  return all.filter(({ boot = '', source }) => teller.get(boot) === source);
}

export function withSteadyClock(facts: Facts): Facts {
  const steps = stepsOf(facts);
  if (steps.length === 0) return facts;
  const move = mover(steps, facts.boots);
  // What others measured of it is by their clocks, and the recorder's by the one that nobody sets.
  const own = new Set(facts.sources.flatMap(({ id, kind }) => (kind === 'sysstat' ? [id] : [])));
  const stepSeconds = (source: string) =>
    Math.max(
      0,
      ...facts.series.filter((one) => one.source === source).map((one) => one.stepSeconds),
    );
  return {
    ...facts,
    kernelReports: byTime(facts.kernelReports.map((report) => movedReport(report, steps))),
    kernelEvents: allOf(facts.kernelEvents, move),
    systemEvents: byTime([
      ...facts.systemEvents.filter(isStep),
      ...allOf(
        facts.systemEvents.filter((event) => !isStep(event)),
        move,
      ),
    ]),
    series: facts.series.map((one) => (own.has(one.source) ? movedSeries(one, move) : one)),
    gaps: facts.gaps.flatMap((gap) =>
      own.has(gap.source) ? movedGap(gap, stepSeconds(gap.source), move) : [gap],
    ),
    redis: sureOf(facts.redis, move),
  };
}
