/** What is remembered of a queue from one collection to the next. Flat: nothing here grows. */
import { type ArchivedTotal, newArchivedTotal, newTotal, type Total } from './totals.ts';

export interface QueueNotes {
  readonly queue: string;
  readonly processed: Total;
  readonly failed: Total;
  readonly archived: ArchivedTotal;
  rollbacks: number;
  rolledBackTasks: number;
  /** Of the last time the totals went back, and how far. */
  rolledBackAt: number | undefined;
  lastRolledBack: number;
  /** The task at the head of the pending list, and since when it has been, on our clock. */
  head: string | undefined;
  headSince: number;
  /** Of the last collection: a difference that lasts is real, one that does not is a race. */
  activeWithoutLease: number | undefined;
  /** Groups seen, and when each last held a task or was listed; at most `maxGroupsNoted`. */
  readonly groups: Map<string, number>;
  /** Monotonic time at which the queue was last listed, served or not empty. */
  lastUseful: number;
  /** Asynq before v0.18 keeps tasks here; undefined until looked at. */
  legacy: boolean | undefined;
  /** Asynq before v0.20 works here: days are counted, totals are not. */
  withoutTotals: boolean;
  memoryBytes: number | undefined;
  /** None of its lists and sets was there: one question tells whether that is still so. */
  idle: boolean;
  /** Monotonic time until which its tasks are not asked for by id, because their ids are far too long. */
  idsUnreadUntil: number;
}

export function newQueueNotes(queue: string, monotonic: number): QueueNotes {
  return {
    queue,
    processed: newTotal(),
    failed: newTotal(),
    archived: newArchivedTotal(),
    rollbacks: 0,
    rolledBackTasks: 0,
    rolledBackAt: undefined,
    lastRolledBack: 0,
    head: undefined,
    headSince: monotonic,
    activeWithoutLease: undefined,
    groups: new Map(),
    lastUseful: monotonic,
    legacy: undefined,
    withoutTotals: false,
    memoryBytes: undefined,
    idle: false,
    idsUnreadUntil: -Infinity,
  };
}
