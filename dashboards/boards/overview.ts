/** "Is my host stealing from me?" One sentence, the figures behind it, and what fires. */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, uids } from '../kit/dashboard.ts';
import { table } from '../kit/grids.ts';
import { colors, notOffered } from '../kit/palette.ts';
import { pressureLines } from '../kit/pressure.ts';
import { type Panel, falling, figure, lanes, line, lines, plain, rising } from '../kit/panels.ts';
import { budgetLeft } from '../kit/budget.ts';
import { here, instant, range } from '../kit/query.ts';
import { verdictSentences, verdictWords } from '../kit/verdict.ts';

const verdictPanel = figure({
  title: 'Is my host stealing from me?',
  description:
    'The first of these that holds: no data; memory (a page-in every ten seconds, a thread waiting over 5 s for the host, or time without a CPU that is not steal); CPU (over 5 % of what you asked for was denied); disk; own load; quiet. Rule `instance:stealwatch_verdict:code`, over the last two minutes. Not quiet: open *Redis freeze forensics* around the moment.',
  w: 24,
  h: 4,
  unit: 'none',
  query: range(`instance:stealwatch_verdict:code{${here}}`, '{{host}}'),
  steps: [{ from: null, color: colors.unknown }],
  meanings: verdictSentences,
  noValue: 'Unknown, no data',
  filled: true,
  named: true,
});

const stats: readonly Panel[] = [
  figure({
    title: 'CPU taken',
    description:
      'Share of the CPU time you asked for that the host did not give, now; the line is the range. `stealwatch_steal_demand_ratio`, from /proc/stat once a second, seconds without demand left out. Over 5 % for long: compare hosts, open a ticket with the provider.',
    w: 4,
    h: 5,
    unit: 'percentunit',
    decimals: 1,
    query: range(
      `max(sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_sum{${here}}[$__rate_interval]))
       / sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_count{${here}}[$__rate_interval]) > 0))`,
      'steal',
    ),
    steps: rising(thresholds.stealRatio),
    noValue: 'no demand',
  }),
  figure({
    title: 'CPU-minutes lost',
    description:
      'CPU time the host took in the range, all CPUs of all selected hosts together. `stealwatch_cpu_seconds_total{mode="steal"}`, from /proc/stat. This is what you paid for and did not get.',
    w: 4,
    h: 5,
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
      'Pages of this VM that the host had swapped out and brought back, now. Counted by the kernel as completed "page ready" interrupts (KVM, the HYP line of /proc/interrupts). A host that does not overcommit shows 0. "Not offered": this VM cannot see them, so their absence proves nothing.',
    w: 4,
    h: 5,
    unit: 'cps',
    decimals: 1,
    query: range(
      `max(rate(stealwatch_async_page_faults_total{${here}}[$__rate_interval])
       or on (host, job, instance) (stealwatch_signal_supported{${here},signal="async_page_faults"} == 0) - 1)`,
      'page-ins',
    ),
    steps: rising(thresholds.hostPageInsPerSecond),
    meanings: [notOffered],
    noValue: 'not offered by this VM',
  }),
  figure({
    title: 'Longest in D now',
    description:
      'How long the thread that waits longest in uninterruptible sleep (state D) has been there. `stealwatch_blocked_task_longest_seconds`, from /proc/PID/task. Over 20 s: nothing can kill it; see *blocked by reason* in the forensics.',
    w: 4,
    h: 5,
    unit: 's',
    decimals: 0,
    query: range(`max(stealwatch_blocked_task_longest_seconds{${here}})`, 'longest'),
    steps: rising(thresholds.taskBlockedSeconds),
    noValue: 'no data',
  }),
  figure({
    title: 'Longest stall',
    description:
      'The longest standstill of the range: how late a thread was woken that slept for 50 ms, its own wait for a CPU taken out. `stealwatch_stall_longest_seconds`. Redis cannot answer during a stall.',
    w: 4,
    h: 5,
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
    w: 4,
    h: 5,
    unit: 'percentunit',
    decimals: 0,
    query: range(`min(${budgetLeft('host')})`, 'left'),
    steps: falling(thresholds.budgetLeftRatio),
    noValue: 'no data',
  }),
];

const cpu = lines({
  title: 'Who used the CPU',
  description:
    'Share of all cores: what this machine used itself (blue), what the host took (red). The rest was idle. From /proc/stat. Blue at the top without red: your own load.',
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
    'Share of time in which some task waited for CPU, memory or disk, worst of the selected hosts. From /proc/pressure (kernel built with PSI). Quiet during a host page-in: that is the trap, PSI does not see it.',
  w: 12,
  h: 8,
  unit: 'percentunit',
  min: 0,
  noValue: 'This kernel does not offer /proc/pressure.',
  lines: pressureLines,
});

const states = lanes({
  title: 'State by host',
  description:
    'The verdict over time, one lane per host; within a step the most serious wins. A gap: Prometheus has no sample at all, itself down or frozen.',
  w: 24,
  h: 6,
  lanes: [
    range(`max_over_time(instance:stealwatch_verdict:code{${here}}[$__rate_interval])`, '{{host}}'),
  ],
  meanings: verdictWords,
  link: {
    title: 'What happened here?',
    url: `/d/${uids.freeze}?var-host=\${__field.labels.host}&from=\${__from}&to=\${__to}`,
  },
});

const firing = table({
  title: 'What fires now',
  description:
    'Alerts that are firing, of every host, not only the selected ones: some are about a machine that is gone. Each has a runbook; its first line is the first command to type.',
  w: 12,
  h: 8,
  columns: [
    {
      title: 'Firing',
      expr: `count by (alertname, severity, host, instance) (ALERTS{alertstate="firing",alertname!="Watchdog"})`,
      width: 70,
    },
    { title: 'Alert', label: 'alertname' },
    { title: 'Severity', label: 'severity', width: 90 },
    { title: 'Host', label: 'host' },
    { title: 'Instance', label: 'instance' },
  ],
  noValue: 'Nothing fires.',
});

const trust = table({
  title: 'Can I trust this?',
  description:
    'What each machine lets the exporter see. "Not offered" means that the absence of such a problem on these pages proves nothing. `stealwatch_signal_supported`; the exporter says on its own page how to grant it.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Host', label: 'host' },
    { title: 'Signal', label: 'signal' },
    {
      title: 'Seen',
      expr: `min by (host, signal) (stealwatch_signal_supported{${here}})`,
      meanings: [
        { value: 0, text: 'not offered', color: colors.degraded },
        { value: 1, text: 'yes', color: 'text' },
      ],
      width: 110,
    },
  ],
  noValue: 'No exporter was scraped.',
});

const scraped: readonly Panel[] = [
  figure({
    title: 'Scraped',
    description:
      'Hosts that answered the last scrape, as a share of those selected. `up`, written by Prometheus itself. Below 100 %: the exporter, the machine or the network between.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 0,
    query: range(`avg(up{${here}})`, 'up'),
    steps: [
      { from: null, color: colors.bad },
      { from: 1, color: 'text' },
    ],
    noValue: 'no target',
  }),
  figure({
    title: 'Slowest scrape',
    description:
      'The longest that a scrape takes now. `scrape_duration_seconds`, written by Prometheus. It stays in milliseconds also while Redis is frozen; if not, the machine itself stands.',
    w: 6,
    h: 4,
    unit: 's',
    query: range(`max(scrape_duration_seconds{${here}})`, 'scrape'),
    steps: rising({ warn: 0.5, bad: 1 }),
    noValue: 'no target',
  }),
  figure({
    title: 'Signals not offered',
    description:
      'How many kinds of trouble this page cannot show on the selected hosts. `stealwatch_signal_supported`. The list is in *Can I trust this?*.',
    w: 6,
    h: 4,
    unit: 'none',
    query: range(`count(stealwatch_signal_supported{${here}} == 0) or vector(0)`, 'missing'),
    steps: rising({ warn: 1, bad: 100 }),
    noValue: 'no data',
  }),
  figure({
    title: 'vCPUs',
    description: 'Online CPUs of the selected hosts together. `stealwatch_cpus`, from /proc/stat.',
    w: 6,
    h: 4,
    unit: 'none',
    query: range(`sum(stealwatch_cpus{${here}})`, 'vCPUs'),
    steps: plain,
    noValue: 'no data',
  }),
];

export const overview = build({
  uid: uids.overview,
  description:
    'One sentence per host and the figures behind it. Quiet when all is well. Next: Redis freeze forensics for an incident, SLO for the month.',
  from: '6h',
  refresh: '30s',
  panels: [verdictPanel, ...stats, cpu, pressure, states, firing, trust, ...scraped],
});
