/** Asynq: how long do tasks wait, will it drain, and is it us or the host? */
import { thresholds } from '../../alerts/thresholds.ts';
import { build, incidentAnnotations, uids } from '../kit/dashboard.ts';
import { table } from '../kit/grids.ts';
import { oldestTask, pageIns, redisSilent, steal } from '../kit/lanes.ts';
import { forensicsOfChosen } from '../kit/links.ts';
import { colors, laneMeanings } from '../kit/palette.ts';
import { lanes } from '../kit/state-timeline.ts';
import { laneAxis, line, lines, rising } from '../kit/panels.ts';
import { here } from '../kit/query.ts';
import { whileRead } from '../kit/queues.ts';
import { done, drain, figures, growth, lastRead, noQueue, unseen } from './asynq-now.ts';

const axis = laneAxis;
const failed = `sum by (queue) (${whileRead(`rate(asynq_tasks_failed_total{${here}}[$__rate_interval])`)})`;

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
  noValue: 'No task was seen processed, or the queues could not be read.',
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
    line(
      `sum(${whileRead(`increase(asynq_rolled_back_tasks_total{${here}}[$__rate_interval])`)})`,
      'rolled back',
      { color: colors.bad },
    ),
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
    'Per queue: paused by somebody; missing from `asynq:queues` (asynqmon and the official exporter cannot see it; restart one client to re-register it); overdue tasks; the oldest task that is running. `asynq_queue_paused_total` and others of the queue.',
  w: 12,
  h: 8,
  columns: [
    { title: 'Queue', label: 'queue', link: forensicsOfChosen },
    {
      title: 'Paused',
      width: 85,
      expr: `max by (queue) (${lastRead(`asynq_queue_paused_total{${here}}`)})`,
      meanings: [
        { value: 0, text: 'no', color: 'text' },
        { value: 1, text: 'paused', color: colors.degraded },
      ],
    },
    {
      title: 'Listed',
      width: 80,
      expr: `min by (queue) (${lastRead(`asynq_queue_listed{${here}}`)})`,
      meanings: [
        { value: 0, text: 'missing', color: colors.bad },
        { value: 1, text: 'yes', color: 'text' },
      ],
    },
    {
      title: 'Overdue',
      width: 85,
      expr: `sum by (queue) (${lastRead(`asynq_queue_overdue_tasks{${here}}`)})`,
      unit: 'short',
      steps: rising({ warn: 1, bad: 1000 }),
    },
    {
      title: 'Running for',
      width: 110,
      expr: `max by (queue) (${lastRead(`asynq_queue_oldest_active_seconds{${here}}`)})`,
      unit: 's',
    },
  ],
  ...noQueue,
});

const usOrThem = lanes({
  title: 'Us or the host?',
  description:
    'Four lanes of the forensics page. The host red above a red queue: theirs. Only the queue red: ours. `stealwatch_async_page_faults_total`, `redis_unresponsive_seconds`, `asynq_queue_latency_seconds`.',
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
