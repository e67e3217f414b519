/** Asynq's queues where Redis does not let itself be read: whether there are any is known of those that were read. */
import { type Meaning, colors } from './palette.ts';
import { here, sameMachine } from './query.ts';

/** A Redis without Asynq has no queues to be in trouble, whatever it does. */
const hadQueues = `${sameMachine} present_over_time(asynq_queue_latency_seconds{${here}}[$__range] @ end())`;

/** 0 where a Redis with queues cannot be read, as `up` says: `asynq_up`, or the most of it in a step. */
export const queuesUnread = (up: string) => `(${up} == 0 and ${hadQueues})`;

/** A counter keeps its last value while it cannot be read: a rate of 0 then was not measured. */
export const whileRead = (rate: string) =>
  `${rate} and ${sameMachine} max_over_time(asynq_up{${here}}[$__rate_interval]) == 1`;

const asynqUp = `asynq_up{${here}}`;

/** What stands in the place of a number of the queues while they cannot be read: an old one would be a lie. */
export const unreadable: Meaning = { value: -1, text: 'cannot be read', color: colors.bad };
/** Nobody has seen a queue there, and nobody can look: that is neither bad nor "none". */
export const noneKnown: Meaning = { value: -4, text: 'no queue known', color: colors.unknown };

/** `expr`, or what there is to say in its place: whatever the others say, a Redis with queues cannot be read. */
export function ofQueues(expr: string, by: '' | 'by (host) ' = ''): string {
  const on = by === '' ? 'on ()' : 'on (host)';
  return [
    `min ${by}(${queuesUnread(asynqUp)}) + ${unreadable.value}`,
    expr,
    `min ${by}(${asynqUp} == 0) + ${noneKnown.value}`,
  ].join(` or ${on} `);
}
