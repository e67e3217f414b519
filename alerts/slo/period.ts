/**
 * The windows of a day and more. 28 days are 161,280 slices a series: to add them up every two
 * minutes is late from 75 hosts on. So a quarter of an hour is added up once, when it is over, and
 * the windows add up the quarters: 2,688 of them, once per quarter. What people and alerts read is
 * the last result, shown again every minute, because Prometheus forgets a value after five.
 */
import { retentionDays, sliceSeconds } from '../thresholds.ts';
import {
  type Addends,
  coverage,
  errorRatio,
  firstSeen,
  isWallClock,
  observed,
  ofBudget,
  range,
  slices,
} from './ratios.ts';
import type { RecordingRule, RuleGroup } from './rule.ts';
import { target } from './slices.ts';
import { type Slo, windows } from './spec.ts';

const quarter = '15m';
const quarterSeconds = 900;

const quarters: Addends = {
  good: 'slo:good:sum15m',
  total: 'slo:total:sum15m',
  known: 'slo:known:sum15m',
  measured: 'sum_over_time',
};

/** How many slices were judged, good or bad: what is missing of them nobody recorded. */
const recorded = 'slo:recorded:sum15m';
const badSeconds = 'slo:bad_seconds:sum15m';
const seen = 'slo:observed:min15m';
const oldest = `slo:observed_first:min${retentionDays}d`;

const of = (record: string, slo: Slo) => `${record}{slo="${slo.name}"}`;

/** Whether `record` was recorded within the last quarter, this moment not included. */
const already = (record: string, offset = '') =>
  `count_over_time(${record}${range(quarterSeconds)}${offset})`;

/**
 * The slices of the last quarter, and of the one before if Prometheus was away when that ended.
 * All but a millisecond of it: the slices come from a group with an offset of its own, and a
 * slice on the edge would be in two quarters. `unless` keeps the quarters apart however often
 * this is evaluated; in a group with their interval it has nothing to do.
 */
function quarterRule(slo: Slo, record: string, over: string, slice: string): RecordingRule {
  const back = ` offset ${quarter}`;
  const sum = (offset = '') =>
    `${over}(${of(slice, slo)}[${quarterSeconds * 1000 - 1}ms]${offset})`;
  return {
    record,
    labels: { slo: slo.name },
    expr: `(
  ${sum()} + (${sum(back)} unless ${already(of(record, slo), back)})
  or ${sum()}
)
unless ${already(of(record, slo))}`,
  };
}

const quarterRules = (slo: Slo): RecordingRule[] => [
  quarterRule(slo, quarters.good, 'sum_over_time', slices.good),
  ...(isWallClock(slo) ? [] : [quarterRule(slo, quarters.total, 'sum_over_time', slices.total)]),
  quarterRule(slo, quarters.known, 'count_over_time', slices.known),
  quarterRule(slo, recorded, 'count_over_time', slices.good),
  quarterRule(slo, badSeconds, 'sum_over_time', 'slo:bad_seconds:slice15s'),
];

/**
 * In two steps as well: a minute's series over 35 days is as long as two quarters' over 28. Over two
 * quarters, so that none is left out when Prometheus came back at another moment of its own.
 */
const seenRules = (slo: Slo): RecordingRule[] => [
  {
    record: seen,
    labels: { slo: slo.name },
    expr: `min_over_time(${of('slo:observed:timestamp_seconds', slo)}[30m])\nunless ${already(of(seen, slo))}`,
  },
  {
    record: oldest,
    labels: { slo: slo.name },
    expr: `min_over_time(${of(seen, slo)}[${retentionDays}d])\nunless ${already(of(oldest, slo))}`,
  },
];

/**
 * When a host was first seen, for the windows of all groups. A day's outage of Prometheus is bridged.
 * Observation begins with the slice after the first minute: before that a rate has no two samples, an
 * exporter has counted a part of a slice, and both would be bad time that nobody had.
 */
export const observedRules: readonly RecordingRule[] = [
  {
    record: 'slo:observed:timestamp_seconds',
    expr: `timestamp(${slices.known}) + ${sliceSeconds}\nand ${slices.known} offset 1m`,
  },
  {
    record: firstSeen,
    expr: `last_over_time(${oldest}[1d])\nor min_over_time(slo:observed:timestamp_seconds[30m])`,
  },
];

/** The name of a result as it is at the end of a quarter. */
const held = (record: string) => `${record}_every15m`;

function windowRules(slo: Slo, periodDays: number): RecordingRule[] {
  const period = `${periodDays}d`;
  const long: [string, number][] = [
    ...Object.entries(windows).filter(([, seconds]) => seconds > windows['6h']),
    [period, periodDays * 86_400],
  ];
  return [
    ...long.map(([window, seconds]) => errorRatio(slo, window, seconds, quarters)),
    coverage(slo, '1d', 86_400, quarters),
    coverage(slo, period, periodDays * 86_400, quarters),
  ];
}

/** Only when a quarter has just ended: between, the last slices are in no quarter yet. */
function atQuarter(slo: Slo, { record, expr }: RecordingRule): RecordingRule {
  return {
    record: held(record),
    labels: { slo: slo.name },
    expr: `${expr}\nunless ${already(of(held(record), slo))}`,
  };
}

/** What stands for a sum of quarters before the first quarter is over. */
interface Young {
  readonly record: string;
  /** It holds all that was observed for so long. */
  readonly seconds: number;
}

/**
 * A result is as good as the last quarter; one that was missed is bridged. A host that is younger than
 * a quarter has none yet, and a shorter window holds the whole of its life.
 */
function shown(slo: Slo, { record }: Pick<RecordingRule, 'record'>, young?: Young): RecordingRule {
  const result = `last_over_time(${of(held(record), slo)}[31m])`;
  return {
    record,
    labels: { slo: slo.name },
    expr:
      young === undefined
        ? result
        : `${result}\nor ${of(young.record, slo)}\n  and time() - ${firstSeen} < ${young.seconds}`,
  };
}

/** Only what looks at the whole period: alerts on a day wait until there was one. */
function youngOf({ record }: RecordingRule, period: string): Young | undefined {
  if (record === `slo:sli_error:ratio_rate${period}`) {
    return { record: 'slo:sli_error:ratio_rate6h', seconds: windows['6h'] };
  }
  if (record === `slo:coverage:ratio_rate${period}`) {
    return { record: 'slo:coverage:ratio_rate1h', seconds: windows['1h'] };
  }
  return undefined;
}

/**
 * What is left of the budget of the whole period: two bad minutes on the first day are two of the
 * period's 201, not two of the seven that a day would have. Events are taken to go on as they came.
 */
const remaining = (slo: Slo): RecordingRule => ({
  record: 'slo:period_error_budget_remaining:ratio',
  labels: { slo: slo.name },
  expr: `1 - ${of('slo:period_burn_rate:ratio', slo)} * ${of('slo:period_elapsed:ratio', slo)}`,
});

/** How much of the period had been observed at `moment`. */
function elapsedRule(slo: Slo, periodDays: number, moment?: string): RecordingRule {
  const seconds = periodDays * 86_400;
  return {
    record: 'slo:period_elapsed:ratio',
    expr: `${observed(slo, seconds, moment)} / ${seconds}`,
  };
}

/**
 * At the end of the quarter that the sums end with, and before the first one at the slice that the window
 * which stands for them ends with: of a few minutes, a slice more would be several per cent more.
 */
function shownElapsed(slo: Slo, periodDays: number): RecordingRule {
  const rule = shown(slo, elapsedRule(slo, periodDays));
  const young = elapsedRule(slo, periodDays, `timestamp(${of('slo:sli_error:ratio_rate6h', slo)})`);
  return { ...rule, expr: `${rule.expr}\nor ${young.expr}` };
}

/** Bad seconds by cause; those of a first quarter straight from the slices. */
function shownSpent(slo: Slo, period: string): RecordingRule {
  const rule = shown(slo, { record: `slo:bad_seconds:sum${period}` });
  const slicesSoFar = `sum_over_time(${of('slo:bad_seconds:slice15s', slo)}${range(2 * quarterSeconds)})`;
  return {
    ...rule,
    expr: `${rule.expr}\nor ${slicesSoFar}\n  unless on (${target}, slo, queue) ${rule.expr}`,
  };
}

/** Bad seconds of the period by cause. Time in which nothing was recorded has no known cause. */
function spentRules(slo: Slo, periodDays: number): RecordingRule[] {
  const seconds = periodDays * 86_400;
  const record = held(`slo:bad_seconds:sum${periodDays}d`);
  const whole = range(seconds);
  const known = `{slo="${slo.name}",cause!="unknown"}`;
  const unknown = `{slo="${slo.name}",cause="unknown"}`;
  const unrecorded = isWallClock(slo)
    ? `\n  or clamp_min(${observed(slo, seconds)}\n    - ${sliceSeconds} * sum_over_time(${of(recorded, slo)}${whole}), 0)`
    : '';
  return [
    {
      record,
      labels: { slo: slo.name },
      expr: `sum_over_time(${badSeconds}${known}${whole})\nunless ${already(`${record}${known}`)}`,
    },
    {
      record,
      labels: { slo: slo.name, cause: 'unknown' },
      expr: `sum by (${target}, slo, queue) (\n  sum_over_time(${badSeconds}${unknown}${whole})${unrecorded}\n)\nunless on (${target}, slo, queue) ${already(`${record}${unknown}`)}`,
    },
  ];
}

/** Of an SLO the group that adds up, and the one that shows the sums. */
export function periodGroups(slo: Slo, periodDays: number): RuleGroup[] {
  const period = `${periodDays}d`;
  const results = windowRules(slo, periodDays);
  const elapsed = elapsedRule(slo, periodDays);
  return [
    {
      name: `slo_${slo.name}_period`,
      interval: quarter,
      rules: [
        ...seenRules(slo),
        ...quarterRules(slo),
        ...[...results, elapsed].map((rule) => atQuarter(slo, rule)),
        ...spentRules(slo, periodDays),
      ],
    },
    {
      name: `slo_${slo.name}_shown`,
      interval: '1m',
      rules: [
        ...results.map((rule) => shown(slo, rule, youngOf(rule, period))),
        shownSpent(slo, period),
        ofBudget(slo, 'slo:period_burn_rate:ratio', `slo:sli_error:ratio_rate${period}`),
        shownElapsed(slo, periodDays),
        remaining(slo),
      ],
    },
  ];
}
