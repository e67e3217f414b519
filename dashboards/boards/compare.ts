/** Hosts and providers side by side, over a week: who takes what, and what a core really costs. */
import { thresholds } from '../../alerts/thresholds.ts';
import { hourly, level } from '../kit/calendar.ts';
import { build, labelVariable, uids } from '../kit/dashboard.ts';
import { bars, table } from '../kit/grids.ts';
import { comparisonOfProvider, forensicsAround, overviewOf } from '../kit/links.ts';
import { type Meaning, colors } from '../kit/palette.ts';
import { lanes } from '../kit/state-timeline.ts';
import { falling, line, lines, rising } from '../kit/panels.ts';
import { here, range } from '../kit/query.ts';

/** A host may lack the label: "All" stands for anything, also nothing. */
const provider = labelVariable({
  name: 'provider',
  label: 'Provider',
  query: 'label_values(stealwatch_build_info{job=~"$job"}, provider)',
  allValue: '.*',
});

const sel = `${here},provider=~"$provider"`;

/** Seconds that the exporter counted; under a day of them nothing should be concluded. */
const observed = `sum by (host, provider) (increase(stealwatch_seconds_total{${sel}}[$__range]))`;
const day = 86_400;

/** Inside the lowest bucket there is nothing to interpolate: that is 0, shown as "under 1 %". */
function demand(quantile: number): string {
  const value = `histogram_quantile(${quantile}, sum by (host, provider, le) (increase(stealwatch_steal_demand_ratio_bucket{${sel}}[$__range])))`;
  return `(${value} > 0.01) or ${value} * 0`;
}

const underOne = [{ value: 0, text: 'under 1 %', color: 'text' }] as const;

const league = table({
  title: 'League table',
  description:
    'Each host over the range, the worst first. *Steal p50, p95*: of the seconds with demand, the share the host denied (upper bound of a bucket, interpolated). *Over 5 %*: how long that was so, all such seconds together. *Worst 2 min*: the mean of the worst two minutes, which may be below p95: that one is of single seconds. *Observed*: time measured; under a day it is grey, conclude nothing from it. From `stealwatch_steal_demand_ratio` and `stealwatch_seconds_total`. Sort by any column.',
  w: 24,
  h: 7,
  columns: [
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    {
      title: 'Steal p95',
      expr: demand(0.95),
      unit: 'percentunit',
      decimals: 1,
      width: 125,
      steps: rising(thresholds.stealRatio),
      meanings: underOne,
    },
    {
      title: 'Over 5 %',
      expr: `sum by (host, provider) (increase(stealwatch_steal_demand_ratio_count{${sel}}[$__range])) - sum by (host, provider) (increase(stealwatch_steal_demand_ratio_bucket{${sel},le="0.05"}[$__range]))`,
      unit: 's',
      width: 100,
    },
    {
      title: 'Worst 2 min',
      expr: `max by (host, provider) (max_over_time(instance:stealwatch_steal_of_demand:ratio2m{${sel}}[$__range]))`,
      unit: 'percentunit',
      decimals: 0,
      width: 140,
    },
    {
      title: 'Observed',
      expr: observed,
      unit: 's',
      decimals: 1,
      width: 110,
      steps: [
        { from: null, color: colors.unknown },
        { from: day, color: 'text' },
      ],
    },
    {
      title: 'Steal p50',
      expr: demand(0.5),
      unit: 'percentunit',
      decimals: 1,
      width: 95,
      meanings: underOne,
    },
    { title: 'Provider', label: 'provider', width: 140 },
  ],
  noValue: 'No host was observed in this range.',
  // Most hosts are under 1 %: without a second column they would change places with every reload.
  sortBy: [
    { column: 'Steal p95' },
    { column: 'Worst 2 min' },
    { column: 'Host', smallestFirst: true },
  ],
});

const harm = table({
  title: 'Harm done',
  description:
    'What the host did besides steal. *Stall*: the longest. *Paged*: minutes in which at least one page of the VM had to be brought back by the host. *Budget*: of the host objective, what is left of the period. *Hung*: hung task reports. *Up*: share of scrapes answered. *Not offered*: this VM cannot show it, so its absence proves nothing. `stealwatch_stall_longest_seconds`, `stealwatch_hung_task_reports_total`, `instance:stealwatch_paged:minutes`, `slo:period_error_budget_remaining:ratio`.',
  w: 24,
  h: 7,
  columns: [
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    {
      title: 'Stall',
      expr: `max by (host, provider) (max_over_time(stealwatch_stall_longest_seconds{${sel}}[$__range]))`,
      unit: 's',
      width: 95,
      steps: rising(thresholds.stallSeconds),
    },
    {
      title: 'Paged',
      expr: `max by (host, provider) (sum_over_time(instance:stealwatch_paged:minutes{${sel}}[$__range])) or on (host) max by (host, provider) (stealwatch_signal_supported{${sel},signal="async_page_faults"} == 0) - 1`,
      unit: 'm',
      decimals: 0,
      width: 105,
      meanings: [{ value: -1, text: 'not offered', color: colors.unknown }],
    },
    {
      title: 'Budget',
      expr: `min by (host, provider) (slo:period_error_budget_remaining:ratio{${here},slo="host"} * on (host, job, instance) group_left (provider) group without () (up{${sel}}))`,
      unit: 'percentunit',
      decimals: 1,
      width: 90,
      steps: falling(thresholds.budgetLeftRatio),
    },
    {
      title: 'Hung',
      expr: `sum by (host, provider) (increase(stealwatch_hung_task_reports_total{${sel}}[$__range])) or on (host) max by (host, provider) (stealwatch_signal_supported{${sel},signal="hung_task_log"} == 0) - 1`,
      unit: 'none',
      decimals: 0,
      width: 105,
      meanings: [{ value: -1, text: 'not offered', color: colors.unknown }],
    },
    {
      title: 'Up',
      expr: `avg by (host, provider) (avg_over_time(up{${sel}}[$__range]))`,
      unit: 'percentunit',
      decimals: 2,
      width: 95,
    },
    { title: 'Provider', label: 'provider', width: 140 },
  ],
  noValue: 'No host was observed in this range.',
  sortBy: [{ column: 'Stall' }, { column: 'Host', smallestFirst: true }],
});

/** Share of all CPUs in an hour, in steps that are told apart. */
const hourMeanings: readonly Meaning[] = [
  { value: -1, text: 'not measured', color: colors.unknown },
  { value: 0, text: 'under 1 %', color: colors.ok },
  { value: 1, text: '1 to 5 %', color: colors.neutral },
  { value: 2, text: 'over 5 %', color: colors.degraded },
  { value: 3, text: 'over 20 %', color: colors.bad },
];

const stolenOfHour = `sum by (host) (increase(stealwatch_cpu_seconds_total{${sel},mode="steal"}[1h] offset -1h)) / sum by (host) (increase(stealwatch_cpu_seconds_total{${sel}}[1h] offset -1h) > 0)`;

const calendar = lanes({
  title: 'Steal, hour by hour',
  description:
    'One lane per host, one cell per whole hour: the share of the time of all its CPUs that the host took. `stealwatch_cpu_seconds_total{mode="steal"}`. What repeats at one time of day is a backup of the provider, or a neighbour with a schedule. The last cell is of the hour so far.',
  w: 24,
  h: 8,
  minStep: '1h',
  perPage: 12,
  link: forensicsAround,
  meanings: hourMeanings,
  lanes: [
    range(
      hourly(
        level(stolenOfHour, [0.01, thresholds.stealRatio.warn, thresholds.stealRatio.bad]),
        'host',
      ),
      '{{host}}',
    ),
  ],
});

/** "1.0" of the exporter is "1" once an OpenTelemetry collector has handed it on. */
const stallsLonger = (le: string) =>
  `sum by (provider) (increase(stealwatch_stall_seconds_count{${sel}}[$__range])) - sum by (provider) (increase(stealwatch_stall_seconds_bucket{${sel},le=~"${le}"}[$__range]))`;

const stallTable = table({
  title: 'Stalls per provider',
  description:
    'How many times a sleeping thread was woken later than this, all hosts of a provider together. `stealwatch_stall_seconds`, its own wait for a CPU taken out. Divide by the hours observed before you compare.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Provider', label: 'provider', link: comparisonOfProvider },
    { title: 'Over 0.1 s', width: 85, expr: stallsLonger('0[.]1'), unit: 'short', decimals: 0 },
    { title: 'Over 1 s', width: 85, expr: stallsLonger('1|1[.]0'), unit: 'short', decimals: 0 },
    { title: 'Over 10 s', width: 85, expr: stallsLonger('10|10[.]0'), unit: 'short', decimals: 0 },
    {
      title: 'Hours',
      expr: `sum by (provider) (increase(stealwatch_seconds_total{${sel}}[$__range])) / 3600`,
      unit: 'none',
      decimals: 1,
      width: 75,
    },
  ],
  noValue: 'No host was observed in this range.',
});

const unrecorded =
  'Nothing is recorded yet, in the first two minutes of a host. Later: alerts/generated/dashboards.yml is not loaded.';

const hours = bars({
  title: 'Steal by hour of day (UTC)',
  description:
    "Mean share of all CPUs the host took, by hour of the day, all selected hosts. `instance_hour:stealwatch_cpu_stolen:ratio2m`. A quiet time for your batch jobs, or the hour of the provider's backups.",
  w: 12,
  h: 8,
  unit: 'percentunit',
  expr: `avg by (hour) (avg_over_time(instance_hour:stealwatch_cpu_stolen:ratio2m{${sel}}[$__range]))`,
  label: 'hour',
  softMax: 0.05,
  numeric: true,
  color: colors.steal,
  noValue: unrecorded,
});

const steal = lines({
  title: 'Steal, host by host',
  description:
    'Share of the CPU time asked for that the host did not give, the worst two minutes of each step. `instance:stealwatch_steal_of_demand:ratio2m`.',
  w: 12,
  h: 8,
  unit: 'percentunit',
  min: 0,
  minStep: '2m',
  link: forensicsAround,
  noValue:
    'Too young for so long a range: choose a shorter one, at the top. Later: alerts/generated/dashboards.yml is not loaded.',
  lines: [
    line(
      `max_over_time(instance:stealwatch_steal_of_demand:ratio2m{${sel}}[$__rate_interval])`,
      '{{host}}',
    ),
  ],
});

const value = table({
  title: 'What a core really costs',
  description:
    'Cores left after steal, and per unit of money where the scrape job sets a label `price` (per month, your currency): the mean of the range. The more the better. `stealwatch_cpus`, `instance:stealwatch_cpu_stolen:ratio2m`.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Host', label: 'host', link: overviewOf('Host') },
    { title: 'Price', label: 'price', width: 80 },
    {
      title: 'Effective cores',
      expr: `max by (host, price) (last_over_time(stealwatch_cpus{${sel}}[$__range]) * on (host, job, instance) group_left () (1 - avg_over_time(instance:stealwatch_cpu_stolen:ratio2m{${sel}}[$__range])))`,
      unit: 'none',
      decimals: 2,
    },
  ],
  noValue: unrecorded,
  transformations: [
    {
      id: 'convertFieldType',
      options: { conversions: [{ targetField: 'Price', destinationType: 'number' }], fields: {} },
    },
    {
      id: 'calculateField',
      options: {
        alias: 'Cores per money',
        binary: { left: 'Effective cores', operator: '/', right: 'Price' },
        mode: 'binary',
        reduce: { reducer: 'sum' },
        replaceFields: false,
      },
    },
  ],
});

export const compare = build({
  uid: uids.compare,
  description:
    'Who takes what, over a week. Set the labels `provider` and `price` in the scrape job to group by them.',
  from: '7d',
  refresh: '',
  variables: [provider],
  panels: [league, harm, calendar, hours, stallTable, steal, value],
});
