/**
 * Reads one queue. Every command is O(1) or O(log N) and plain: no Lua, nothing that a proxy, a
 * cluster or a strict ACL refuses, nothing that grows with the backlog.
 *
 * Two round trips, shared with all queues of a chunk: sizes and heads; then what only non-empty
 * sets need. A third only for a head without a time, or groups.
 */
import type { RedisCommand } from '../redis/client.ts';
import { type Ask, askFor, buffersOf, countOf, isRefused, isTooMuch } from './ask.ts';
import { readGroups } from './groups.ts';
import { dailyKey, legacyPendingKey, queueKey } from './keys.ts';
import { readLatency } from './latency.ts';
import type { QueueNotes } from './queue-notes.ts';
import { longestTotal, noteTotals, rawTotal } from './raw-totals.ts';
import type { Moment } from './moment.ts';

export const taskStates = [
  'active',
  'pending',
  'scheduled',
  'retry',
  'archived',
  'completed',
  'aggregating',
] as const;
export type TaskState = (typeof taskStates)[number];

/** The two sets whose tasks become pending when their time has come. */
export const waitingStates = ['scheduled', 'retry'] as const;
type Waiting = Readonly<Record<(typeof waitingStates)[number], number>>;

/** Counts and seconds; NaN where Redis refused the command that would tell. */
export interface QueueReading {
  readonly queue: string;
  readonly notes: QueueNotes;
  readonly tasks: Readonly<Record<TaskState, number>>;
  readonly latencySeconds: number;
  readonly latencyIsLowerBound: boolean;
  readonly paused: number;
  readonly overdue: Waiting;
  readonly lagSeconds: Waiting;
  readonly leaseExpired: number;
  readonly activeWithoutLease: number;
  readonly groups: number;
  /** There were so many groups that their tasks are an estimate. */
  readonly groupsEstimated: boolean;
  /** Ids of its tasks are too long to be read: no latency, no lag. */
  readonly idsUnread: boolean;
  readonly aggregationSets: number;
  /** Redis holds a total of this queue: it has been worked on, ever. */
  readonly hasTotals: boolean;
}

export async function readQueue(
  ask: Ask,
  notes: QueueNotes,
  moment: Moment,
): Promise<QueueReading | undefined> {
  const { queue } = notes;
  const key = (part: string) => queueKey(queue, part);
  const [size, legacy] = await Promise.all([
    readSize(ask, notes, moment),
    notes.legacy ?? ask.send([['LLEN', legacyPendingKey(queue)]]),
  ]);
  // A list of this name holds the tasks of Asynq before v0.18, as JSON: all else would read 0.
  if (typeof legacy !== 'boolean' && !isRefused(legacy[0])) notes.legacy = countOf(legacy[0]) > 0;
  if (notes.legacy === true) return undefined;
  noteIds(notes, [size.heads, size.firstScheduled, size.firstRetry], moment.monotonic());
  const idsUnread = notes.idsUnreadUntil > moment.monotonic();
  const ids = buffersOf(size.heads);
  const heads = idsUnread ? [] : ids;
  // Two reads, two moments: the later one knows.
  const pending = Array.isArray(size.heads)
    ? pendingOf(size.pending, ids.length)
    : countOf(size.pending);
  const active = countOf(size.active);
  const lag = {
    scheduled: lagOf(size.firstScheduled, moment),
    retry: lagOf(size.firstRetry, moment),
  };
  const now = Math.floor(moment.redisNow());
  const overdue = (state: 'scheduled' | 'retry'): RedisCommand | undefined =>
    lag[state] > 0 ? ['ZCOUNT', key(state), '-inf', now] : undefined;
  const lease = countOf(size.lease);
  const withDeadlines = active > 0 && lease === 0;
  const totals = { processed: rawTotal(ask, size.processed), failed: rawTotal(ask, size.failed) };
  const [more, latency, groups] = await Promise.all([
    askFor(ask, {
      overdueScheduled: overdue('scheduled'),
      overdueRetry: overdue('retry'),
      expired: lease > 0 ? ['ZCOUNT', key('lease'), '-inf', now] : undefined,
      // Up to v0.21 there were task deadlines in place of leases.
      deadlines: withDeadlines ? ['ZCARD', key('deadlines')] : undefined,
      pastDeadline: withDeadlines ? ['ZCOUNT', key('deadlines'), '-inf', now] : undefined,
      died: diedSince(notes, countOf(size.archived), now),
      // Before v0.20 days were counted, and no totals.
      today:
        totals.processed === 'absent'
          ? ['EXISTS', dailyKey(queue, 'processed', moment.redisNow())]
          : undefined,
    }),
    readLatency(ask, notes, pending, heads, moment),
    readGroups(ask, notes, countOf(size.groups), countOf(size.aggregationSets), moment),
  ]);
  noteArchived(notes, countOf(size.archived), more.died, now);
  if (typeof totals.processed === 'number') notes.withoutTotals = false;
  else if (countOf(more.today) > 0) notes.withoutTotals = true;
  noteTotals(notes, totals, moment);
  const archived = countOf(size.archived);
  return {
    queue,
    notes,
    tasks: {
      active,
      pending,
      scheduled: countOf(size.scheduled),
      retry: countOf(size.retry),
      archived,
      completed: countOf(size.completed),
      aggregating: groups.tasks,
    },
    ...latency,
    paused: countOf(size.paused),
    overdue: {
      scheduled: atLeastNone(lag.scheduled, more.overdueScheduled),
      retry: atLeastNone(lag.retry, more.overdueRetry),
    },
    lagSeconds: lag,
    leaseExpired: withDeadlines ? countOf(more.pastDeadline) : atLeastNone(lease, more.expired),
    activeWithoutLease: lasting(notes, active, withDeadlines ? countOf(more.deadlines) : lease),
    groups: countOf(size.groups),
    groupsEstimated: groups.estimated,
    idsUnread,
    aggregationSets: countOf(size.aggregationSets),
    hasTotals: [notes.processed, notes.failed].some(({ raw = 0 }) => raw > 0),
  };
}

type Basic =
  | 'pending'
  | 'heads'
  | 'active'
  | 'lease'
  | 'scheduled'
  | 'firstScheduled'
  | 'retry'
  | 'firstRetry'
  | 'archived'
  | 'completed'
  | 'groups'
  | 'aggregationSets'
  | 'processed'
  | 'failed'
  | 'paused';

function basics(queue: string, withIds: boolean): Record<Basic, RedisCommand | undefined> {
  const key = (part: string) => queueKey(queue, part);
  return {
    pending: ['LLEN', key('pending')],
    // The tail is next; a few more, because the one at the very end may have no time.
    heads: withIds ? ['LRANGE', key('pending'), -4, -1] : undefined,
    active: ['LLEN', key('active')],
    lease: ['ZCARD', key('lease')],
    scheduled: ['ZCARD', key('scheduled')],
    firstScheduled: withIds ? ['ZRANGE', key('scheduled'), 0, 0, 'WITHSCORES'] : undefined,
    retry: ['ZCARD', key('retry')],
    firstRetry: withIds ? ['ZRANGE', key('retry'), 0, 0, 'WITHSCORES'] : undefined,
    archived: ['ZCARD', key('archived')],
    completed: ['ZCARD', key('completed')],
    groups: ['SCARD', key('groups')],
    aggregationSets: ['ZCARD', key('aggregation_sets')],
    ...totalsOf(queue),
  };
}

/** Not GET: whatever stands there, no more of it comes than a number can be long. */
function totalsOf(queue: string) {
  return {
    processed: ['GETRANGE', queueKey(queue, 'processed'), 0, longestTotal],
    failed: ['GETRANGE', queueKey(queue, 'failed'), 0, longestTotal],
    paused: ['EXISTS', queueKey(queue, 'paused')],
  } satisfies Partial<Record<Basic, RedisCommand>>;
}

const collections = [
  'pending',
  'active',
  'lease',
  'scheduled',
  'retry',
  'archived',
  'completed',
  'groups',
  'aggregation_sets',
];

/** What the questions of `basics` give where there is nothing: Redis has no empty lists and sets. */
const nothing = {
  pending: 0,
  heads: [],
  active: 0,
  lease: 0,
  scheduled: 0,
  firstScheduled: [],
  retry: 0,
  firstRetry: [],
  archived: 0,
  completed: 0,
  groups: 0,
  aggregationSets: 0,
} satisfies Partial<Record<Basic, unknown>>;

const counts = Object.entries(nothing).flatMap(([name, empty]) =>
  empty === 0 ? [name as keyof typeof nothing] : [],
);

/** A queue in which there was nothing is asked in four commands rather than 15. */
async function readSize(
  ask: Ask,
  notes: QueueNotes,
  moment: Moment,
): Promise<Readonly<Record<Basic, unknown>>> {
  const { queue } = notes;
  if (notes.idle) {
    const keys = collections.map((part) => queueKey(queue, part));
    const { there, ...totals } = await askFor(ask, {
      there: ['EXISTS', ...keys],
      ...totalsOf(queue),
    });
    if (there === 0) return { ...nothing, ...totals };
  }
  const size = await askFor(ask, basics(queue, moment.monotonic() >= notes.idsUnreadUntil));
  notes.idle = counts.every((name) => size[name] === 0) && notes.groups.size === 0;
  return size;
}

/** Asynq's own ids have 36 bytes, and Redis does not tell how long one is before it sends it. */
const longestId = 1024;
const idsUnreadSeconds = 600;

const hasLongIds = (reply: unknown): boolean =>
  isTooMuch(reply) || buffersOf(reply).some(({ length }) => length > longestId);

/** What has such ids is not asked for them again for a while: they come with every reply. */
function noteIds(notes: QueueNotes, replies: readonly unknown[], monotonic: number): void {
  if (replies.some(hasLongIds)) notes.idsUnreadUntil = monotonic + idsUnreadSeconds;
}

function pendingOf(length: unknown, heads: number): number {
  return heads === 0 ? 0 : Math.max(countOf(length), heads);
}

/** How long the first member of a set of times is overdue. */
function lagOf(first: unknown, moment: Moment): number {
  if (!Array.isArray(first)) return Number.NaN;
  const [, score] = buffersOf(first);
  return score === undefined ? 0 : Math.max(0, moment.redisNow() - Number(score.toString()));
}

/** A count that is only asked for when there may be something to count. */
function atLeastNone(of: number, reply: unknown): number {
  if (Number.isNaN(of)) return Number.NaN;
  return of > 0 ? countOf(reply) : 0;
}

function lasting(notes: QueueNotes, active: number, leases: number): number {
  const difference = Math.max(0, active - leases);
  const before = notes.activeWithoutLease;
  notes.activeWithoutLease = difference;
  return before === undefined ? difference : Math.min(before, difference);
}

/** Whole seconds that have passed, less two for servers whose clocks are a little late. */
const archivedSettleSeconds = 2;

function diedSince(notes: QueueNotes, size: number, now: number): RedisCommand | undefined {
  const { countedTo } = notes.archived;
  const to = now - archivedSettleSeconds;
  if (!(size > 0) || countedTo === 0 || to <= countedTo) return undefined;
  return ['ZCOUNT', queueKey(notes.queue, 'archived'), `(${countedTo}`, to];
}

function noteArchived(notes: QueueNotes, size: number, died: unknown, now: number): void {
  const { archived } = notes;
  if (Number.isNaN(size) || died instanceof Error) return;
  archived.grown += Math.max(0, size - (archived.size ?? size));
  archived.size = size;
  archived.dated += died === null ? 0 : countOf(died);
  archived.countedTo = Math.max(archived.countedTo, now - archivedSettleSeconds);
}
