/** Hosts and providers side by side, over a week: who takes what, and what a core really costs. */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, labelVariable, uids } from '../kit/dashboard.ts';
import { bars, heat, table } from '../kit/grids.ts';
import { colors } from '../kit/palette.ts';
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

/** Hours of which the exporter counted the seconds; under a day nothing should be concluded. */
const observed = `sum by (host, provider) (increase(stealwatch_seconds_total{${sel}}[$__range])) / 3600`;

/** Inside the lowest bucket there is nothing to interpolate: that is 0, shown as "under 1 %". */
function demand(quantile: number): string {
  const value = `histogram_quantile(${quantile}, sum by (host, provider, le) (increase(stealwatch_steal_demand_ratio_bucket{${sel}}[$__range])))`;
  return `(${value} > 0.01) or ${value} * 0`;
}

const underOne = [{ value: 0, text: 'under 1 %', color: 'text' }] as const;

const league = table({
  title: 'League table',
  description:
    'Each host over the range. *Steal p50, p95*: of the seconds with demand, the share the host denied (upper bound of a bucket, interpolated). *Over 5 %*: hours of such seconds. *Observed*: hours measured; a host under 24 h is grey there, conclude nothing from it. From `stealwatch_steal_demand_ratio` and `stealwatch_seconds_total`. Sort by any column.',
  w: 24,
  h: 9,
  columns: [
    { title: 'Host', label: 'host' },
    {
      title: 'Steal p95',
      expr: demand(0.95),
      unit: 'percentunit',
      decimals: 1,
      steps: rising(thresholds.stealRatio),
      meanings: underOne,
    },
    {
      title: 'Over 5 %',
      expr: `sum by (host, provider) (increase(stealwatch_steal_demand_ratio_count{${sel}}[$__range])) / 3600 - sum by (host, provider) (increase(stealwatch_steal_demand_ratio_bucket{${sel},le="0.05"}[$__range])) / 3600`,
      unit: 'h',
      decimals: 1,
    },
    {
      title: 'Observed',
      expr: observed,
      unit: 'h',
      decimals: 0,
      steps: [
        { from: null, color: colors.unknown },
        { from: 24, color: 'text' },
      ],
    },
    { title: 'Steal p50', expr: demand(0.5), unit: 'percentunit', decimals: 1, meanings: underOne },
    {
      title: 'Steal max',
      expr: `max by (host, provider) (max_over_time(instance:stealwatch_steal_of_demand:ratio2m{${sel}}[$__range]))`,
      unit: 'percentunit',
      decimals: 0,
    },
    { title: 'Provider', label: 'provider' },
  ],
  noValue: 'No host was observed in this range.',
  sortBy: 'Steal p95',
});

const harm = table({
  title: 'Harm done',
  description:
    'What the host did besides steal. *Paged*: minutes in which at least one page of the VM had to be brought back by the host. *Stall*: the longest. *Hung*: hung task reports. *Up*: share of scrapes answered. *Budget*: of the host objective, what is left.',
  w: 24,
  h: 9,
  columns: [
    { title: 'Host', label: 'host' },
    {
      title: 'Stall',
      expr: `max by (host, provider) (max_over_time(stealwatch_stall_longest_seconds{${sel}}[$__range]))`,
      unit: 's',
      steps: rising(thresholds.stallSeconds),
    },
    {
      title: 'Paged',
      expr: `max by (host, provider) (sum_over_time(instance:stealwatch_paged:minutes{${sel}}[$__range])) or on (host) max by (host, provider) (stealwatch_signal_supported{${sel},signal="async_page_faults"} == 0) - 1`,
      unit: 'm',
      decimals: 0,
      meanings: [{ value: -1, text: 'not offered', color: colors.unknown }],
    },
    {
      title: 'Budget',
      expr: `min by (host, provider) (slo:period_error_budget_remaining:ratio{${here},slo="host"} * on (host, job, instance) group_left (provider) group without () (up{${sel}}))`,
      unit: 'percentunit',
      decimals: 0,
      steps: falling(thresholds.budgetLeftRatio),
    },
    {
      title: 'Hung',
      expr: `sum by (host, provider) (increase(stealwatch_hung_task_reports_total{${sel}}[$__range])) or on (host) max by (host, provider) (stealwatch_signal_supported{${sel},signal="hung_task_log"} == 0) - 1`,
      unit: 'none',
      decimals: 0,
      meanings: [{ value: -1, text: 'not offered', color: colors.unknown }],
    },
    {
      title: 'Up',
      expr: `avg by (host, provider) (avg_over_time(up{${sel}}[$__range]))`,
      unit: 'percentunit',
      decimals: 2,
    },
    { title: 'Provider', label: 'provider' },
  ],
  noValue: 'No host was observed in this range.',
});

const calendar = heat({
  title: 'Steal calendar',
  description:
    'One cell per hour and host: CPU-minutes the host took in that hour. `stealwatch_cpu_seconds_total{mode="steal"}`. Columns that repeat at one time of day: backups of the provider, or a neighbour with a schedule.',
  w: 24,
  h: 8,
  unit: 'm',
  cell: '1h',
  color: colors.degraded,
  queries: [
    range(
      `sum by (host) (increase(stealwatch_cpu_seconds_total{${sel},mode="steal"}[1h])) / 60`,
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
    { title: 'Provider', label: 'provider' },
    { title: 'Over 0.1 s', expr: stallsLonger('0[.]1'), unit: 'short', decimals: 0 },
    { title: 'Over 1 s', expr: stallsLonger('1|1[.]0'), unit: 'short', decimals: 0 },
    { title: 'Over 10 s', expr: stallsLonger('10|10[.]0'), unit: 'short', decimals: 0 },
    {
      title: 'Hours',
      expr: `sum by (provider) (increase(stealwatch_seconds_total{${sel}}[$__range])) / 3600`,
      unit: 'h',
      decimals: 0,
    },
  ],
  noValue: 'No host was observed in this range.',
});

const hours = bars({
  title: 'Steal by hour of day (UTC)',
  description:
    "Mean share of all CPUs the host took, by hour of the day, all selected hosts. `instance_hour:stealwatch_cpu_stolen:ratio2m`. A quiet time for your batch jobs, or the hour of the provider's backups.",
  w: 12,
  h: 8,
  unit: 'percentunit',
  expr: `avg by (hour) (avg_over_time(instance_hour:stealwatch_cpu_stolen:ratio2m{${sel}}[$__range]))`,
  label: 'hour',
  numeric: true,
  color: colors.steal,
  noValue: 'The recording rules of the dashboards are not loaded.',
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
  noValue: 'The recording rules of the dashboards are not loaded.',
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
    { title: 'Host', label: 'host' },
    { title: 'Price', label: 'price' },
    {
      title: 'Effective cores',
      expr: `max by (host, price) (last_over_time(stealwatch_cpus{${sel}}[$__range]) * on (host, job, instance) group_left () (1 - avg_over_time(instance:stealwatch_cpu_stolen:ratio2m{${sel}}[$__range])))`,
      unit: 'none',
      decimals: 2,
    },
  ],
  noValue: 'The recording rules of the dashboards are not loaded.',
  transformations: [
    {
      id: 'convertFieldType',
      options: { conversions: [{ targetField: 'Price', destinationType: 'number' }], fields: {} },
    },
    {
      id: 'calculateField',
      options: {
        alias: 'Cores per unit of money',
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
