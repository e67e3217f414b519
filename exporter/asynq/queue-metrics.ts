/**
 * What is published of each queue. The first seven are the names, labels and meanings of asynq's
 * own exporter (github.com/hibiken/asynq/x/metrics), so that asynqmon and existing rules work;
 * two of them are gauges called `_total`, and stay so.
 */
import { counter, type Family, gauge, type Metric } from '../core/collector.ts';
import { type QueueReading, taskStates, type TaskState, waitingStates } from './queue-reader.ts';
import { archivedTotalOf, totalOf } from './totals.ts';
import type { Snapshot } from './collection.ts';
import type { Fleet } from './fleet.ts';

/** One number of each queue. */
interface Row<Q> {
  readonly metric: Metric;
  readonly value: (queue: Q) => number;
  /** Which queues have it; all of them where nothing is said. */
  readonly of?: (queue: Q) => boolean;
}

type Text = Pick<Metric, 'name' | 'help' | 'note'>;
type Declared<Q> = Text & Omit<Row<Q>, 'metric'>;

/** A row a metric: what it is called, and what it is of a queue. */
function rowsOf<Q>(make: typeof gauge, declared: readonly Declared<Q>[]): readonly Row<Q>[] {
  return declared.map(({ value, of, ...text }) => ({
    metric: make({ ...text, labels: ['queue'] }),
    value,
    ...(of === undefined ? {} : { of }),
  }));
}

type States = Readonly<Partial<Record<TaskState, number>>>;

/** One number of each queue and state. */
interface DeclaredByState extends Text {
  readonly states: readonly TaskState[];
  readonly values: (queue: QueueView) => States;
}

const byState: readonly DeclaredByState[] = [
  {
    name: 'asynq_tasks_enqueued_total',
    help: "Tasks by state, a gauge under asynq's own name, from LLEN and ZCARD of asynq:{queue}:*.",
    note: 'asynq_queue_tasks is the same with aggregating, and not left out of OpenMetrics.',
    states: taskStates.filter((state) => state !== 'aggregating'),
    values: (queue) => queue.tasks,
  },
  {
    name: 'asynq_queue_tasks',
    help: 'Tasks by state, from LLEN and ZCARD of asynq:{queue}:*.',
    note: 'Aggregating counts staged sets, and groups that left the list of groups, too.',
    states: taskStates,
    values: (queue) => queue.tasks,
  },
  {
    name: 'asynq_queue_overdue_tasks',
    help: 'Scheduled or retried tasks whose time has come, from ZCOUNT of asynq:{queue}:*.',
    states: waitingStates,
    values: (queue) => queue.overdue,
  },
  {
    name: 'asynq_queue_schedule_lag_seconds',
    help: 'How overdue the first scheduled or retried task is, from ZRANGE of asynq:{queue}:*.',
    note: 'Over 15 s no server forwards them.',
    states: waitingStates,
    values: (queue) => queue.lagSeconds,
  },
];
const stateGauges = byState.map(({ states, values, ...text }) => ({
  metric: gauge({ ...text, labels: ['queue', 'state'] }),
  states,
  values,
}));

const gauges = rowsOf<QueueView>(gauge, [
  {
    name: 'asynq_queue_size',
    help: 'Tasks in all seven states together, from LLEN and ZCARD of asynq:{queue}:*.',
    note: 'Archived and completed ones too, as in asynq.',
    value: ({ tasks }) => taskStates.reduce((sum, state) => sum + tasks[state], 0),
  },
  {
    name: 'asynq_queue_latency_seconds',
    help: 'How long the oldest pending task has waited, 0 only without one, from pending_since.',
    value: (queue) => queue.latencySeconds,
  },
  {
    name: 'asynq_queue_paused_total',
    help: "1 when paused, a gauge under asynq's own name, from asynq:{queue}:paused.",
    value: (queue) => queue.paused,
  },
  {
    name: 'asynq_queue_latency_lower_bound',
    help: '1 when the latency is the least it can be: the head has no pending_since.',
    note: 'Then it comes from the tasks behind the head and from how long the head has been seen there.',
    value: (queue) => (queue.latencyIsLowerBound ? 1 : 0),
  },
  {
    name: 'asynq_queue_lease_expired_tasks',
    help: 'Active tasks whose worker stopped renewing, from ZCOUNT of asynq:{queue}:lease.',
    note: 'Up to asynq v0.21 from asynq:{queue}:deadlines.',
    value: (queue) => queue.leaseExpired,
  },
  {
    name: 'asynq_queue_active_without_lease_tasks',
    help: 'Active tasks that no server ever recovers, from LLEN active less ZCARD lease.',
    note: 'The lesser of two collections, so that a race is no fault.',
    value: (queue) => queue.activeWithoutLease,
  },
  {
    name: 'asynq_queue_busy_workers',
    help: 'Workers of live servers that run a task of this queue, from asynq:workers:*.',
    note: 'Fewer than active tasks means tasks that nobody runs.',
    value: (queue) => queue.busyWorkers,
  },
  {
    name: 'asynq_queue_oldest_active_seconds',
    help: 'How long the longest-running task runs, 0 without one, from asynq:workers:*.',
    value: (queue) => queue.oldestActiveSeconds,
  },
  {
    name: 'asynq_queue_consumers',
    help: 'Live servers that take tasks from this queue, from asynq:servers:*.',
    note: 'Stopped ones do not count.',
    value: (queue) => queue.consumers,
  },
  {
    name: 'asynq_queue_consumer_concurrency',
    help: 'Workers of the servers that take from this queue, from asynq:servers:*.',
    value: (queue) => queue.concurrency,
  },
  {
    name: 'asynq_queue_listed',
    help: '0 when the queue is in use and not in asynq:queues.',
    note: 'Asynq itself then says that it does not exist: Redis lost its name and a client enters it once in its life.',
    value: (queue) => queue.listed,
  },
  {
    name: 'asynq_queue_groups',
    help: 'Groups that wait to be aggregated, from SCARD of asynq:{queue}:groups.',
    value: (queue) => queue.groups,
  },
  {
    name: 'asynq_queue_aggregation_sets',
    help: 'Sets being aggregated, from ZCARD of asynq:{queue}:aggregation_sets.',
    value: (queue) => queue.aggregationSets,
  },
]);

/** Where it is asked for. */
const memory = rowsOf<QueueView>(gauge, [
  {
    name: 'asynq_queue_memory_usage_approx_bytes',
    help: 'Approximate memory of a queue, from MEMORY USAGE of samples.',
    note: 'Its collections, plus the mean of a few sampled tasks times their number. Only with --asynq-memory.',
    value: ({ notes }) => notes.memoryBytes ?? Number.NaN,
    of: ({ notes }) => notes.memoryBytes !== undefined,
  },
]);

/** Before v0.20 there are no totals, and what was never read is no 0: then no series is truer. */
const told =
  (name: 'processed' | 'failed') =>
  ({ notes }: QueueReading): boolean =>
    !notes.withoutTotals && notes[name].raw !== undefined;
const compared = ({ notes }: QueueReading): boolean => notes.processed.raw !== undefined;

const totals = rowsOf<QueueReading>(counter, [
  {
    name: 'asynq_tasks_processed_total',
    help: 'Runs of tasks, failed ones included, from asynq:{queue}:processed.',
    note: 'Never goes back when Redis does: restart from an older RDB, failover, flush.',
    value: ({ notes }) => totalOf(notes.processed),
    of: told('processed'),
  },
  {
    name: 'asynq_tasks_failed_total',
    help: 'Runs of tasks that failed, from asynq:{queue}:failed.',
    note: 'Never goes back when Redis does.',
    value: ({ notes }) => totalOf(notes.failed),
    of: told('failed'),
  },
  {
    name: 'asynq_tasks_archived_total',
    help: 'Tasks archived since first seen, from ZCOUNT and ZCARD of asynq:{queue}:archived.',
    note: 'Goes on when the archive is full at 9,999.',
    value: ({ notes }) => archivedTotalOf(notes.archived),
    of: ({ notes }) => notes.archived.size !== undefined,
  },
  {
    name: 'asynq_counter_rollbacks_total',
    help: 'Times asynq:{queue}:processed or failed went back in Redis.',
    note: 'Restart from an older RDB, failover or flush.',
    value: ({ notes }) => notes.rollbacks,
    of: compared,
  },
  {
    name: 'asynq_rolled_back_tasks_total',
    help: 'Finished tasks that Redis has forgotten, at least: by how much its totals went back.',
    value: ({ notes }) => notes.rolledBackTasks,
    of: compared,
  },
]);

export const queueMetrics: readonly Metric[] = [
  ...stateGauges,
  ...gauges,
  ...memory,
  ...totals,
].map(({ metric }) => metric);

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

function ofStates(queues: readonly QueueView[]): Family[] {
  return stateGauges.map(({ metric, states, values }) => ({
    metric,
    samples: queues.flatMap((one) =>
      states.map((state) => ({
        labels: { queue: one.queue, state },
        value: values(one)[state] ?? Number.NaN,
      })),
    ),
  }));
}

/** Samples of a queue share their labels. */
function ofQueues<Q extends QueueReading>(rows: readonly Row<Q>[], queues: readonly Q[]): Family[] {
  const all = queues.map((one) => ({ one, labels: { queue: one.queue } }));
  return rows.map(({ metric, value, of }) => ({
    metric,
    samples: (of === undefined ? all : all.filter(({ one }) => of(one))).map(({ one, labels }) => ({
      labels,
      value: value(one),
    })),
  }));
}

/** Gauges of the queues: present only while Redis answers. */
export function queueGauges(views: readonly QueueView[], withMemory: boolean): Family[] {
  return [...ofStates(views), ...ofQueues(withMemory ? [...gauges, ...memory] : gauges, views)];
}

/** Totals of the queues: they stay, at their last value, while Redis does not answer. */
export const queueCounters = (queues: readonly QueueReading[]): Family[] =>
  ofQueues(totals, queues);
