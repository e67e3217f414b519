/** Asynq: how long do tasks wait, will it drain, and is it us or the host? */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, incidentAnnotations, uids } from '../kit/dashboard.ts';
import { table } from '../kit/grids.ts';
import { oldestTask, pageIns, redisSilent, steal } from '../kit/lanes.ts';
import { colors, laneMeanings } from '../kit/palette.ts';
import {
  type Panel,
  falling,
  figure,
  laneAxis,
  lanes,
  line,
  lines,
  plain,
  rising,
} from '../kit/panels.ts';
import { here, range } from '../kit/query.ts';

const axis = laneAxis;
const unseen = 'No queue is visible: no Asynq here, or Redis does not answer.';

const done = `sum by (queue) (rate(asynq_tasks_processed_total{${here}}[$__rate_interval]))`;
const failed = `sum by (queue) (rate(asynq_tasks_failed_total{${here}}[$__rate_interval]))`;
/** Gauges are NaN while Redis does not answer: as it was when it last did, to the minute. */
const lastRead = (metric: string) =>
  `(${metric} >= 0 or last_over_time((${metric} >= 0)[$__range:1m]))`;
const pendingTasks = `asynq_queue_tasks{${here},state="pending"}`;
const pending = `max by (queue) (${lastRead(pendingTasks)})`;
const readable = `max by (queue) (${pendingTasks} >= 0)`;
/** The change of the backlog per second: in minus out. */
const growth = (window: string) => `max by (queue) (deriv((${pendingTasks} >= 0)[${window}:15s]))`;

const figures: readonly Panel[] = [
  figure({
    title: 'Oldest task waits',
    description:
      'Age of the oldest pending task of all queues, now. `asynq_queue_latency_seconds`. This is what users feel; depth is not. Objective: 30 s.',
    w: 6,
    h: 4,
    unit: 's',
    decimals: 0,
    query: range(`max(asynq_queue_latency_seconds{${here}} >= 0)`, 'oldest'),
    steps: rising(thresholds.queueLatencySeconds),
    noValue: 'no queue visible',
  }),
  figure({
    title: 'Workers busy',
    description:
      'Busy workers as a share of what all live servers may run at once. `asynq_server_busy_workers` / `asynq_server_concurrency`. At 100 % with tasks waiting: add workers, or find out why tasks take so long.',
    w: 6,
    h: 4,
    unit: 'percentunit',
    decimals: 0,
    query: range(
      `sum(asynq_server_busy_workers{${here}}) / sum(asynq_server_concurrency{${here}} > 0)`,
      'busy',
    ),
    steps: [
      { from: null, color: 'text' },
      { from: 0.95, color: colors.degraded },
    ],
    noValue: 'no server alive',
  }),
  figure({
    title: 'Servers alive',
    description:
      'Asynq servers whose heartbeat is fresh. `asynq_servers`. A heartbeat expires 10 s after the last beat, so a freeze of Redis makes them vanish for a moment.',
    w: 6,
    h: 4,
    unit: 'none',
    query: range(`sum(asynq_servers{${here}}) >= 0`, 'servers'),
    steps: falling({ bad: 1, warn: 1 }),
    noValue: 'no server seen',
  }),
  figure({
    title: 'Redis answers',
    description:
      'Whether the queues could be read. `asynq_up`. While they cannot, there are no queue numbers on this page: a stale depth would be a lie.',
    w: 6,
    h: 4,
    unit: 'none',
    query: range(`min(asynq_up{${here}})`, 'up'),
    steps: plain,
    meanings: [
      { value: 0, text: 'no', color: colors.bad },
      { value: 1, text: 'yes', color: 'text' },
    ],
    noValue: 'no Asynq here',
  }),
];

const age = lines({
  title: 'Age of the oldest task, by queue',
  description:
    'How long the task at the head of each queue has been waiting. `asynq_queue_latency_seconds`, from `pending_since` of that task, or since we first saw it where Asynq leaves that out. Dashed: the objective, and where people give up.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  axis,
  limits: [
    { from: null, color: 'transparent' },
    { from: thresholds.queueLatencySeconds.warn, color: colors.degraded },
    { from: thresholds.queueLatencySeconds.bad, color: colors.bad },
  ],
  noValue: unseen,
  lines: [
    line(
      `max by (queue) (max_over_time(asynq_queue_latency_seconds{${here}}[$__rate_interval]))`,
      '{{queue}}',
    ),
  ],
});

const drain = table({
  title: 'Time to drain',
  description:
    'When each backlog is gone at the pace of the last five minutes. *never*: it grows or stands still. While Redis does not answer, pending and consumers are as they were last read. From the slope of `asynq_queue_tasks{state="pending"}`. *Consumers*: live servers that serve the queue; none and tasks pending: start a worker, or look at its queue list.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Queue', label: 'queue' },
    { title: 'Pending', expr: pending, unit: 'short', decimals: 0 },
    {
      title: 'Drained in',
      expr: `(${readable} / -(${growth('5m')} < 0)) or (${readable} == 0) or ${readable} * 0 - 1 or ${pending} * 0 - 2`,
      unit: 's',
      decimals: 0,
      meanings: [
        { value: -1, text: 'never', color: colors.degraded },
        { value: -2, text: 'Redis does not answer', color: colors.bad },
      ],
    },
    {
      title: 'Consumers',
      expr: `max by (queue) (${lastRead(`asynq_queue_consumers{${here}}`)})`,
      unit: 'none',
      steps: falling({ bad: 1, warn: 1 }),
    },
  ],
  noValue: unseen,
});

const flow = lines({
  title: 'In against out',
  description:
    'Tasks per second: done (solid) and arriving (dashed: done plus the growth of the backlog). `asynq_tasks_processed_total` counts failures as well. Dashed above solid: the queue grows.',
  w: 12,
  h: 8,
  unit: 'ops',
  min: 0,
  axis,
  noValue: unseen,
  lines: [
    line(done, '{{queue}} out'),
    line(`clamp_min(${done} + on (queue) ${growth('$__rate_interval')}, 0)`, '{{queue}} in', {
      dashed: true,
    }),
  ],
});

const states = lines({
  title: 'Tasks by state',
  description:
    'How many tasks are in each state, all queues. `asynq_queue_tasks`. *archived* stands still at 9,999 because Asynq throws the oldest away: the counter `asynq_tasks_archived_total` goes on.',
  w: 12,
  h: 8,
  unit: 'short',
  min: 0,
  axis,
  noValue: unseen,
  lines: [line(`sum by (state) (asynq_queue_tasks{${here}})`, '{{state}}')],
});

const failures = lines({
  title: 'Failure ratio',
  description:
    'Failed as a share of processed, by queue. `asynq_tasks_failed_total` / `asynq_tasks_processed_total`. Two minutes after a freeze it rises: leases that ran out are failed by the recoverer, although some of those tasks were done.',
  w: 12,
  h: 8,
  unit: 'percentunit',
  min: 0,
  max: 1,
  axis,
  noValue: 'No task was processed.',
  lines: [line(`${failed} / on (queue) (${done} > 0)`, '{{queue}}')],
});

const scars = lines({
  title: 'What a freeze leaves behind',
  description:
    'Tasks whose lease ran out, tasks that are active without any lease (ghosts), and tasks that a rolled-back Redis made undone. `asynq_queue_lease_expired_tasks`, `asynq_queue_active_without_lease_tasks`, `asynq_rolled_back_tasks_total`. Each expired lease may be a task that runs twice.',
  w: 12,
  h: 8,
  unit: 'short',
  min: 0,
  axis,
  noValue: unseen,
  lines: [
    line(
      `sum(max_over_time(asynq_queue_lease_expired_tasks{${here}}[$__rate_interval]))`,
      'lease expired',
      { color: colors.degraded },
    ),
    line(
      `sum(max_over_time(asynq_queue_active_without_lease_tasks{${here}}[$__rate_interval]))`,
      'active without a lease',
      { color: colors.pageIn },
    ),
    line(`sum(increase(asynq_rolled_back_tasks_total{${here}}[$__rate_interval]))`, 'rolled back', {
      color: colors.bad,
    }),
  ],
});

const capacity = lines({
  title: 'Busy workers against capacity',
  description:
    'Workers that run a task, by queue, and the most that the servers of that queue may run. `asynq_queue_busy_workers`, `asynq_queue_consumer_concurrency`. Busy far below capacity while tasks wait: the servers do not see the queue, or it is paused.',
  w: 12,
  h: 8,
  unit: 'none',
  min: 0,
  axis,
  noValue: unseen,
  lines: [
    line(`sum by (queue) (asynq_queue_busy_workers{${here}})`, '{{queue}} busy'),
    line(`max by (queue) (asynq_queue_consumer_concurrency{${here}})`, '{{queue}} capacity', {
      dashed: true,
    }),
  ],
});

const schedule = lines({
  title: 'Scheduler lag',
  description:
    'How late the earliest scheduled or retried task is, and how late the most overdue entry of the periodic scheduler. `asynq_queue_schedule_lag_seconds`, `asynq_scheduler_entry_next_timestamp_seconds`. Over 15 s: the forwarder of every server is stuck or gone.',
  w: 12,
  h: 8,
  unit: 's',
  min: 0,
  axis,
  noValue: unseen,
  lines: [
    line(
      `max by (queue, state) (max_over_time(asynq_queue_schedule_lag_seconds{${here}}[$__rate_interval]))`,
      '{{queue}} {{state}}',
    ),
    line(
      `max by (task_type) (clamp_min(time() - asynq_scheduler_entry_next_timestamp_seconds{${here}}, 0))`,
      'entry {{task_type}}',
      { dashed: true },
    ),
  ],
});

const warnings = table({
  title: 'Queues in trouble, as last read',
  description:
    'Per queue: paused by somebody; missing from `asynq:queues` (asynqmon and the official exporter cannot see it; restart one client to re-register it); overdue tasks; the oldest task that is running.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Queue', label: 'queue' },
    {
      title: 'Paused',
      expr: `max by (queue) (${lastRead(`asynq_queue_paused_total{${here}}`)})`,
      meanings: [
        { value: 0, text: 'no', color: 'text' },
        { value: 1, text: 'paused', color: colors.degraded },
      ],
    },
    {
      title: 'Listed',
      expr: `min by (queue) (${lastRead(`asynq_queue_listed{${here}}`)})`,
      meanings: [
        { value: 0, text: 'missing', color: colors.bad },
        { value: 1, text: 'yes', color: 'text' },
      ],
    },
    {
      title: 'Overdue',
      expr: `sum by (queue) (${lastRead(`asynq_queue_overdue_tasks{${here}}`)})`,
      unit: 'short',
      steps: rising({ warn: 1, bad: 1000 }),
    },
    {
      title: 'Running for',
      expr: `max by (queue) (${lastRead(`asynq_queue_oldest_active_seconds{${here}}`)})`,
      unit: 's',
    },
  ],
  noValue: unseen,
});

const usOrThem = lanes({
  title: 'Us or the host?',
  description:
    'Four lanes of the forensics page. The host red above a red queue: theirs. Only the queue red: ours.',
  w: 12,
  h: 8,
  lanes: [steal, pageIns, redisSilent, oldestTask],
  meanings: laneMeanings,
  axis,
});

export const asynq = build({
  uid: uids.asynq,
  description: 'How long tasks wait, whether it will drain, and whether it is us or the host.',
  from: '6h',
  refresh: '30s',
  annotations: incidentAnnotations,
  panels: [
    ...figures,
    age,
    drain,
    flow,
    states,
    usOrThem,
    scars,
    failures,
    capacity,
    schedule,
    warnings,
  ],
});
