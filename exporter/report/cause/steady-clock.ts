/**
 * A clock that is set in the middle of a sleep makes it longer or shorter on paper, or makes two of one.
 * The kernel counts by a clock that nobody sets, and what was set last is right as a rule: what it
 * printed before is dated by the clock after.
 */
import type { Facts, Instant, KernelReport, RedisEvent, SystemEvent } from '../facts/facts.ts';

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

/** Undefined where a clock that was set back tells the time twice, and nothing which of the two is meant. */
function movedLine(
  event: RedisEvent,
  steps: readonly Step[],
  boots: Facts['boots'],
): RedisEvent | undefined {
  let by = 0;
  for (const { at: set, boot, step } of steps) {
    const start = boots.find(({ id }) => id === boot)?.start.earliest ?? -Infinity;
    const { seconds } = step;
    if (event.at < start - Math.abs(seconds)) continue;
    if (seconds < 0 && event.at >= set && event.at <= set - seconds) return undefined;
    if (event.at < set - Math.max(0, seconds / 2)) by += seconds;
  }
  return by === 0 ? event : { ...event, at: event.at + by };
}

function byTime<T extends { readonly at: Instant }>(all: T[]): T[] {
  return all.sort((one, other) => one.at - other.at);
}

export function withSteadyClock(facts: Facts): Facts {
  const reported = new Set(facts.kernelReports.map(({ boot }) => boot));
  const steps = facts.systemEvents.filter(isStep).filter(({ boot = '' }) => reported.has(boot));
  if (steps.length === 0) return facts;
  return {
    ...facts,
    kernelReports: byTime(facts.kernelReports.map((report) => movedReport(report, steps))),
    redis: byTime(facts.redis.flatMap((event) => movedLine(event, steps, facts.boots) ?? [])),
  };
}
