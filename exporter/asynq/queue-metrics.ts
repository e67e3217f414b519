/**
 * What is published of each queue. The first seven are the names, labels and meanings of asynq's
 * own exporter (github.com/hibiken/asynq/x/metrics), so that asynqmon and existing rules work;
 * two of them are gauges called `_total`, and stay so.
 */
import { counter, type Family, gauge, type Labels, type Metric } from '../core/collector.ts';
import { type QueueReading, taskStates, waitingStates } from './queue-reader.ts';
import { archivedTotalOf, totalOf } from './totals.ts';
import type { Snapshot } from './collection.ts';
import type { Fleet } from './fleet.ts';

const label = ['queue'];
const stateLabels = ['queue', 'state'];

const enqueued = gauge({
  name: 'asynq_tasks_enqueued_total',
  help: "Tasks by state, a gauge under asynq's own name, from LLEN and ZCARD of asynq:{queue}:*.",
  note: 'asynq_queue_tasks is the same with aggregating, and not left out of OpenMetrics.',
  labels: stateLabels,
});
const tasks = gauge({
  name: 'asynq_queue_tasks',
  help: 'Tasks by state, from LLEN and ZCARD of asynq:{queue}:*.',
  note: 'Aggregating counts staged sets, and groups that left the list of groups, too.',
  labels: stateLabels,
});
const size = gauge({
  name: 'asynq_queue_size',
  help: 'Tasks in all seven states together, from LLEN and ZCARD of asynq:{queue}:*.',
  note: 'Archived and completed ones too, as in asynq.',
  labels: label,
});
const latency = gauge({
  name: 'asynq_queue_latency_seconds',
  help: 'How long the oldest pending task has waited, 0 only without one, from pending_since.',
  labels: label,
});
const memory = gauge({
  name: 'asynq_queue_memory_usage_approx_bytes',
  help: 'Approximate memory of a queue, from MEMORY USAGE of samples.',
  note: 'Its collections, plus the mean of a few sampled tasks times their number. Only with --asynq-memory.',
  labels: label,
});
const processed = counter({
  name: 'asynq_tasks_processed_total',
  help: 'Runs of tasks, failed ones included, from asynq:{queue}:processed.',
  note: 'Never goes back when Redis does: restart from an older RDB, failover, flush.',
  labels: label,
});
const failed = counter({
  name: 'asynq_tasks_failed_total',
  help: 'Runs of tasks that failed, from asynq:{queue}:failed.',
  note: 'Never goes back when Redis does.',
  labels: label,
});
const paused = gauge({
  name: 'asynq_queue_paused_total',
  help: "1 when paused, a gauge under asynq's own name, from asynq:{queue}:paused.",
  labels: label,
});
const lowerBound = gauge({
  name: 'asynq_queue_latency_lower_bound',
  help: '1 when the latency is the least it can be: the head has no pending_since.',
  note: 'Then it comes from the tasks behind the head and from how long the head has been seen there.',
  labels: label,
});
const overdue = gauge({
  name: 'asynq_queue_overdue_tasks',
  help: 'Scheduled or retried tasks whose time has come, from ZCOUNT of asynq:{queue}:*.',
  labels: stateLabels,
});
const lag = gauge({
  name: 'asynq_queue_schedule_lag_seconds',
  help: 'How overdue the first scheduled or retried task is, from ZRANGE of asynq:{queue}:*.',
  note: 'Over 15 s no server forwards them.',
  labels: stateLabels,
});
const leaseExpired = gauge({
  name: 'asynq_queue_lease_expired_tasks',
  help: 'Active tasks whose worker stopped renewing, from ZCOUNT of asynq:{queue}:lease.',
  note: 'Up to asynq v0.21 from asynq:{queue}:deadlines.',
  labels: label,
});
const activeWithoutLease = gauge({
  name: 'asynq_queue_active_without_lease_tasks',
  help: 'Active tasks that no server ever recovers, from LLEN active less ZCARD lease.',
  note: 'The lesser of two collections, so that a race is no fault.',
  labels: label,
});
const busyWorkers = gauge({
  name: 'asynq_queue_busy_workers',
  help: 'Workers of live servers that run a task of this queue, from asynq:workers:*.',
  note: 'Fewer than active tasks means tasks that nobody runs.',
  labels: label,
});
const oldestActive = gauge({
  name: 'asynq_queue_oldest_active_seconds',
  help: 'How long the longest-running task runs, 0 without one, from asynq:workers:*.',
  labels: label,
});
const consumers = gauge({
  name: 'asynq_queue_consumers',
  help: 'Live servers that take tasks from this queue, from asynq:servers:*.',
  note: 'Stopped ones do not count.',
  labels: label,
});
const consumerConcurrency = gauge({
  name: 'asynq_queue_consumer_concurrency',
  help: 'Workers of the servers that take from this queue, from asynq:servers:*.',
  labels: label,
});
const listed = gauge({
  name: 'asynq_queue_listed',
  help: '0 when the queue is in use and not in asynq:queues.',
  note: 'Asynq itself then says that it does not exist: Redis lost its name and a client enters it once in its life.',
  labels: label,
});
const groups = gauge({
  name: 'asynq_queue_groups',
  help: 'Groups that wait to be aggregated, from SCARD of asynq:{queue}:groups.',
  labels: label,
});
const aggregationSets = gauge({
  name: 'asynq_queue_aggregation_sets',
  help: 'Sets being aggregated, from ZCARD of asynq:{queue}:aggregation_sets.',
  labels: label,
});
const archivedTotal = counter({
  name: 'asynq_tasks_archived_total',
  help: 'Tasks archived since first seen, from ZCOUNT and ZCARD of asynq:{queue}:archived.',
  note: 'Goes on when the archive is full at 9,999.',
  labels: label,
});
const rollbacks = counter({
  name: 'asynq_counter_rollbacks_total',
  help: 'Times asynq:{queue}:processed or failed went back in Redis.',
  note: 'Restart from an older RDB, failover or flush.',
  labels: label,
});
const rolledBack = counter({
  name: 'asynq_rolled_back_tasks_total',
  help: 'Finished tasks that Redis has forgotten, at least: by how much its totals went back.',
  labels: label,
});

interface Served {
  readonly consumers: number;
  readonly concurrency: number;
}

/** One queue with what the servers say about it. */
export interface QueueView extends QueueReading {
  /** NaN where the list was too long to be read to its end. */
  readonly listed: number;
  readonly consumers: number;
  readonly concurrency: number;
  readonly busyWorkers: number;
  readonly oldestActiveSeconds: number;
}

export function createViewer({
  listed,
  fleet,
  redisTime,
}: Snapshot): (reading: QueueReading) => QueueView {
  const served = servedBy(fleet);
  const unlisted = listed.complete ? 0 : Number.NaN;
  return (reading) => ({
    ...reading,
    listed: listed.names.has(reading.queue) ? 1 : unlisted,
    ...served(reading.queue),
    ...workOn(reading.queue, fleet, redisTime),
  });
}

/**
 * What the servers that were read say. One that was not may serve any queue: then nobody is said
 * to be served by none, and no number is given where Redis kept a server from us.
 */
function servedBy(fleet: Fleet): (queue: string) => Served {
  const served = new Map<string, Served>();
  for (const { status, queues, concurrency } of fleet.live) {
    if (status === 'stopped' || status === 'closed') continue;
    for (const queue of queues) {
      const before = served.get(queue) ?? none;
      served.set(queue, {
        consumers: before.consumers + 1,
        concurrency: before.concurrency + concurrency,
      });
    }
  }
  if (fleet.missing === 'refused') return () => notTold;
  const otherwise = fleet.missing === 'none' ? none : notTold;
  return (queue) => served.get(queue) ?? otherwise;
}

const none: Served = { consumers: 0, concurrency: 0 };
const notTold: Served = { consumers: Number.NaN, concurrency: Number.NaN };

function workOn(queue: string, fleet: Fleet, redisTime: number) {
  if (fleet.unreadWork === undefined || fleet.unreadWork.has(queue)) {
    return { busyWorkers: Number.NaN, oldestActiveSeconds: Number.NaN };
  }
  const work = fleet.work.get(queue);
  if (work === undefined) return { busyWorkers: 0, oldestActiveSeconds: 0 };
  return {
    busyWorkers: work.busy,
    oldestActiveSeconds: Math.max(0, redisTime - work.oldestStartSeconds),
  };
}

const sizeOf = ({ tasks }: QueueReading): number =>
  taskStates.reduce((sum, state) => sum + tasks[state], 0);

const gauges: readonly (readonly [Metric, (queue: QueueView) => number])[] = [
  [size, sizeOf],
  [latency, (queue) => queue.latencySeconds],
  [paused, (queue) => queue.paused],
  [lowerBound, (queue) => (queue.latencyIsLowerBound ? 1 : 0)],
  [leaseExpired, (queue) => queue.leaseExpired],
  [activeWithoutLease, (queue) => queue.activeWithoutLease],
  [busyWorkers, (queue) => queue.busyWorkers],
  [oldestActive, (queue) => queue.oldestActiveSeconds],
  [consumers, (queue) => queue.consumers],
  [consumerConcurrency, (queue) => queue.concurrency],
  [listed, (queue) => queue.listed],
  [groups, (queue) => queue.groups],
  [aggregationSets, (queue) => queue.aggregationSets],
];

export const queueMetrics: readonly Metric[] = [
  enqueued,
  tasks,
  overdue,
  lag,
  memory,
  processed,
  failed,
  ...gauges.map(([metric]) => metric),
  archivedTotal,
  rollbacks,
  rolledBack,
];

/** Gauges of the queues: present only while Redis answers. */
export function queueGauges(views: readonly QueueView[], withMemory: boolean): Family[] {
  const labels = views.map(({ queue }) => ({ queue }));
  const byState = <S extends string>(
    metric: Metric,
    states: readonly S[],
    value: (view: QueueView, state: S) => number,
  ): Family => ({
    metric,
    samples: views.flatMap((view) =>
      states.map((state) => ({ labels: { queue: view.queue, state }, value: value(view, state) })),
    ),
  });
  const plain = (metric: Metric, value: (view: QueueView) => number): Family => ({
    metric,
    samples: views.map((view, i) => ({ labels: labels[i] ?? {}, value: value(view) })),
  });
  const official = taskStates.filter((state) => state !== 'aggregating');
  return [
    byState(enqueued, official, (view, state) => view.tasks[state]),
    byState(tasks, taskStates, (view, state) => view.tasks[state]),
    byState(overdue, waitingStates, (view, state) => view.overdue[state]),
    byState(lag, waitingStates, (view, state) => view.lagSeconds[state]),
    ...gauges.map(([metric, value]) => plain(metric, value)),
    ...(withMemory
      ? [
          {
            metric: memory,
            samples: views.flatMap(({ queue, notes }) =>
              notes.memoryBytes === undefined
                ? []
                : [{ labels: { queue }, value: notes.memoryBytes }],
            ),
          },
        ]
      : []),
  ];
}

/** Totals of the queues: they stay, at their last value, while Redis does not answer. */
export function queueCounters(queues: readonly QueueReading[]): Family[] {
  const labels = new Map<QueueReading, Labels>(queues.map((one) => [one, { queue: one.queue }]));
  const family = (
    metric: Metric,
    value: (queue: QueueReading) => number,
    of: readonly QueueReading[] = queues,
  ): Family => ({
    metric,
    samples: of.map((one) => ({ labels: labels.get(one) ?? {}, value: value(one) })),
  });
  // Before v0.20 there are no totals, and what was never read is no 0: then no series is truer.
  const counted = queues.filter(({ notes }) => !notes.withoutTotals);
  const told = (name: 'processed' | 'failed') =>
    counted.filter(({ notes }) => notes[name].raw !== undefined);
  const compared = queues.filter(({ notes }) => notes.processed.raw !== undefined);
  const sized = queues.filter(({ notes }) => notes.archived.size !== undefined);
  return [
    family(processed, ({ notes }) => totalOf(notes.processed), told('processed')),
    family(failed, ({ notes }) => totalOf(notes.failed), told('failed')),
    family(archivedTotal, ({ notes }) => archivedTotalOf(notes.archived), sized),
    family(rollbacks, ({ notes }) => notes.rollbacks, compared),
    family(rolledBack, ({ notes }) => notes.rolledBackTasks, compared),
  ];
}
