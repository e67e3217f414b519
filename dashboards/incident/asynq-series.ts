/** What the Asynq collector would publish of a world: two queues, one server. */
import { errorReasons } from '../../exporter/asynq/ask.ts';
import { taskStates, type TaskState, waitingStates } from '../../exporter/asynq/queue-reader.ts';
import type { Moment } from './host-series.ts';
import type { Recorder } from './recorder.ts';

const shares = { critical: 0.25, default: 0.75 } as const;

function queue(to: Recorder, { world }: Moment, name: string, pending: number): void {
  const counts: Readonly<Record<TaskState, number>> = {
    active: 3,
    pending,
    scheduled: 12,
    retry: 1,
    archived: 4,
    completed: 0,
    aggregating: 0,
  };
  const q = { queue: name };
  for (const state of taskStates) {
    to.set('asynq_queue_tasks', counts[state], { ...q, state });
    to.set('asynq_tasks_enqueued_total', counts[state], { ...q, state });
  }
  const out = Math.max(
    world.tasksOut * (name === 'critical' ? shares.critical : shares.default),
    0.01,
  );
  const gauges: Readonly<Record<string, number>> = {
    asynq_queue_size: Object.values(counts).reduce((sum, n) => sum + n, 0),
    asynq_queue_latency_seconds: pending / out,
    asynq_queue_latency_lower_bound: 0,
    asynq_queue_memory_usage_approx_bytes: 20_000 + pending * 300,
    asynq_queue_paused_total: 0,
    asynq_queue_lease_expired_tasks: 0,
    asynq_queue_active_without_lease_tasks: 0,
    asynq_queue_busy_workers: 3,
    asynq_queue_oldest_active_seconds: 0.8,
    asynq_queue_consumers: 1,
    asynq_queue_consumer_concurrency: 10,
    asynq_queue_listed: 1,
    asynq_queue_groups: 0,
    asynq_queue_aggregation_sets: 0,
  };
  for (const [metric, value] of Object.entries(gauges)) to.set(metric, value, q);
  for (const state of waitingStates) {
    to.set('asynq_queue_overdue_tasks', 0, { ...q, state });
    to.set('asynq_queue_schedule_lag_seconds', 0, { ...q, state });
  }
}

function servers(to: Recorder, now: number): void {
  for (const status of ['new', 'active', 'stopped', 'closed']) {
    to.set('asynq_servers', status === 'active' ? 1 : 0, { status });
  }
  const server = { server: 'app1:4711' };
  to.set('asynq_servers_expired', 0);
  to.set('asynq_server_busy_workers', 6, server);
  to.set('asynq_server_concurrency', 10, server);
  to.set('asynq_server_last_heartbeat_timestamp_seconds', now - 2, server);
  to.set('asynq_schedulers', 1);
  const entry = { task_type: 'report:daily', spec: '@daily', queue: 'default' };
  to.set('asynq_scheduler_entry_next_timestamp_seconds', now - (now % 86_400) + 86_400, entry);
  to.set('asynq_scheduler_entry_prev_timestamp_seconds', now - (now % 86_400), entry);
  to.set('asynq_clock_skew_seconds', 0.01);
}

/** While Redis does not answer, every gauge of it is there and has no number. */
const unread = (to: Recorder): Recorder => ({
  ...to,
  set: (name, _, labels) => to.set(name, Number.NaN, labels),
});

/** `pending` is the backlog of both queues together. */
export function asynqSeries(to: Recorder, moment: Moment, pending: number): void {
  const { world, step, now } = moment;
  const answers = world.redis !== 'frozen';
  const gauges = answers ? to : unread(to);
  to.set('asynq_up', answers ? 1 : 0);
  for (const [name, share] of Object.entries(shares)) {
    const q = { queue: name };
    const done = answers ? world.tasksOut * share * step : 0;
    to.add('asynq_tasks_processed_total', done, q);
    to.add('asynq_tasks_failed_total', done * 0.01, q);
    to.add('asynq_tasks_archived_total', 0, q);
    to.add('asynq_counter_rollbacks_total', 0, q);
    to.add('asynq_rolled_back_tasks_total', 0, q);
    queue(gauges, moment, name, pending * share);
  }
  servers(gauges, now);
  // A Redis that is slow is not asked for more than fits into the time.
  gauges.set('asynq_truncated', world.redis === 'slow' ? 1 : 0, { collector: 'servers' });
  to.set('asynq_collection_age_seconds', answers ? 1 : moment.frozenFor);
  to.set('asynq_collection_duration_seconds', 0.004);
  for (const reason of errorReasons) {
    to.add('asynq_errors_total', reason === 'timeout' && !answers ? 0.1 * step : 0, { reason });
  }
}
