/**
 * Servers, from the heartbeats they leave in Redis every 5 s. A member of `asynq:servers` whose
 * time is over belongs to a server that died without saying goodbye; asynq's Inspector removes it
 * when somebody looks, we never do.
 *
 * A server that cannot be read may serve any queue: then no queue is said to be served by nobody.
 */
import { labelValue } from '../core/label-value.ts';
import { type Ask, countOf, decoded, isRefused } from './ask.ts';
import { serversKey, workersKeyOf } from './keys.ts';
import { type Member, type Members, placeOf } from './members.ts';
import { decodeServerInfo, legacyServerQueues, type SchedulerEntry } from './messages.ts';
import { createPace } from '../core/pace.ts';
import type { Moment } from './moment.ts';
import {
  createSchedulerMemory,
  readSchedulers,
  type Scheduled,
  type SchedulerMemory,
} from './schedulers.ts';
import { type QueueWork, readWorkers, type WorkerCache } from './workers.ts';

/** A server that died is shown with its last heartbeat for this long. */
const deadShownSeconds = 3600;
const maxServersShown = 100;
/** What a server says of itself has 200 bytes and some 20 for each queue it serves. */
const longestServerInfo = 64 * 1024;
const serversAtOnce = 32;
const mostServerBytes = 4 * 1024 * 1024;

export const serverStatuses = ['new', 'active', 'stopped', 'closed'] as const;

export interface LiveServer {
  readonly status: string;
  readonly concurrency: number;
  readonly busyWorkers: number;
  readonly queues: readonly string[];
}

export interface Server {
  /** host:pid; two servers in one process are told together. */
  readonly name: string;
  readonly heartbeatSeconds: number;
  /**
   * Undefined for a server that died: its own key is gone. For a beat after a freeze it may be
   * gone with a score that is not over yet, because asynq writes the member before the key.
   */
  readonly live?: LiveServer | 'unread';
}

export interface Fleet {
  /** Those to be shown, and all that live. */
  readonly servers: readonly Server[];
  readonly live: readonly LiveServer[];
  /**
   * What is missing of `live`: nothing, servers whose heartbeat does not decode or is too long, or
   * servers that Redis kept from us.
   */
  readonly missing: 'none' | 'undecoded' | 'refused';
  readonly expiredServers: number;
  /** NaN where Redis refused. */
  readonly schedulers: number;
  readonly entries: readonly SchedulerEntry[];
  readonly work: ReadonlyMap<string, QueueWork>;
  /** Queues of which some work could not be read; undefined where that may be any queue. */
  readonly unreadWork: ReadonlySet<string> | undefined;
  /** Queues of servers older than v0.18. */
  readonly legacyQueues: readonly string[];
  readonly truncated: Readonly<Record<'servers' | 'workers' | 'scheduler_entries', boolean>>;
}

/** The heartbeat was sent this long before the score it wrote. */
const heartbeatLifeSeconds = 10;

export interface Found {
  readonly servers: Members | Error;
  readonly schedulers: Members | Error;
}

/** What is remembered from one collection to the next. */
export interface FleetMemory {
  readonly workers: WorkerCache;
  readonly schedulers: SchedulerMemory;
  servers: readonly Server[];
}

export const createFleetMemory = (): FleetMemory => ({
  workers: new Map(),
  schedulers: createSchedulerMemory(),
  servers: [],
});

export async function readFleet(
  ask: Ask,
  { servers, schedulers }: Found,
  memory: FleetMemory,
  moment: Moment,
): Promise<Fleet> {
  const now = moment.redisNow();
  const isLive = ({ expiresSeconds }: Member) => expiresSeconds >= Math.floor(now);
  const liveKeys = (members: readonly Member[]) =>
    members.filter(isLive).flatMap(({ key }) => key ?? []);
  if (servers instanceof Error) {
    return refusedFleet(memory, await readSchedulers(ask, schedulers, liveKeys, memory.schedulers));
  }
  const keys = liveKeys(servers.members);
  const [values, scheduled, expired, work] = await Promise.all([
    readServers(ask, keys),
    readSchedulers(ask, schedulers, liveKeys, memory.schedulers),
    expiredServers(ask, servers, now),
    readWorkers(ask, keys.map(workersKeyOf), memory.workers),
  ]);
  const told = await tellServers(ask, servers.members, values, now);
  const oldest = servers.members.at(-1);
  const cutOff = servers.truncated && oldest !== undefined && isLive(oldest);
  const nameless = servers.members.some((one) => one.key === undefined && isLive(one));
  memory.servers = told.servers.slice(0, maxServersShown);
  return {
    servers: memory.servers,
    live: [...told.live.values()],
    missing: told.missing === 'none' && (cutOff || nameless) ? 'undecoded' : told.missing,
    expiredServers: expired,
    schedulers: scheduled.live,
    entries: scheduled.entries,
    work: work.byQueue,
    unreadWork: unreadWork(work.unread, told.live),
    legacyQueues: told.legacyQueues,
    truncated: {
      servers: servers.truncated || nameless || told.servers.length > maxServersShown || told.cut,
      workers: work.truncated,
      scheduler_entries: scheduled.truncated,
    },
  };
}

/** Who the servers are was refused: those of before, and nothing about them. */
function refusedFleet(memory: FleetMemory, scheduled: Scheduled): Fleet {
  return {
    servers: memory.servers.map(({ name }) => ({
      name,
      heartbeatSeconds: Number.NaN,
      live: 'unread',
    })),
    live: [],
    missing: 'refused',
    expiredServers: Number.NaN,
    schedulers: scheduled.live,
    entries: scheduled.entries,
    work: new Map(),
    unreadWork: undefined,
    legacyQueues: [],
    truncated: { servers: false, workers: false, scheduler_entries: scheduled.truncated },
  };
}

/** What stands at the key of a server: nothing, more than is read, or an Error instead. */
type ServerValue = Buffer | 'gone' | 'too long' | Error;

/** No more of a value than is decoded, and no more of all of them than memory has room for. */
async function readServers(
  ask: Ask,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ServerValue>> {
  const values = new Map<string, ServerValue>();
  let bytes = 0;
  for (let start = 0; start < keys.length; start += serversAtOnce) {
    const some = keys.slice(start, start + serversAtOnce);
    const asked = bytes > mostServerBytes ? [] : some;
    const replies = await ask.send(asked.map((key) => ['GETRANGE', key, 0, longestServerInfo]));
    some.forEach((key, i) => {
      const value = asked.length === 0 ? 'too long' : serverValue(replies[i]);
      values.set(key, value);
      if (Buffer.isBuffer(value)) bytes += value.length;
    });
  }
  return values;
}

function serverValue(reply: unknown): ServerValue {
  if (!Buffer.isBuffer(reply)) return reply instanceof Error ? reply : new Error('no reply');
  if (reply.length === 0) return 'gone';
  return reply.length > longestServerInfo ? 'too long' : reply;
}

interface Told {
  readonly servers: Server[];
  /** By the key of what their workers do. */
  readonly live: Map<string, LiveServer>;
  readonly legacyQueues: string[];
  missing: Fleet['missing'];
  cut: boolean;
}

async function tellServers(
  ask: Ask,
  members: readonly Member[],
  values: ReadonlyMap<string, ServerValue>,
  now: number,
): Promise<Told> {
  const pace = createPace();
  const told: Told = {
    servers: [],
    live: new Map(),
    legacyQueues: [],
    missing: 'none',
    cut: false,
  };
  for (const { key, expiresSeconds } of members) {
    if (key === undefined || now - expiresSeconds > deadShownSeconds) continue;
    await pace();
    const value = values.get(key) ?? 'gone';
    const old = Buffer.isBuffer(value) ? decoded(ask, value, legacyServerQueues) : undefined;
    if (old === undefined) tellServer(ask, told, { key, expiresSeconds }, value);
    else told.legacyQueues.push(...old);
  }
  return told;
}

function tellServer(
  ask: Ask,
  told: Told,
  { key, expiresSeconds }: Member & { readonly key: string },
  value: ServerValue,
): void {
  const heartbeatSeconds = expiresSeconds - heartbeatLifeSeconds;
  const name = labelValue(placeOf(key));
  if (value === 'gone') {
    told.servers.push({ name, heartbeatSeconds });
    return;
  }
  const info = decoded(ask, value, decodeServerInfo);
  if (info === undefined) {
    told.servers.push({ name, heartbeatSeconds, live: 'unread' });
    if (isRefused(value)) told.missing = 'refused';
    else if (told.missing === 'none') told.missing = 'undecoded';
    if (value === 'too long') told.cut = true;
    return;
  }
  const { host, pid, status, concurrency, activeWorkers, queues } = info;
  const live = { status, concurrency, busyWorkers: activeWorkers, queues };
  told.live.set(workersKeyOf(key), live);
  told.servers.push({ name: labelValue(`${host}:${pid}`), heartbeatSeconds, live });
}

/** Counted from the members the live ones come from, so that no server is both or neither. */
async function expiredServers(
  ask: Ask,
  { members, truncated }: Members,
  now: number,
): Promise<number> {
  const limit = Math.floor(now);
  if (!truncated) return members.filter(({ expiresSeconds }) => expiresSeconds < limit).length;
  const [count] = await ask.send([['ZCOUNT', serversKey, '-inf', `(${limit}`]]);
  return countOf(count);
}

/** Where the server that runs it is not known either, the work may be on any queue. */
function unreadWork(
  unread: readonly string[],
  live: ReadonlyMap<string, LiveServer>,
): ReadonlySet<string> | undefined {
  if (unread.some((key) => !live.has(key))) return undefined;
  return new Set(unread.flatMap((key) => live.get(key)?.queues ?? []));
}
