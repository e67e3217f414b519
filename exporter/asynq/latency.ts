/**
 * How long the oldest pending task has been waiting. Asynq's own answer is 0 whenever the task at
 * the head has no `pending_since`: after a requeue at shutdown, RunTask, RunAllTasks, an eviction.
 * Here a queue that holds tasks never reads 0: without a time at the head, the age is the most
 * that can be proven, from the tasks behind it and from how long we have seen this one there.
 */
import { type Ask, isRefused, isTooMuch } from './ask.ts';
import { taskKey } from './keys.ts';
import type { QueueNotes } from './queue-notes.ts';
import type { Moment } from './moment.ts';

export interface Latency {
  readonly latencySeconds: number;
  readonly latencyIsLowerBound: boolean;
}

/** Shown when a task waits and its age cannot be told from 0: a clock ahead of Redis's. */
const leastSeconds = 0.001;

export async function readLatency(
  ask: Ask,
  notes: QueueNotes,
  pending: number,
  heads: readonly Buffer[],
  moment: Moment,
): Promise<Latency> {
  const head = heads.at(-1);
  if (Number.isNaN(pending)) return { latencySeconds: Number.NaN, latencyIsLowerBound: false };
  if (head === undefined) {
    notes.head = undefined;
    // Either empty, or the ids are kept from us and only their number is known.
    const latencySeconds = pending === 0 ? 0 : Number.NaN;
    return { latencySeconds, latencyIsLowerBound: false };
  }
  const id = head.toString('latin1');
  if (id !== notes.head) {
    notes.head = id;
    notes.headSince = moment.monotonic();
  }
  const age = await oldestAge(ask, notes.queue, [head], moment);
  if (age === 'refused') return { latencySeconds: Number.NaN, latencyIsLowerBound: false };
  if (age !== undefined && age > 0) return { latencySeconds: age, latencyIsLowerBound: false };
  const told = await oldestAge(ask, notes.queue, heads.slice(0, -1), moment);
  const behind = told === 'refused' ? undefined : told;
  const seenSeconds = moment.monotonic() - notes.headSince;
  const latencySeconds = Math.max(behind ?? 0, seenSeconds, leastSeconds);
  return { latencySeconds, latencyIsLowerBound: true };
}

/** Asynq v0.19 and later note nanoseconds, as text: too many digits for a double. */
async function oldestAge(
  ask: Ask,
  queue: string,
  ids: readonly Buffer[],
  moment: Moment,
): Promise<number | 'refused' | undefined> {
  const replies = await ask.send(ids.map((id) => ['HGET', taskKey(queue, id), 'pending_since']));
  if (replies.some((reply) => isRefused(reply) || isTooMuch(reply))) return 'refused';
  const now = moment.redisNow();
  let oldest: number | undefined;
  for (const reply of replies) {
    if (!Buffer.isBuffer(reply)) continue;
    const text = reply.toString('latin1');
    if (!/^\d{7,20}$/.test(text)) {
      ask.failed(new Error(`decode: pending_since ${JSON.stringify(text.slice(0, 40))}`));
      continue;
    }
    const age = now - Number(text.slice(0, -6)) / 1000;
    if (oldest === undefined || age > oldest) oldest = age;
  }
  return oldest;
}
