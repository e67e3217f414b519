/** Asynq at this moment: the figures at the top, and whether each backlog will drain. */
import { thresholds } from '../../alerts/thresholds.ts';
import { type Table, table } from '../kit/grids.ts';
import { forensicsOfChosen } from '../kit/links.ts';
import { colors } from '../kit/palette.ts';
import { type Panel, falling, figure, plain, rising } from '../kit/panels.ts';
import { here, instant } from '../kit/query.ts';
import { noneKnown, ofQueues, unreadable, whileRead } from '../kit/queues.ts';

export const unseen =
  'No queue is visible: no Asynq here, or Redis or the exporter did not answer.';
/** Of tables of queues, which can tell these apart. */
export const noQueue: Pick<Table, 'noValue' | 'reasons'> = {
  reasons: [
    { when: `min(asynq_up{${here}} == 0)`, says: 'Redis does not answer; no queue is known.' },
    { when: `absent(asynq_up{${here}})`, says: 'No Redis is asked for queues.' },
  ],
  noValue: 'No queue: this Redis has no Asynq.',
};

export const done = `sum by (queue) (${whileRead(`rate(asynq_tasks_processed_total{${here}}[$__rate_interval])`)})`;
/** Gauges are NaN while Redis does not answer: as it was when it last did, to the minute. */
export const lastRead = (metric: string) =>
  `(${metric} >= 0 or last_over_time((${metric} >= 0)[$__range:1m]))`;
const pendingTasks = `asynq_queue_tasks{${here},state="pending"}`;
const pending = `max by (queue) (${lastRead(pendingTasks)})`;
const readable = `max by (queue) (${pendingTasks} >= 0)`;
/** The change of the backlog per second: in minus out. */
export const growth = (window: string) =>
  `max by (queue) (deriv((${pendingTasks} >= 0)[${window}:15s]))`;

const unread = [unreadable, noneKnown];

export const figures: readonly Panel[] = [
  figure({
    title: 'Oldest task waits',
    description:
      'Age of the oldest pending task of all queues, now. `asynq_queue_latency_seconds`. This is what users feel; depth is not. Objective: 30 s. *cannot be read*: Redis does not answer, or refuses; tasks wait at least as long. *no queue known*: the same, of a Redis in which nobody has seen one.',
    w: 6,
    h: 4,
    unit: 's',
    decimals: 0,
    query: instant(ofQueues(`max(asynq_queue_latency_seconds{${here}} >= 0)`), 'oldest'),
    steps: rising(thresholds.queueLatencySeconds),
    meanings: unread,
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
    query: instant(
      ofQueues(
        `sum(asynq_server_busy_workers{${here}}) / sum(asynq_server_concurrency{${here}} > 0)`,
      ),
      'busy',
    ),
    meanings: unread,
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
    query: instant(ofQueues(`sum(asynq_servers{${here}}) >= 0`), 'servers'),
    steps: falling({ bad: 1, warn: 1 }),
    meanings: unread,
    noValue: 'no server seen',
  }),
  figure({
    title: 'Redis answers',
    description:
      'Whether the queues could be read. `asynq_up`. While they cannot, there are no queue numbers on this page: a stale depth would be a lie.',
    w: 6,
    h: 4,
    unit: 'none',
    query: instant(`min(asynq_up{${here}})`, 'up'),
    steps: plain,
    meanings: [
      { value: 0, text: 'no', color: colors.bad },
      { value: 1, text: 'yes', color: 'text' },
    ],
    noValue: 'no Asynq here',
  }),
];

/** A backlog of so many seconds of work is none: it is what is on its way. */
const onItsWay = 5;
const queueAge = `max by (queue) (asynq_queue_latency_seconds{${here}} >= 0)`;
const [keepsUp, never, unknown] = [-3, -1, -2];
/** The first that holds: nothing waits; what waits is on its way; it shrinks; it does not; nobody knows. */
const drainedIn = [
  `${readable} == 0`,
  `((${readable} <= on (queue) ${onItsWay} * ${done}) and on (queue) ${queueAge} <= ${thresholds.queueLatencySeconds.warn}) * 0 + ${keepsUp}`,
  `${readable} / -(${growth('5m')} < 0)`,
  `${readable} * 0 + ${never}`,
  `${pending} * 0 + ${unknown}`,
].join(' or ');

export const drain = table({
  title: 'Time to drain',
  description: `When each backlog is gone at the pace of the last five minutes. *keeps up*: what waits is at most ${onItsWay} s of work, and not too old. *never*: it grows or stands still. *unknown*: Redis does not answer; pending and consumers are as they were last read. From the slope of \`asynq_queue_tasks{state="pending"}\`. *Consumers*: live servers that serve the queue; none and tasks pending: start a worker, or look at its queue list.`,
  w: 12,
  h: 8,
  columns: [
    { title: 'Queue', label: 'queue', link: forensicsOfChosen },
    {
      title: 'Drained in',
      expr: drainedIn,
      unit: 's',
      decimals: 0,
      width: 110,
      meanings: [
        { value: keepsUp, text: 'keeps up', color: 'text' },
        { value: never, text: 'never', color: colors.degraded },
        { value: unknown, text: 'unknown', color: colors.bad },
      ],
    },
    { title: 'Pending', expr: pending, unit: 'short', decimals: 0, width: 90 },
    {
      title: 'Consumers',
      expr: `max by (queue) (${lastRead(`asynq_queue_consumers{${here}}`)})`,
      unit: 'none',
      width: 100,
      steps: falling({ bad: 1, warn: 1 }),
    },
  ],
  ...noQueue,
});
