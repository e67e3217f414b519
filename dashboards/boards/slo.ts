/** The month: what was promised, what is left, who spent it. Rules: alerts/generated, names Sloth's. */
import { burnFactors, shippedSpec } from '../../alerts/slo/shipped.ts';
import { thresholds } from '../../alerts/thresholds.ts';
import { hourly, level } from '../kit/calendar.ts';
import { build, uids } from '../kit/dashboard.ts';
import { bars, table } from '../kit/grids.ts';
import { forensicsThen, overviewOf } from '../kit/links.ts';
import { type Meaning, colors } from '../kit/palette.ts';
import { lanes } from '../kit/state-timeline.ts';
import { falling, line, lines } from '../kit/panels.ts';
import { here, range } from '../kit/query.ts';

const days = shippedSpec().periodDays;
const page = burnFactors('page');
const ticket = burnFactors('ticket');

/** Every value of the table per objective and host: the worst queue. */
const worst = (aggregate: 'min' | 'max', expr: string) => `${aggregate} by (slo, host) (${expr})`;
/** A line per objective: the worst host. */
const worstHost = (aggregate: 'min' | 'max', expr: string) => `${aggregate} by (slo) (${expr})`;

const left = `slo:period_error_budget_remaining:ratio{${here}}`;
const burnRate = (window: '1h' | '6h') =>
  `${worst('max', `slo:sli_error:ratio_rate${window}{${here}}`)} / on (slo) group_left () max by (slo) (slo:error_budget:ratio)`;

/** Red from where a page fires on this window. */
const burnOver = (window: '1h' | '6h', title: string, bad: number) => ({
  title,
  expr: burnRate(window),
  unit: 'none',
  decimals: 1,
  width: 90,
  steps: [
    { from: null, color: 'text' },
    { from: ticket.slow, color: colors.degraded },
    { from: bad, color: colors.bad },
  ],
});

const never = -1;
const longer = days * 86_400;
/** At the pace of six hours, and no longer than the period: what was spent before that comes back. */
const emptyIn = `clamp_max(clamp_min(${worst('min', left)}, 0) * ${longer} / (${burnRate('6h')} > 0), ${longer}) or ${worst('min', left)} <= 0 or ${worst('min', left)} * 0 + ${never}`;

const unobserved =
  'Nothing is recorded yet: the first minute of a host is not counted. Later: no SLO rules are loaded in this Prometheus.';
/** Over a month a point is drawn every three quarters of an hour or so, and only at such times. */
const tooYoung = 'Too young for so long a range: choose a shorter one, at the top.';
const orYoung = 'In the first hour: choose a shorter range, at the top.';

const objectives = table({
  title: 'Objectives',
  description: `One row per promise and host, the emptiest budget first; of several queues the worst. *Left*: the part of the error budget of ${days} days not yet spent; below 0 the promise is broken. *Burn*: 1 spends exactly the budget in ${days} days. *Empty in*: at the pace of the last six hours. *Got*: what the period gave so far. *Measured*: share of the time in which anything was known; what is not known counts as bad. A dash: too young to say. Objectives are changed in alerts/slo.yml. \`slo:period_error_budget_remaining:ratio\` and the other rules made from it.`,
  w: 24,
  h: 8,
  columns: [
    { title: 'Objective', label: 'slo', width: 140 },
    {
      title: 'Left',
      expr: worst('min', left),
      unit: 'percentunit',
      decimals: 1,
      width: 80,
      steps: falling(thresholds.budgetLeftRatio),
    },
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    burnOver('1h', 'Burn 1 h', page.fast),
    burnOver('6h', 'Burn 6 h', page.slow),
    {
      title: 'Empty in',
      expr: emptyIn,
      unit: 's',
      decimals: 0,
      width: 110,
      meanings: [
        { value: 0, text: 'is empty', color: colors.bad },
        { value: never, text: 'not burning', color: 'text' },
        { value: longer, text: `over ${days} days`, color: 'text' },
      ],
    },
    {
      title: 'Got',
      expr: `1 - ${worst('max', `slo:sli_error:ratio_rate${days}d{${here}}`)}`,
      unit: 'percentunit',
      decimals: 2,
      width: 90,
    },
    {
      title: 'Promised',
      expr: `max by (slo) (slo:objective:ratio) * on (slo) group_right () ${worst('min', left)} ^ 0`,
      unit: 'percentunit',
      decimals: 1,
      width: 90,
    },
    {
      title: 'Measured',
      // A host without Redis is well measured, and promises nothing about one.
      expr: `${worst('min', `slo:coverage:ratio_rate${days}d{${here}}`)} and on (slo, host) ${left}`,
      unit: 'percentunit',
      decimals: 1,
      width: 90,
      steps: falling(thresholds.coverageRatio),
    },
  ],
  noValue: unobserved,
  sortBy: [
    { column: 'Left', smallestFirst: true },
    { column: 'Host', smallestFirst: true },
  ],
});

const burnDown = lines({
  title: 'Budget left, and even spending',
  description: `The unspent part of each ${days}-day budget, worst of the selected hosts. The grey line falls from all to nothing over the range shown: a budget above it lasts. \`slo:period_error_budget_remaining:ratio\`. A step down is an incident: click it to open the forensics there. The legend says the lowest. In the first hour the range is too long for a point. Below -100 %, spent twice, nothing more is drawn.`,
  w: 24,
  h: 9,
  unit: 'percentunit',
  max: 1,
  softMin: 0.95,
  values: ['min'],
  noValue: `${tooYoung} Later: no SLO rules are loaded.`,
  link: forensicsThen,
  lines: [
    line(`clamp_min(${worstHost('min', left)}, -1)`, '{{slo}}'),
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
  expr: `sum by (cause) (slo:bad_seconds:sum${days}d{${here},slo="host"}) > 0 or on () label_replace(sum(slo:bad_seconds:sum${days}d{${here},slo="host"}), "cause", "nobody", "", "")`,
  label: 'cause',
  softMax: 60,
  color: colors.steal,
  noValue: unobserved,
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
  noValue: `No bad second in this range, or nothing was recorded. ${orYoung}`,
  lines: [
    line(
      `sum by (cause) (avg_over_time(slo:bad_seconds:slice15s{${here},slo="host"}[$__rate_interval])) * 240`,
      '{{cause}}',
    ),
  ],
});

/** The bottom of a logarithmic axis, which has no 0. */
const nothingBurnt = 0.01;

const burn = lines({
  title: 'Burn rates of the host objective',
  description: `How many times faster than allowed the budget is spent, over 5 minutes, 1 hour, 6 hours. Dashed: ${page.fast} and ${page.slow} page a person, ${ticket.fast} and ${ticket.slow} open a ticket; each needs its long and its short window. Logarithmic, so that nothing burnt is drawn as ${nothingBurnt}. \`slo:sli_error:ratio_rate1h\` and its like.`,
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
  noValue: `${tooYoung} Later: no SLO rules are loaded.`,
  link: forensicsThen,
  lines: (['5m', '1h', '6h'] as const).map((window) =>
    line(
      `clamp_min(max(slo:sli_error:ratio_rate${window}{${here},slo="host"}) / scalar(max(slo:error_budget:ratio{slo="host"})), ${nothingBurnt})`,
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
  noValue: `${tooYoung} Later: no SLO rules are loaded.`,
  lines: [line(worstHost('min', `slo:coverage:ratio_rate1h{${here}}`), '{{slo}}')],
});

/** Bad minutes of an hour, in steps that are told apart. */
const hourMeanings: readonly Meaning[] = [
  { value: -1, text: 'no whole hour', color: colors.unknown },
  { value: 0, text: 'none', color: colors.ok },
  { value: 1, text: 'under 5 min', color: colors.degraded },
  { value: 2, text: 'over 5 min', color: colors.bad },
];

const calendar = lanes({
  title: 'Bad minutes, hour by hour',
  description:
    'One lane per objective, one cell per whole hour: how many of its minutes were bad, worst host. From `slo:sli_error:ratio_rate1h`. What repeats at the same time of day is a backup, or a neighbour with a schedule. *no whole hour*: it is not over, or nothing was recorded.',
  w: 24,
  h: 7,
  minStep: '1h',
  link: forensicsThen,
  meanings: hourMeanings,
  lanes: [
    range(
      hourly(
        `${level(worstHost('max', `slo:sli_error:ratio_rate1h{${here}} offset -1h`), [0, 5 / 60])} or ${worstHost('max', `slo:sli_error:ratio_rate1h{${here}}`)} * 0 - 1`,
        'slo',
      ),
      '{{slo}}',
    ),
  ],
});

const history = lines({
  title: 'Pages and tickets',
  description:
    'How many alerts of the selected hosts were firing, by severity. `ALERTS`. Pages without a dip in the budget above: the alert is too nervous. A dip without a page: it is too calm.',
  w: 24,
  h: 6,
  unit: 'none',
  min: 0,
  noValue: `No alert fired in this range. ${orYoung}`,
  link: forensicsThen,
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
