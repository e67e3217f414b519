/** The month: what was promised, what is left, who spent it. Rules: alerts/generated, names Sloth's. */
import { burnFactors, shippedSpec } from '../../alerts/slo/shipped.ts';
import { thresholds } from '../../alerts/thresholds.ts';
import { build, uids } from '../kit/dashboard.ts';
import { bars, heat, table } from '../kit/grids.ts';
import { colors } from '../kit/palette.ts';
import { falling, line, lines } from '../kit/panels.ts';
import { here, range } from '../kit/query.ts';

const days = shippedSpec().periodDays;
const page = burnFactors('page');
const ticket = burnFactors('ticket');

/** Every value of the table per objective: the worst host, the worst queue. */
const worst = (aggregate: 'min' | 'max', expr: string) => `${aggregate} by (slo) (${expr})`;

/** Red from where a page fires on this window. */
const burnOver = (window: '1h' | '6h', title: string, bad: number) => ({
  title,
  expr: `${worst('max', `slo:sli_error:ratio_rate${window}{${here}}`)} / on (slo) max by (slo) (slo:error_budget:ratio)`,
  unit: 'none',
  decimals: 1,
  steps: [
    { from: null, color: 'text' },
    { from: ticket.slow, color: colors.degraded },
    { from: bad, color: colors.bad },
  ],
});

const objectives = table({
  title: 'Objectives',
  description: `One row per promise, the worst of the selected hosts and queues. *Got*: what the period gave so far. *Left*: the part of the error budget not yet spent; below 0 the promise is broken. *Burn*: 1 spends exactly the budget in ${days} days. *Empty in*: at the pace of the last six hours. *Measured*: share of the time in which anything was known; what is not known counts as bad. Objectives are changed in alerts/slo.yml.`,
  w: 24,
  h: 8,
  columns: [
    { title: 'Objective', label: 'slo' },
    {
      title: 'Left',
      expr: worst('min', `slo:period_error_budget_remaining:ratio{${here}}`),
      unit: 'percentunit',
      decimals: 0,
      steps: falling(thresholds.budgetLeftRatio),
    },
    burnOver('1h', 'Burn 1 h', page.fast),
    {
      title: 'Empty in',
      expr: `clamp_min(${worst('min', `slo:period_error_budget_remaining:ratio{${here}}`)}, 0) * on (slo) max by (slo) (slo:time_period:days) * 86400 / on (slo) (${worst('max', `slo:sli_error:ratio_rate6h{${here}}`)} / on (slo) max by (slo) (slo:error_budget:ratio) > 0)`,
      unit: 's',
      decimals: 0,
      meanings: [{ value: 0, text: 'is empty', color: colors.bad }],
    },
    {
      title: 'Got',
      expr: `1 - ${worst('max', `slo:sli_error:ratio_rate${days}d{${here}}`)}`,
      unit: 'percentunit',
      decimals: 2,
    },
    {
      title: 'Promised',
      expr: 'max by (slo) (slo:objective:ratio)',
      unit: 'percentunit',
      decimals: 1,
    },
    burnOver('6h', 'Burn 6 h', page.slow),
    {
      title: 'Measured',
      expr: worst('min', `slo:coverage:ratio_rate${days}d{${here}}`),
      unit: 'percentunit',
      decimals: 1,
      steps: falling(thresholds.coverageRatio),
    },
  ],
  noValue: 'No SLO rules are loaded in this Prometheus.',
});

const burnDown = lines({
  title: 'Budget left, and what even spending would leave',
  description: `The unspent part of each ${days}-day budget, worst of the selected hosts. The grey line falls from all to nothing over the range shown: a budget above it lasts. \`slo:period_error_budget_remaining:ratio\`. A step down is an incident: open the forensics there. The axis ends at -100 %: spent twice.`,
  w: 24,
  h: 9,
  unit: 'percentunit',
  min: -1,
  max: 1,
  lines: [
    line(worst('min', `slo:period_error_budget_remaining:ratio{${here}}`), '{{slo}}'),
    line('(vector($__to / 1000) - time()) / $__range_s', 'even spending', {
      color: colors.neutral,
      dashed: true,
    }),
  ],
});

const spenders = bars({
  title: 'Who spent the host budget',
  description: `Bad seconds of the period by cause, the first that held in each slice of 15 s: what the host did comes before what we did. *unknown*: nothing was measured, or nothing explains it. \`slo:bad_seconds:sum${days}d\`. host_cpu and host_memory together are the argument for another provider.`,
  w: 12,
  h: 9,
  unit: 's',
  expr: `sum by (cause) (slo:bad_seconds:sum${days}d{${here},slo="host"})`,
  label: 'cause',
  color: colors.steal,
  noValue: 'Nobody: no bad second in the period.',
});

const spentByTime = lines({
  title: 'Bad seconds by cause, over time',
  description:
    'When the host budget was spent and on what: bad seconds per hour. `slo:bad_seconds:slice15s`. Nothing at all is the good case.',
  w: 12,
  h: 9,
  unit: 's',
  min: 0,
  minStep: '1m',
  noValue: 'No bad second in this range.',
  lines: [
    line(
      `sum by (cause) (avg_over_time(slo:bad_seconds:slice15s{${here},slo="host"}[$__rate_interval])) * 240`,
      '{{cause}}',
    ),
  ],
});

const burn = lines({
  title: 'Burn rates of the host objective',
  description: `How many times faster than allowed the budget is spent, over 5 minutes, 1 hour, 6 hours. Dashed: ${page.fast} and ${page.slow} page a person, ${ticket.fast} and ${ticket.slow} open a ticket; each needs its long and its short window. Logarithmic.`,
  w: 12,
  h: 9,
  unit: 'none',
  logarithmic: true,
  limits: [
    { from: null, color: 'transparent' },
    { from: ticket.slow, color: colors.neutral },
    { from: ticket.fast, color: colors.degraded },
    { from: page.slow, color: colors.degraded },
    { from: page.fast, color: colors.bad },
  ],
  noValue: 'No SLO rules are loaded in this Prometheus.',
  lines: (['5m', '1h', '6h'] as const).map((window) =>
    line(
      `max(slo:sli_error:ratio_rate${window}{${here},slo="host"}) / scalar(max(slo:error_budget:ratio{slo="host"})) > 0`,
      window,
    ),
  ),
});

const coverage = lines({
  title: 'Measured share of the time',
  description:
    'Share of each hour in which the objective was measured at all, worst host. `slo:coverage:ratio_rate1h`. Below 95 % an objective is a guess; the missing time counts as bad.',
  w: 12,
  h: 9,
  unit: 'percentunit',
  min: 0,
  max: 1,
  limits: [
    { from: null, color: colors.bad },
    { from: thresholds.coverageRatio.bad, color: 'transparent' },
  ],
  noValue: 'No SLO rules are loaded in this Prometheus.',
  lines: [line(worst('min', `slo:coverage:ratio_rate1h{${here}}`), '{{slo}}')],
});

const calendar = heat({
  title: 'Bad minutes calendar',
  description:
    'One cell per hour and objective: bad minutes of that hour, worst host. The strongest is a whole bad hour. From `slo:sli_error:ratio_rate1h`. Columns that repeat at the same time of day: backups or a neighbour with a schedule.',
  w: 24,
  h: 7,
  unit: 'm',
  cell: '1h',
  color: colors.degraded,
  max: 60,
  queries: [range(`${worst('max', `slo:sli_error:ratio_rate1h{${here}}`)} * 60`, '{{slo}}')],
});

const history = lines({
  title: 'Pages and tickets',
  description:
    'How many alerts of the selected hosts were firing, by severity. `ALERTS`. Pages without a dip in the budget above: the alert is too nervous. A dip without a page: it is too calm.',
  w: 24,
  h: 6,
  unit: 'none',
  min: 0,
  noValue: 'No alert fired in this range.',
  lines: [
    line(
      'count by (severity) (max_over_time(ALERTS{alertstate="firing",severity=~"page|ticket",host=~"$host"}[$__rate_interval]))',
      '{{severity}}',
    ),
  ],
});

export const slo = build({
  uid: uids.slo,
  description: `What was promised over ${days} days, what is left of it, and who spent it. A slice of time that was not proven good is bad: the objective cannot be met by being dead.`,
  from: `${days}d`,
  refresh: '5m',
  panels: [objectives, burnDown, spenders, spentByTime, burn, coverage, calendar, history],
});
