/**
 * Recording and burn-rate rules from the SLO spec, under the names Sloth gives them, so that
 * dashboards made for Sloth work.
 */
import { sliceSeconds } from '../thresholds.ts';
import { causeExpression, causes, causeNow } from './causes.ts';
import { observedRules, periodGroups } from './period.ts';
import { coverage, errorRatio, firstSeen, isWallClock, ofBudget, slices } from './ratios.ts';
import type { AlertingRule, RecordingRule, RuleGroup } from './rule.ts';
import { slicesOf, target } from './slices.ts';
import { type BurnSeverity, type Slo, type SloSpec, windows } from './spec.ts';

const { good, total, known } = slices;
const labelsOf = (slo: Slo) => (slo.name === 'queue_latency' ? `${target}, queue` : target);

/**
 * By the wall clock every slice is good or bad, from the moment on that windows are counted from. A
 * slice before that would be spent on nobody's budget and still have a cause.
 */
function goodExpression(slo: Slo): string {
  const { good: expr } = slicesOf(slo);
  return isWallClock(slo)
    ? `(\n${expr}\n)\nand on (${target}) ${firstSeen}{slo="${slo.name}"} <= time()`
    : expr;
}

function sliceRules(slo: Slo): RecordingRule[] {
  const of = slicesOf(slo);
  const labels = { slo: slo.name };
  return [
    { record: known, labels, expr: `count by (${labelsOf(slo)}) (${of.known})` },
    ...(of.total === undefined ? [] : [{ record: total, labels, expr: of.total }]),
    { record: good, labels, expr: goodExpression(slo) },
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
    expr: `${sliceSeconds} * ${share}\n  * on (${target}) group_left (cause) ${causeNow}`,
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

/**
 * Nothing in a message, and the reason in the error of an engine whose templates are not Prometheus'. vmalert
 * writes what a rule found after its group has run, so what builds on it is a slice short, without a word.
 */
const prometheusOnly =
  '{{ if false }}{{ tableLink "not for vmalert: these rules build on one another within a group, which needs Prometheus (docs/existing-prometheus.md)" }}{{ end }}';

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
      description: `The objective is kept at 1x; this fires at ${pairs}. slo:bad_seconds:slice15s says by cause who spent the budget; time that nobody measured counts as bad and as cause unknown.${prometheusOnly}`,
    },
  };
}

/** Each window of an SLO, and how fast it burns. */
function windowRules(slo: Slo): RecordingRule[] {
  const short = Object.entries(windows).filter(([, seconds]) => seconds <= windows['6h']);
  return [
    ...short.map(([window, seconds]) => errorRatio(slo, window, seconds, slices)),
    coverage(slo, '1h', 3600, slices),
    ofBudget(slo, 'slo:current_burn_rate:ratio', 'slo:sli_error:ratio_rate5m'),
  ];
}

/**
 * Groups in the order they build on one another. An SLO has groups of its own: they are evaluated side by
 * side, and Mimir takes no more than 20 rules in one.
 */
export function sloGroups(spec: SloSpec): RuleGroup[] {
  const { slos, periodDays } = spec;
  const causeRules = causes.map((cause) => ({
    record: 'slo:cause:active',
    labels: { cause: cause.cause },
    expr: causeExpression(cause),
  }));
  const interval = `${sliceSeconds}s`;
  return [
    { name: 'slo_targets', interval: '1m', rules: slos.flatMap((s) => targetRules(s, periodDays)) },
    // Slices and windows in one group, so that a window ends at the very slice that was recorded last:
    // groups have offsets of their own, and one slice of 20 is more than the budget of most.
    ...slos.map((slo) => ({
      name: `slo_${slo.name}_slices`,
      interval,
      rules: [...sliceRules(slo), ...windowRules(slo)],
    })),
    // Up to a slice after those, which a cause outlasts: each looks back for a minute.
    {
      name: 'slo_causes',
      interval,
      rules: [...causeRules, ...slos.map(badSecondsRule)],
    },
    {
      name: 'slo_burn',
      interval,
      rules: [burnAlert(spec, 'page'), burnAlert(spec, 'ticket')],
    },
    { name: 'slo_observed', interval: '1m', rules: observedRules },
    ...slos.flatMap((slo) => periodGroups(slo, periodDays)),
  ];
}
