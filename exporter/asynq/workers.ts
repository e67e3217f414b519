/**
 * What workers are doing now, by queue. The hash of a server's workers carries the payload of
 * every task under way, so its values are never fetched whole: first the ids, then the sizes of
 * the ids not seen before, then the values that fit a budget. What a task is does not change
 * while it runs, so each is read once.
 */
import { type Ask, buffersOf, countOf, decoded } from './ask.ts';
import { decodeWorkerInfo, type WorkerInfo } from './messages.ts';

/** Work under way on one queue. */
export interface QueueWork {
  busy: number;
  /** Unix time at which the task that has run longest was begun. */
  oldestStartSeconds: number;
}

/** Tasks under way at the last collection, by id. */
export type WorkerCache = Map<string, WorkerInfo>;

const maxTasks = 10_000;
const maxNewTasks = 2000;
const maxValueBytes = 64 * 1024;
const maxBytes = 1024 * 1024;

interface Place {
  readonly key: string;
  readonly id: Buffer;
  readonly name: string;
}

export async function readWorkers(
  ask: Ask,
  keys: readonly string[],
  cache: WorkerCache,
): Promise<{ byQueue: Map<string, QueueWork>; truncated: boolean }> {
  const replies = await ask.send(keys.map((key) => ['HKEYS', key] as const));
  const places = keys.flatMap((key, i) =>
    buffersOf(replies[i]).map((id) => ({ key, id, name: `${key} ${id.toString('latin1')}` })),
  );
  const underWay = places.slice(0, maxTasks);
  const names = new Set(underWay.map(({ name }) => name));
  for (const name of cache.keys()) if (!names.has(name)) cache.delete(name);
  const fresh = underWay.filter(({ name }) => !cache.has(name));
  await readFresh(ask, fresh.slice(0, maxNewTasks), cache);
  const byQueue = new Map<string, QueueWork>();
  for (const { queue, startSeconds } of cache.values()) {
    const work = byQueue.get(queue) ?? { busy: 0, oldestStartSeconds: startSeconds };
    work.busy += 1;
    work.oldestStartSeconds = Math.min(work.oldestStartSeconds, startSeconds);
    byQueue.set(queue, work);
  }
  // A task that ended between two replies is missing too; only a limit is worth telling.
  const truncated = underWay.length < places.length || fresh.length > maxNewTasks;
  return { byQueue, truncated: truncated || cache.size < underWay.length / 2 };
}

async function readFresh(ask: Ask, fresh: readonly Place[], cache: WorkerCache): Promise<void> {
  const sizes = await ask.send(fresh.map(({ key, id }) => ['HSTRLEN', key, id] as const));
  let bytes = 0;
  const fitting = fresh.filter((_, i) => {
    const size = countOf(sizes[i]);
    if (!(size > 0 && size <= maxValueBytes && bytes + size <= maxBytes)) return false;
    bytes += size;
    return true;
  });
  const values = await ask.send(fitting.map(({ key, id }) => ['HGET', key, id] as const));
  fitting.forEach(({ name }, i) => {
    const info = decoded(ask, values[i], decodeWorkerInfo);
    if (info !== undefined) cache.set(name, info);
  });
}
