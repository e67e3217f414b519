/**
 * How bad a window was, and how much of it was measured. The difference to Sloth is the divisor of
 * a wall-clock SLO: the slices that time allowed, not the slices that were measured. A ratio of
 * counters calls a frozen host healthy, because nothing ticks.
 */
import { sliceSeconds } from '../thresholds.ts';
import type { RecordingRule } from './rule.ts';
import { slicesOf } from './slices.ts';
import type { Slo } from './spec.ts';

/** What a window is added up from: the slices themselves, or sums of them. */
export interface Addends {
  readonly good: string;
  readonly total: string;
  readonly known: string;
  /** Over a range of `known`. */
  readonly measured: 'count_over_time' | 'sum_over_time';
}

export const slices: Addends = {
  good: 'slo:good:slice15s',
  total: 'slo:total:slice15s',
  known: 'slo:known:slice15s',
  measured: 'count_over_time',
};

export const firstSeen = 'slo:observed_first:timestamp_seconds';

/**
 * A range that holds exactly as many addends as the window has. Prometheus 2 counts a sample on
 * the left edge of a range and Prometheus 3 does not; a second less, and neither has one there.
 * It has to be asked in the group that records the addends: others have offsets of their own.
 */
export const range = (seconds: number) => `[${seconds - 1}s]`;

export const isWallClock = (slo: Slo) => slicesOf(slo).total === undefined;

/** How much of a window had passed at `moment` since the host was first seen, in seconds. */
export const observed = (slo: Slo, seconds: number, moment = 'time()') =>
  `clamp_max(${moment} - ${firstSeen}{slo="${slo.name}"} + ${sliceSeconds}, ${seconds})`;

export function errorRatio(
  slo: Slo,
  window: string,
  seconds: number,
  { good, total }: Addends,
): RecordingRule {
  const selector = `{slo="${slo.name}"}${range(seconds)}`;
  const divisor = isWallClock(slo)
    ? `(${observed(slo, seconds)} / ${sliceSeconds})`
    : `(sum_over_time(${total}${selector}) > 0)`;
  return {
    record: `slo:sli_error:ratio_rate${window}`,
    labels: { slo: slo.name },
    expr: `clamp_min(1 - sum_over_time(${good}${selector})\n  / ${divisor}, 0)`,
  };
}

export function coverage(
  slo: Slo,
  window: string,
  seconds: number,
  { known, measured }: Addends,
): RecordingRule {
  return {
    record: `slo:coverage:ratio_rate${window}`,
    labels: { slo: slo.name },
    expr: `clamp_max(${measured}(${known}{slo="${slo.name}"}${range(seconds)})\n  / (${observed(slo, seconds)} / ${sliceSeconds}), 1)`,
  };
}

export function ofBudget(slo: Slo, record: string, error: string): RecordingRule {
  const ratio = `${error}{slo="${slo.name}"}`;
  return {
    record,
    labels: { slo: slo.name },
    expr: `${ratio} / on (slo) group_left () slo:error_budget:ratio`,
  };
}
