/**
 * Recording and burn-rate rules from the SLO spec, under the names Sloth gives them, so that
 * dashboards made for Sloth work. The difference is the divisor of a wall-clock SLO: the slices
 * that time allowed, not the slices that were measured. A ratio of counters calls a frozen host
 * healthy, because nothing ticks.
 */
import { retentionDays, sliceSeconds } from '../thresholds.ts';
import { causeExpression, causes } from './causes.ts';
import { slicesOf, target } from './slices.ts';
import { type BurnSeverity, type Slo, type SloSpec, windows } from './spec.ts';

export interface RecordingRule {
  readonly record: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly expr: string;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

const good = 'slo:good:slice15s';
const total = 'slo:total:slice15s';
const known = 'slo:known:slice15s';
const firstSeen = 'slo:observed_first:timestamp_seconds';

/**
 * A range that holds exactly as many slices as the window has. Prometheus 2 counts a sample on
 * the left edge of a range and Prometheus 3 does not; a second less, and neither has one there.
 */
const range = (seconds: number) => `[${seconds - 1}s]`;

const isWallClock = (slo: Slo) => slicesOf(slo).total === undefined;
const labelsOf = (slo: Slo) => (slo.name === 'queue_latency' ? `${target}, queue` : target);

function sliceRules(slo: Slo): RecordingRule[] {
  const slices = slicesOf(slo);
  const labels = { slo: slo.name };
  return [
    { record: known, labels, expr: `count by (${labelsOf(slo)}) (${slices.known})` },
    ...(slices.total === undefined ? [] : [{ record: total, labels, expr: slices.total }]),
    { record: good, labels, expr: slices.good },
  ];
}

/** The bad part of this slice in seconds, and the cause that held. */
function badSecondsRule(slo: Slo): RecordingRule {
  const selector = `{slo="${slo.name}"}`;
  const share = isWallClock(slo)
    ? `(1 - ${good}${selector})`
    : `(1 - ${good}${selector} / (${total}${selector} > 0))`;
  return {
    record: 'slo:bad_seconds:slice15s',
    labels: { slo: slo.name },
    expr: `${sliceSeconds} * ${share}\n  * on (${target}) group_left (cause) slo:cause:active`,
  };
}

/** How much of a window has passed since the host was first seen, in seconds. */
const observed = (slo: Slo, seconds: number) =>
  `clamp_max(time() - ${firstSeen}{slo="${slo.name}"} + ${sliceSeconds}, ${seconds})`;

function errorRatio(slo: Slo, window: string, seconds: number): RecordingRule {
  const selector = `{slo="${slo.name}"}${range(seconds)}`;
  const divisor = isWallClock(slo)
    ? `(${observed(slo, seconds)} / ${sliceSeconds})`
    : `sum_over_time(${total}${selector})`;
  return {
    record: `slo:sli_error:ratio_rate${window}`,
    labels: { slo: slo.name },
    expr: `clamp_min(1 - sum_over_time(${good}${selector})\n  / ${divisor}, 0)`,
  };
}

function coverage(slo: Slo, window: string, seconds: number): RecordingRule {
  return {
    record: `slo:coverage:ratio_rate${window}`,
    labels: { slo: slo.name },
    expr: `clamp_max(count_over_time(${known}{slo="${slo.name}"}${range(seconds)})\n  / (${observed(slo, seconds)} / ${sliceSeconds}), 1)`,
  };
}

/** 1 - 0.995 is 0.0050000000000000044 in binary; nobody wants to read that in a rule. */
const round = (value: number) => Number(value.toFixed(10));

function targetRules(slo: Slo, periodDays: number): RecordingRule[] {
  const labels = { slo: slo.name };
  return [
    { record: 'slo:objective:ratio', labels, expr: `vector(${round(slo.objective)})` },
    { record: 'slo:error_budget:ratio', labels, expr: `vector(${round(1 - slo.objective)})` },
    { record: 'slo:time_period:days', labels, expr: `vector(${periodDays})` },
  ];
}

function ofBudget(record: string, error: string): RecordingRule {
  return { record, expr: `${error} / on (slo) group_left () slo:error_budget:ratio` };
}

/** Bad seconds of the period by cause. Time in which nothing was recorded has no known cause. */
function spentRules({ slos, periodDays }: SloSpec): RecordingRule[] {
  const period = `${periodDays}d`;
  const seconds = periodDays * 86_400;
  const unrecorded = slos
    .filter(isWallClock)
    .map(
      (slo) =>
        `  or clamp_min(${observed(slo, seconds)}\n    - ${sliceSeconds} * count_over_time(${good}{slo="${slo.name}"}${range(seconds)}), 0)`,
    );
  return [
    {
      record: `slo:bad_seconds:sum${period}`,
      expr: `sum_over_time(slo:bad_seconds:slice15s{cause!="unknown"}${range(seconds)})`,
    },
    {
      record: `slo:bad_seconds:sum${period}`,
      labels: { cause: 'unknown' },
      expr: `sum by (${target}, slo, queue) (\n  sum_over_time(slo:bad_seconds:slice15s{cause="unknown"}${range(seconds)})\n${unrecorded.join('\n')}\n)`,
    },
  ];
}

/** Fires when any pair of windows burns; its value is the burn rate in the long window. */
function burnExpression({ slos, burnRates }: SloSpec, severity: BurnSeverity): string {
  const names = slos.filter(({ alerts }) => alerts.includes(severity)).map(({ name }) => name);
  const selector = `{slo=~"${names.join('|')}"}`;
  const burns = (window: string, factor: number) =>
    `slo:sli_error:ratio_rate${window}${selector} / on (slo) group_left () slo:error_budget:ratio > ${factor}`;
  return burnRates
    .filter((rate) => rate.severity === severity)
    .map(
      ({ factor, short, long }) =>
        `(\n  ${burns(long, factor)}\n  and ${burns(short, factor)}\n  and time() - ${firstSeen} >= ${windows[long]}\n)`,
    )
    .join('\nor\n');
}

/**
 * The short windows stay bad for up to half an hour after the trouble is over. Where a page of a
 * layer below has spoken in that time, everything is said: this one is for trouble without a name.
 */
const unlessNamed = `unless on (host) count_over_time(ALERTS{severity="page",layer=~"host|redis|asynq",alertstate="firing"}[30m])`;

function burnAlert(spec: SloSpec, severity: BurnSeverity): AlertingRule {
  const pairs = spec.burnRates
    .filter((rate) => rate.severity === severity)
    .map(({ factor, short, long }) => `${factor}x in ${short} and ${long}`)
    .join(', or ');
  const what = '{{ $labels.slo }}{{ with $labels.queue }} of queue {{ . }}{{ end }}';
  return {
    alert: severity === 'page' ? 'ErrorBudgetBurnFast' : 'ErrorBudgetBurnSlow',
    expr:
      severity === 'page'
        ? `(\n${burnExpression(spec, severity)}\n)\n${unlessNamed}`
        : burnExpression(spec, severity),
    labels: { severity },
    annotations: {
      summary: `{{ $labels.host }}: the error budget of ${what} burns {{ $value | printf "%.1f" }} times as fast as it may.`,
      description: `The objective is kept at 1x; this fires at ${pairs}. slo:bad_seconds:slice15s says by cause who spent the budget; time that nobody measured counts as bad and as cause unknown.`,
    },
  };
}

/** Groups in the order they build on one another. */
export function sloGroups(spec: SloSpec): RuleGroup[] {
  const { slos, periodDays } = spec;
  const period = `${periodDays}d`;
  const all = Object.entries(windows);
  const short = all.filter(([, seconds]) => seconds <= windows['6h']);
  const long: [string, number][] = [
    ...all.filter(([, seconds]) => seconds > windows['6h']),
    [period, periodDays * 86_400],
  ];
  const slices = [
    ...slos.flatMap(sliceRules),
    ...causes.map((cause) => ({
      record: 'slo:cause:active',
      labels: { cause: cause.cause },
      expr: causeExpression(cause),
    })),
    ...slos.map(badSecondsRule),
  ];
  const seen = [
    { record: 'slo:observed:timestamp_seconds', expr: `timestamp(${known})` },
    {
      record: firstSeen,
      expr: `min_over_time(slo:observed:timestamp_seconds[${retentionDays}d])`,
    },
  ];
  const fast = slos.flatMap((slo) => [
    ...short.map(([window, seconds]) => errorRatio(slo, window, seconds)),
    coverage(slo, '1h', 3600),
  ]);
  const slow = slos.flatMap((slo) => [
    ...long.map(([window, seconds]) => errorRatio(slo, window, seconds)),
    coverage(slo, '1d', 86_400),
    coverage(slo, period, periodDays * 86_400),
  ]);
  const derived = [
    ofBudget('slo:period_burn_rate:ratio', `slo:sli_error:ratio_rate${period}`),
    {
      record: 'slo:period_error_budget_remaining:ratio',
      expr: '1 - slo:period_burn_rate:ratio',
    },
    ...spentRules(spec),
  ];
  return [
    { name: 'slo_targets', interval: '1m', rules: slos.flatMap((s) => targetRules(s, periodDays)) },
    // One group, so that a window ends at the very slice that was recorded last: groups have
    // offsets of their own, and one slice of 20 is more than the budget of most.
    {
      name: 'slo_slices',
      interval: `${sliceSeconds}s`,
      rules: [
        ...slices,
        ...fast,
        ofBudget('slo:current_burn_rate:ratio', 'slo:sli_error:ratio_rate5m'),
        burnAlert(spec, 'page'),
        burnAlert(spec, 'ticket'),
      ],
    },
    { name: 'slo_observed', interval: '1m', rules: seen },
    { name: 'slo_period', interval: '2m', rules: [...slow, ...derived] },
  ];
}
