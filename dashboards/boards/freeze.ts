/** Redis freeze forensics: what turned red first, second by second. Read after an alert. */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, incidentAnnotations, uids } from '../kit/dashboard.ts';
import { incidentLanes } from '../kit/lanes.ts';
import { note } from '../kit/note.ts';
import { type Meaning, colors, laneMeanings, notOffered } from '../kit/palette.ts';
import { redisBasics } from './freeze-basics.ts';
import { canary, canaryWaits, disks, memory, swap } from './freeze-host.ts';
import {
  atRisk,
  axis,
  forkAndSave,
  pileUp,
  ping,
  probe,
  process,
  replica,
} from './freeze-redis.ts';
import { pressureLines } from '../kit/pressure.ts';
import { lanes } from '../kit/state-timeline.ts';
import { type Panel, figure, line, lines } from '../kit/panels.ts';
import { here, instant, range } from '../kit/query.ts';

interface Fact {
  readonly title: string;
  readonly description: string;
  readonly expr: string;
  readonly unit: string;
  readonly bad: number;
}

const facts: readonly Fact[] = [
  {
    title: 'Redis silent for',
    description:
      'The longest time in the range without an answer to PING. `redis_unresponsive_seconds`: the probe asks once a second on a connection of its own.',
    expr: `max(max_over_time(redis_unresponsive_seconds{${here}}[$__range]))`,
    unit: 's',
    bad: thresholds.redisUnresponsiveSeconds.bad,
  },
  {
    title: 'Longest in D',
    description:
      'The longest uninterruptible sleep of any thread in the range. `stealwatch_blocked_task_longest_seconds`, from /proc/PID/task.',
    expr: `max(max_over_time(stealwatch_blocked_task_longest_seconds{${here}}[$__range]))`,
    unit: 's',
    bad: thresholds.taskBlockedSeconds.bad,
  },
  {
    title: 'Host page-ins',
    description:
      'Pages of this VM that the host brought back from its swap in the range. `stealwatch_async_page_faults_total`. It counts completions: during a standstill it stays flat and jumps when it heals.',
    expr: `sum(increase(stealwatch_async_page_faults_total{${here}}[$__range])) or max(stealwatch_signal_supported{${here},signal="async_page_faults"} == 0) - 1`,
    unit: 'short',
    bad: 60,
  },
  {
    title: 'Without a CPU',
    description:
      'Time of the range in which the once-a-second tick did not come. `stealwatch_seconds_total{verdict="stall"}`.',
    expr: `sum(increase(stealwatch_seconds_total{${here},verdict="stall"}[$__range]))`,
    unit: 's',
    bad: thresholds.stalledSecondsIn2m.bad,
  },
  {
    title: 'CPU-minutes lost',
    description:
      'CPU time the host took in the range. `stealwatch_cpu_seconds_total{mode="steal"}`. Near 0 during a freeze: it is not about CPU.',
    expr: `sum(increase(stealwatch_cpu_seconds_total{${here},mode="steal"}[$__range])) / 60`,
    unit: 'short',
    bad: 10,
  },
  {
    title: 'Hung task reports',
    description:
      'Lines "blocked for more than N seconds" the kernel wrote in the range. `stealwatch_hung_task_reports_total`, from /dev/kmsg. The kernel waits 120 s before the first and falls silent after ten.',
    expr: `sum(increase(stealwatch_hung_task_reports_total{${here}}[$__range])) or max(stealwatch_signal_supported{${here},signal="hung_task_log"} == 0) - 1`,
    unit: 'none',
    bad: 1,
  },
];

const factPanels: readonly Panel[] = facts.map(({ title, description, expr, unit, bad }) =>
  figure({
    title,
    description,
    w: 4,
    h: 3,
    unit,
    // Of times Grafana knows how many: 0.4 ms, 1.6 s, 41.3 min.
    ...(unit === 's' ? {} : { decimals: unit === 'none' ? 0 : 1 }),
    query: instant(expr, title),
    steps: [
      { from: null, color: 'text' },
      { from: bad, color: colors.bad },
    ],
    meanings: [notOffered],
    noValue: 'no data',
  }),
);

const timeline = lanes({
  title: 'Incident timeline: cause at the top, symptom at the bottom',
  description:
    '**The lane that turns red first is the suspect.** CPU steal and host page-ins are the host; stalls and blocked tasks are what it does to the kernel; bgsave, fork and fsync are what Redis was doing; below is what users felt. A gap is a missing scrape, "no answer" throughout: nobody answered in all of the range. "Not measured": this machine cannot show it, or Redis did not answer when asked. Hung tasks come 120 s late by design. Worst of the selected hosts: select one. `stealwatch_async_page_faults_total`, `redis_unresponsive_seconds` and the others that the panels below and the Overview draw.',
  w: 24,
  h: 15,
  lanes: incidentLanes,
  meanings: laneMeanings,
  axis,
});

const toType = note({
  title: 'What to type, on that machine',
  markdown:
    '- `stealwatch rescue`: what is stuck, and the way out. Kill and restart nothing before.\n- `stealwatch report`: ticket and post-mortem, also after a reboot.',
  w: 24,
  h: 4,
});

const stealAndPressure = lines({
  title: 'Steal and pressure',
  description:
    'Share of demand the host denied (red) and of time some task waited for CPU, memory, disk. `stealwatch_steal_demand_ratio_sum`, `stealwatch_pressure_seconds_total`, from /proc/stat and /proc/pressure. All quiet while tasks are blocked: the fingerprint of a host page-in.',
  w: 24,
  h: 6,
  unit: 'percentunit',
  min: 0,
  axis,
  lines: [
    line(
      `max(rate(stealwatch_steal_demand_ratio_sum{${here}}[$__rate_interval]) / (rate(stealwatch_steal_demand_ratio_count{${here}}[$__rate_interval]) > 0))`,
      'steal of demand',
      { color: colors.steal },
    ),
    ...pressureLines,
  ],
});

const vcpus = lines({
  title: 'Steal by vCPU',
  description:
    'Share of each vCPU that the host took, the most of the selected hosts. `stealwatch_cpu_steal_seconds_total`, from /proc/stat. One vCPU at 100 % is 6 % of sixteen, and whoever runs on it stands still.',
  w: 24,
  h: 5,
  unit: 'percentunit',
  min: 0,
  axis,
  noValue: 'This machine counts no steal, or no exporter answered.',
  lines: [
    line(
      `max by (cpu) (rate(stealwatch_cpu_steal_seconds_total{${here}}[$__rate_interval]))`,
      'vCPU {{cpu}}',
    ),
  ],
});

const blockedReasons = [
  { reasons: 'host_page_in', color: colors.pageIn },
  { reasons: 'disk|filesystem', color: colors.disk },
  { reasons: 'lock|other|unknown', color: colors.neutral },
] as const;

const blockedByReason = lines({
  title: 'Blocked tasks by reason',
  description:
    'Threads in state D by what they wait for, from the wait channel in /proc. `stealwatch_blocked_tasks`. *host_page_in*: the host has their memory. *disk, filesystem*: storage. *unknown*: the exporter may not read the wait channel. The dashed line is what the kernel itself counts as blocked on I/O: threads above it wait for something else.',
  w: 24,
  h: 6,
  unit: 'none',
  min: 0,
  axis,
  noValue:
    'Threads cannot be read here (/proc of other processes is hidden), or no exporter answered.',
  lines: [
    ...blockedReasons.map(({ reasons, color }) =>
      line(
        `max by (reason) (max_over_time(stealwatch_blocked_tasks{${here},reason=~"${reasons}"}[$__rate_interval]))`,
        '{{reason}}',
        { color },
      ),
    ),
    line(
      `max(max_over_time(stealwatch_procs_blocked{${here}}[$__rate_interval]))`,
      'kernel: procs_blocked',
      { color: colors.own, dashed: true },
    ),
  ],
});

const oldest = lines({
  title: 'Oldest pending Asynq task',
  description:
    'How long the task at the head of each queue has waited. `asynq_queue_latency_seconds`. It has a gap while Redis does not answer: the last value would be a lie.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  noValue: 'No queue is visible: no Asynq here, or Redis or the exporter did not answer.',
  lines: [
    line(
      `max by (queue) (max_over_time(asynq_queue_latency_seconds{${here}}[$__rate_interval]))`,
      '{{queue}}',
    ),
  ],
});

/** Said by a lane of its own: a state timeline without any shows an error of Grafana's. */
const noEndpoint = `or on () label_replace(-1 * group(up{${here}} == 1), "app", "--app", "", "")`;

const healthMeanings: readonly Meaning[] = [
  { value: -1, text: 'no health endpoint is configured', color: colors.unknown },
  { value: 0, text: 'says it is well', color: colors.ok },
  { value: 1, text: 'says it is ill', color: colors.degraded },
  { value: 2, text: 'lies', color: colors.bad },
];

const health = lanes({
  title: 'What the application said of itself',
  description:
    'The health endpoint of each application that needs Redis. *lies*: it answered 2xx while Redis had been silent for over 5 s, so nothing restarts it and nobody is told. `stealwatch_app_health_status_code`, `stealwatch_app_health_lying`.',
  w: 12,
  h: 6,
  lanes: [
    range(
      `max by (app) (2 * max_over_time(stealwatch_app_health_lying{${here}}[$__rate_interval]) + (min_over_time(stealwatch_app_health_status_code{${here}}[$__rate_interval]) < bool 200) + (max_over_time(stealwatch_app_health_status_code{${here}}[$__rate_interval]) >= bool 300)) ${noEndpoint}`,
      '{{app}}',
    ),
  ],
  meanings: healthMeanings,
  axis,
});

const processes = lines({
  title: 'Longest blocked, by process',
  description:
    'The age of the longest uninterruptible sleep of each process, the ten longest. `stealwatch_blocked_process_seconds`, from /proc/PID/task. A line that rises one second per second has not moved at all.',
  w: 12,
  h: 6,
  unit: 's',
  min: 0,
  axis,
  noValue: 'No thread was blocked for over a second, while the exporter answered.',
  lines: [
    line(
      `max by (process, reason) (max_over_time(stealwatch_blocked_process_seconds{${here}}[$__rate_interval]))`,
      '{{process}} ({{reason}})',
    ),
  ],
});

export const freeze = build({
  uid: uids.freeze,
  description:
    'What turned red first? Every alert links here with its host and its moment. Nothing reloads by itself: this page is read, not watched. On the machine: `stealwatch rescue`, then `stealwatch report`.',
  from: '3h',
  refresh: '',
  annotations: incidentAnnotations,
  panels: [
    ...factPanels,
    timeline,
    toType,
    stealAndPressure,
    vcpus,
    ping,
    blockedByReason,
    probe,
    process,
    processes,
    forkAndSave,
    atRisk,
    oldest,
    pileUp,
    health,
    disks,
    memory,
    canary,
    canaryWaits,
    replica,
    swap,
  ],
  folded: { title: 'Redis basics', panels: redisBasics },
});
