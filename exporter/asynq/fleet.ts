/**
 * Servers and schedulers, from the heartbeats they leave in Redis every 5 s (servers) and every
 * 10 s (schedulers). A member of `asynq:servers` whose time is over belongs to a server that died
 * without saying goodbye; asynq's Inspector removes it when somebody looks, we never do.
 */
import { type Ask, buffersOf, countOf, decoded } from './ask.ts';
import { schedulersKey, serversKey, workersKeyOf } from './keys.ts';
import {
  decodeSchedulerEntry,
  decodeServerInfo,
  legacyServerQueues,
  type SchedulerEntry,
} from './messages.ts';
import type { Moment } from './queue-reader.ts';
import { type QueueWork, readWorkers, type WorkerCache } from './workers.ts';

/** Members read of each set, the newest: dead servers pile up there until somebody prunes. */
const membersRead = 500;
const entriesRead = 200;
/** A server that died is shown with its last heartbeat for this long. */
const deadShownSeconds = 3600;
const maxServersShown = 100;

export const serverStatuses = ['new', 'active', 'stopped', 'closed'] as const;

export interface Server {
  /** host:pid; two servers in one process are told together. */
  readonly name: string;
  readonly heartbeatSeconds: number;
  /**
   * Undefined for a server that died: its own key is gone. For a beat after a freeze it may be
   * gone with a score that is not over yet, because asynq writes the member before the key.
   */
  readonly live?: {
    readonly status: string;
    readonly concurrency: number;
    readonly busyWorkers: number;
    readonly queues: readonly string[];
  };
}

export interface Fleet {
  readonly servers: readonly Server[];
  readonly expiredServers: number;
  readonly schedulers: number;
  readonly entries: readonly SchedulerEntry[];
  readonly work: ReadonlyMap<string, QueueWork>;
  /** Queues of servers older than v0.18. */
  readonly legacyQueues: readonly string[];
  readonly truncated: Readonly<Record<'servers' | 'workers' | 'scheduler_entries', boolean>>;
}

interface Member {
  readonly key: string;
  readonly expiresSeconds: number;
}

/** The heartbeat was sent this long before the score it wrote. */
const heartbeatLifeSeconds = 10;

export function membersOf(reply: unknown): Member[] {
  const flat = buffersOf(reply).map(String);
  return flat
    .filter((_, i) => i % 2 === 0)
    .map((key, i) => ({ key, expiresSeconds: Number(flat[i * 2 + 1]) }));
}

export async function readFleet(
  ask: Ask,
  members: { readonly servers: readonly Member[]; readonly schedulers: readonly Member[] },
  cache: WorkerCache,
  moment: Moment,
): Promise<Fleet> {
  const now = moment.redisNow();
  const isLive = ({ expiresSeconds }: Member) => expiresSeconds >= Math.floor(now);
  const liveKeys = members.servers.filter(isLive).map(({ key }) => key);
  const [values, scheduled, expired, work] = await Promise.all([
    ask.send(liveKeys.map((key) => ['GET', key] as const)),
    readSchedulers(ask, members.schedulers.filter(isLive)),
    expiredServers(ask, members.servers, now),
    readWorkers(ask, liveKeys.map(workersKeyOf), cache),
  ]);
  const valueOf = new Map(liveKeys.map((key, i) => [key, values[i]]));
  const legacyQueues: string[] = [];
  const servers: Server[] = [];
  for (const member of members.servers.toReversed()) {
    if (now - member.expiresSeconds > deadShownSeconds) continue;
    const value = valueOf.get(member.key);
    const old = Buffer.isBuffer(value) ? decoded(ask, value, legacyServerQueues) : undefined;
    if (old !== undefined) legacyQueues.push(...old);
    else servers.push(serverOf(ask, member, value));
  }
  return {
    servers: servers.slice(0, maxServersShown),
    expiredServers: expired,
    schedulers: scheduled.live,
    entries: scheduled.entries,
    work: work.byQueue,
    legacyQueues,
    truncated: {
      servers: servers.length > maxServersShown || members.servers.length >= membersRead,
      workers: work.truncated,
      scheduler_entries: scheduled.truncated,
    },
  };
}

/** Counted from the members the live ones come from, so that no server is both or neither. */
async function expiredServers(ask: Ask, members: readonly Member[], now: number): Promise<number> {
  const limit = Math.floor(now);
  if (members.length < membersRead) {
    return members.filter(({ expiresSeconds }) => expiresSeconds < limit).length;
  }
  const [count] = await ask.send([['ZCOUNT', serversKey, '-inf', `(${limit}`]]);
  return countOf(count);
}

function serverOf(ask: Ask, { key, expiresSeconds }: Member, value: unknown): Server {
  const heartbeatSeconds = expiresSeconds - heartbeatLifeSeconds;
  const info = decoded(ask, value, decodeServerInfo);
  if (info === undefined) {
    const place = /\{(.*):[^:]*\}$/s.exec(key)?.[1] ?? 'unknown';
    return { name: place, heartbeatSeconds };
  }
  return {
    name: `${info.host}:${info.pid}`,
    heartbeatSeconds,
    live: {
      status: info.status,
      concurrency: info.concurrency,
      busyWorkers: info.activeWorkers,
      queues: info.queues,
    },
  };
}

async function readSchedulers(ask: Ask, members: readonly Member[]) {
  const replies = await ask.send(
    members.map(({ key }) => ['LRANGE', key, 0, entriesRead - 1] as const),
  );
  // Every replica of a scheduler has the same entries: the soonest next and the latest last run.
  const merged = new Map<string, SchedulerEntry>();
  let live = 0;
  let truncated = members.length >= membersRead;
  for (const reply of replies) {
    const values = buffersOf(reply);
    if (values.length > 0) live += 1;
    for (const value of values) {
      const entry = decoded(ask, value, decodeSchedulerEntry);
      if (entry === undefined) continue;
      const id = JSON.stringify([entry.taskType, entry.spec, entry.queue]);
      const known = merged.get(id);
      if (known === undefined && merged.size >= entriesRead) truncated = true;
      else merged.set(id, known === undefined ? entry : mergedEntry(known, entry));
    }
  }
  return { live, entries: [...merged.values()], truncated };
}

function mergedEntry(a: SchedulerEntry, b: SchedulerEntry): SchedulerEntry {
  const next = [a.nextSeconds, b.nextSeconds].filter((time) => time !== undefined);
  const previous = [a.previousSeconds, b.previousSeconds].filter((time) => time !== undefined);
  return {
    ...a,
    nextSeconds: next.length === 0 ? undefined : Math.min(...next),
    previousSeconds: previous.length === 0 ? undefined : Math.max(...previous),
  };
}

/** What a collection asks for in its first round trip. */
export const fleetQuestions = {
  servers: ['ZRANGE', serversKey, -membersRead, -1, 'WITHSCORES'],
  schedulers: ['ZRANGE', schedulersKey, -membersRead, -1, 'WITHSCORES'],
} as const;
