/** Is it the host, is it Redis, is it the queues, who is told? The worst first, and where to go from there. */
import { thresholds } from '../../alerts/thresholds.ts';
import { budgetLeft } from '../kit/budget.ts';
import { build, uids } from '../kit/dashboard.ts';
import { table } from '../kit/grids.ts';
import { forensicsAround } from '../kit/links.ts';
import { colors, notOffered } from '../kit/palette.ts';
import { lanes } from '../kit/state-timeline.ts';
import { type Panel, falling, figure, line, lines, plain, rising } from '../kit/panels.ts';
import { pressureLines } from '../kit/pressure.ts';
import { here, instant, range } from '../kit/query.ts';
import { verdictOverTime, verdictWords } from '../kit/verdict.ts';
import {
  firing,
  headline,
  hosts,
  pageIns,
  redisAndQueues,
  stealOfDemand,
  toldAndSeen,
} from './overview-now.ts';

const stats: readonly Panel[] = [
  figure({
    title: 'CPU taken',
    description:
      'Share of the CPU time you asked for that the host did not give, mean of the last two minutes, the worst host. `stealwatch_steal_demand_ratio`, from /proc/stat once a second, seconds without demand left out. Over 5 % for long: compare hosts, open a ticket with the provider.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 1,
    query: instant(`max(${stealOfDemand})`, 'steal'),
    steps: rising(thresholds.stealRatio),
    noValue: 'no demand',
  }),
  figure({
    title: 'CPU-minutes lost',
    description:
      'CPU time the host took in the range, all CPUs of all selected hosts together. `stealwatch_cpu_seconds_total{mode="steal"}`, from /proc/stat. This is what you paid for and did not get.',
    w: 6,
    h: 4,
    unit: 'short',
    decimals: 1,
    query: instant(
      `sum(increase(stealwatch_cpu_seconds_total{${here},mode="steal"}[$__range])) / 60`,
      'lost',
    ),
    steps: plain,
    noValue: 'no data',
  }),
  figure({
    title: 'Host page-ins/s',
    description:
      'Pages of this VM that the host had swapped out and brought back, over the last two minutes, the worst host. `stealwatch_async_page_faults_total`, counted by the kernel as completed "page ready" interrupts (KVM, the HYP line of /proc/interrupts). A host that does not overcommit shows 0. "Not offered": this VM cannot see them, so their absence proves nothing.',
    w: 6,
    h: 4,
    unit: 'cps',
    decimals: 1,
    query: instant(`max(${pageIns})`, 'page-ins'),
    steps: rising(thresholds.hostPageInsPerSecond),
    meanings: [notOffered],
    noValue: 'not offered',
  }),
  figure({
    title: 'Longest in D now',
    description:
      'How long the thread that waits longest in uninterruptible sleep (state D) has been there. `stealwatch_blocked_task_longest_seconds`, from /proc/PID/task. Over 20 s: nothing can kill it; see *blocked by reason* in the forensics.',
    w: 6,
    h: 4,
    unit: 's',
    decimals: 0,
    query: instant(`max(stealwatch_blocked_task_longest_seconds{${here}})`, 'longest'),
    steps: rising(thresholds.taskBlockedSeconds),
    noValue: 'no data',
  }),
  figure({
    title: 'Longest stall',
    description:
      'The longest standstill of the range: how late a thread was woken that slept for 50 ms, its own wait for a CPU taken out. `stealwatch_stall_longest_seconds`. Redis cannot answer during a stall.',
    w: 6,
    h: 4,
    unit: 's',
    query: instant(
      `max(max_over_time(stealwatch_stall_longest_seconds{${here}}[$__range]))`,
      'longest',
    ),
    steps: rising(thresholds.stallSeconds),
    noValue: 'no data',
  }),
  figure({
    title: 'Error budget left',
    description:
      'What is left of the budget over the period of the host objective; below 0 the objective is missed. `slo:period_error_budget_remaining:ratio`. Spent by whom: *SLO* dashboard.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 0,
    query: instant(`min(${budgetLeft('host')})`, 'left'),
    steps: falling(thresholds.budgetLeftRatio),
    noValue: 'too young',
  }),
];

const cpu = lines({
  title: 'Who used the CPU',
  description:
    'Share of all cores: what this machine used itself (blue), what the host took (red). The rest was idle. `stealwatch_cpu_seconds_total`, from /proc/stat, the mean of the selected hosts: one that is robbed of half shows in *CPU taken* and in the list. Blue at the top without red: your own load.',
  w: 12,
  h: 8,
  unit: 'percentunit',
  min: 0,
  max: 1,
  stacked: true,
  lines: [
    line(
      `avg(sum by (host, job, instance) (rate(stealwatch_cpu_seconds_total{${here},mode!~"idle|iowait|steal"}[$__rate_interval])) / on (host, job, instance) stealwatch_cpus{${here}})`,
      'own',
      { color: colors.own },
    ),
    line(
      `avg(sum by (host, job, instance) (rate(stealwatch_cpu_seconds_total{${here},mode="steal"}[$__rate_interval])) / on (host, job, instance) stealwatch_cpus{${here}})`,
      'stolen by the host',
      { color: colors.steal },
    ),
  ],
});

const pressure = lines({
  title: 'Pressure',
  description:
    'Share of time in which some task waited for CPU, memory or disk, worst of the selected hosts. `stealwatch_pressure_seconds_total`, from /proc/pressure (kernel built with PSI). Quiet during a host page-in: that is the trap, PSI does not see it.',
  w: 12,
  h: 8,
  unit: 'percentunit',
  min: 0,
  noValue: 'This kernel does not offer /proc/pressure, or no exporter answered.',
  lines: pressureLines,
});

/** Those that were anything but quiet at some time of the range. At every step: a lane is whole or not there. */
const troubled = `on (host, job, instance) (max_over_time(instance:stealwatch_verdict:code{${here}}[$__range] @ end()) > 0)`;

/** Something where the rule said anything in the range: not in its first step, before the rules ran for the first time. */
const judged = `group(max_over_time(instance:stealwatch_verdict:code{${here}}[$__range] @ end()))`;

const states = lanes({
  title: 'State by host',
  description:
    'The verdict over time, one lane for each host that was not quiet all the time, ten at once; within a step the last of these wins: quiet, own load, CPU, memory, disk, no data. `instance:stealwatch_verdict:code`. A gap: Prometheus has no sample at all, itself down or frozen. *All*: none was in trouble. A click leads to the hour around the beginning of what is clicked.',
  w: 24,
  h: 9,
  lanes: [
    range(
      `${verdictOverTime()} and ${troubled} or on () label_replace(max(${verdictOverTime()}), "host", "All", "", "") or on () label_replace(-1 * group(up{${here}} == 1) unless on () ${judged}, "host", "All", "", "")`,
      '{{host}}',
    ),
  ],
  meanings: [{ value: -1, text: 'not loaded', color: colors.unknown }, ...verdictWords],
  perPage: 10,
  link: forensicsAround,
});

const trust = table({
  title: 'Can I trust this?',
  description:
    'What the selected hosts let the exporter see. *Hidden* on: how many of them do not offer it, so that the absence of such a problem on these pages proves nothing there. `stealwatch_signal_supported`; the exporter says on its own page how to grant it, and `stealwatch doctor` on the machine.',
  w: 12,
  h: 9,
  columns: [
    {
      title: 'Hidden',
      expr: `count by (signal) (stealwatch_signal_supported{${here}} == 0) or 0 * count by (signal) (stealwatch_signal_supported{${here}})`,
      unit: 'none',
      steps: [
        { from: null, color: 'text' },
        { from: 1, color: colors.degraded },
      ],
      meanings: [{ value: 0, text: 'no host', color: 'text' }],
      width: 100,
    },
    { title: 'Signal', label: 'signal' },
    {
      title: 'Of',
      expr: `count by (signal) (stealwatch_signal_supported{${here}})`,
      unit: 'none',
      width: 70,
    },
  ],
  noValue: 'No exporter was scraped.',
  sortBy: [{ column: 'Hidden' }],
});

const scrapes = lines({
  title: 'Slowest scrape',
  description:
    'The longest that a scrape takes. `scrape_duration_seconds`, written by Prometheus. It stays in milliseconds also while Redis is frozen; if not, the machine itself stands.',
  w: 12,
  h: 9,
  unit: 's',
  min: 0,
  noValue: 'No target was scraped in this range.',
  lines: [
    line(`max(max_over_time(scrape_duration_seconds{${here}}[$__rate_interval]))`, 'slowest', {
      color: colors.neutral,
    }),
  ],
});

export const overview = build({
  uid: uids.overview,
  description:
    'Is it the host, is it Redis, is it the queues, and who is told? The worst first. Next: Redis freeze forensics for an incident, SLO for the month.',
  from: '6h',
  refresh: '30s',
  panels: [
    headline,
    ...redisAndQueues,
    firing,
    hosts,
    ...toldAndSeen,
    ...stats,
    cpu,
    pressure,
    states,
    trust,
    scrapes,
  ],
});
