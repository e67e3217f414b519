/**
 * What workers are doing now, by queue. The hash of a server's workers carries the payload of
 * every task under way, so its values are never fetched whole: first how many there are, then the
 * ids, then the sizes of the ids not seen before, then the values that fit a budget. What a task
 * is does not change while it runs, so each is read once.
 */
import { type Ask, buffersOf, countOf, decoded } from './ask.ts';
import { decodeWorkerInfo, type WorkerInfo } from './messages.ts';
import { createPace } from '../core/pace.ts';

/** Work under way on one queue. */
export interface QueueWork {
  busy: number;
  /** Unix time at which the task that has run longest was begun. */
  oldestStartSeconds: number;
}

/** Tasks under way at the last collection, by id. */
export type WorkerCache = Map<string, WorkerInfo>;

export interface Work {
  readonly byQueue: ReadonlyMap<string, QueueWork>;
  /** Keys of which not everything could be read: what is missing may be on any of its queues. */
  readonly unread: readonly string[];
  /** There was more than is read. */
  readonly truncated: boolean;
}

const mostTasks = 10_000;
const mostNewTasks = 2000;
const mostValueBytes = 256 * 1024;
const mostBytes = 2 * 1024 * 1024;

interface Place {
  readonly key: string;
  readonly id: Buffer;
  readonly name: string;
}

export async function readWorkers(
  ask: Ask,
  keys: readonly string[],
  cache: WorkerCache,
): Promise<Work> {
  const { few, many, refused } = await keysToRead(ask, keys);
  const unread = new Set([...many, ...refused]);
  const places = await placesOf(ask, few, unread);
  const names = new Set(places.map(({ name }) => name));
  for (const name of cache.keys()) if (!names.has(name)) cache.delete(name);
  const fresh = places.filter(({ name }) => !cache.has(name));
  const tooMuch = new Set(many);
  for (const { key } of fresh.slice(mostNewTasks)) tooMuch.add(key);
  await readFresh(ask, fresh.slice(0, mostNewTasks), cache, { unread, tooMuch });
  for (const key of tooMuch) unread.add(key);
  return { byQueue: byQueue(cache.values()), unread: [...unread], truncated: tooMuch.size > 0 };
}

/** By how much they hold: as many as there is room for, the rest, and those Redis keeps from us. */
async function keysToRead(ask: Ask, keys: readonly string[]) {
  const lengths = await ask.send(keys.map((key) => ['HLEN', key]));
  const [few, many, refused]: [string[], string[], string[]] = [[], [], []];
  let tasks = 0;
  keys.forEach((key, i) => {
    const length = countOf(lengths[i]);
    if (Number.isNaN(length)) refused.push(key);
    else if (tasks + length > mostTasks) many.push(key);
    else if (length > 0) {
      tasks += length;
      few.push(key);
    }
  });
  return { few, many, refused };
}

async function placesOf(
  ask: Ask,
  keys: readonly string[],
  unread: Set<string>,
): Promise<readonly Place[]> {
  const replies = await ask.send(keys.map((key) => ['HKEYS', key]));
  return keys.flatMap((key, i) => {
    if (replies[i] instanceof Error) unread.add(key);
    return buffersOf(replies[i]).map((id) => ({
      key,
      id,
      name: `${key} ${id.toString('latin1')}`,
    }));
  });
}

interface Missing {
  /** Keys with a value that Redis refused or that does not decode. */
  readonly unread: Set<string>;
  /** Keys with a value there was no room for. */
  readonly tooMuch: Set<string>;
}

/** A task that ended between two replies has no size, or no value, and is missed by nobody. */
async function readFresh(
  ask: Ask,
  fresh: readonly Place[],
  cache: WorkerCache,
  { unread, tooMuch }: Missing,
): Promise<void> {
  const sizes = await ask.send(fresh.map(({ key, id }) => ['HSTRLEN', key, id]));
  let bytes = 0;
  const fitting = fresh.filter(({ key }, i) => {
    const size = countOf(sizes[i]);
    const fits = size <= mostValueBytes && bytes + size <= mostBytes;
    if (Number.isNaN(size)) unread.add(key);
    else if (!fits) tooMuch.add(key);
    if (fits) bytes += size;
    return fits && size > 0;
  });
  const values = await ask.send(fitting.map(({ key, id }) => ['HGET', key, id]));
  const pace = createPace();
  for (const [i, { key, name }] of fitting.entries()) {
    const info = decoded(ask, values[i], decodeWorkerInfo);
    if (info !== undefined) cache.set(name, info);
    else if (values[i] !== null) unread.add(key);
    await pace();
  }
}

function byQueue(infos: Iterable<WorkerInfo>): ReadonlyMap<string, QueueWork> {
  const work = new Map<string, QueueWork>();
  for (const { queue, startSeconds } of infos) {
    const one = work.get(queue) ?? { busy: 0, oldestStartSeconds: startSeconds };
    one.busy += 1;
    one.oldestStartSeconds = Math.min(one.oldestStartSeconds, startSeconds);
    work.set(queue, one);
  }
  return work;
}
