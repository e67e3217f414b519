/**
 * Schedulers and their periodic tasks, from what each leaves in Redis every 10 s: a list of its
 * entries. What stands in an entry is the user's, and Redis does not tell how long it is before
 * it sends it: so a few at a time, as many as fit by what came before.
 */
import { type Ask, buffersOf, countOf, decoded, isRefused } from './ask.ts';
import type { Member, Members } from './members.ts';
import { decodeSchedulerEntry, type SchedulerEntry } from './messages.ts';
import { createPace } from '../core/pace.ts';
import { bytesOf, createPaging, type Paging } from './paging.ts';

const mostEntries = 200;
const mostBytes = 2 * 1024 * 1024;
/** Payload, spec and options of one entry. */
const longestEntry = 64 * 1024;

/** What is remembered of the last time: how long entries are, and which there were. */
export interface SchedulerMemory {
  readonly paging: Paging;
  entries: readonly SchedulerEntry[];
}

export const createSchedulerMemory = (): SchedulerMemory => ({
  paging: createPaging(mostEntries),
  entries: [],
});

export interface Scheduled {
  /** NaN where Redis refused. */
  readonly live: number;
  /** Where Redis refused those of before, without a time. */
  readonly entries: readonly SchedulerEntry[];
  readonly truncated: boolean;
}

/** A list and how far it has been read. */
interface Place {
  readonly key: string;
  readonly from: number;
}

export async function readSchedulers(
  ask: Ask,
  schedulers: Members | Error,
  liveKeys: (members: readonly Member[]) => readonly string[],
  memory: SchedulerMemory,
): Promise<Scheduled> {
  if (schedulers instanceof Error) {
    return { live: Number.NaN, entries: withoutTimes(memory.entries), truncated: false };
  }
  const keys = liveKeys(schedulers.members);
  const [lengths, read] = await Promise.all([
    ask.send(keys.map((key) => ['LLEN', key])),
    readEntries(ask, keys, memory.paging),
  ]);
  if (read !== undefined) memory.entries = read.entries;
  const nameless = schedulers.members.some(({ key }) => key === undefined);
  return {
    live: lengths.reduce<number>((sum, reply) => sum + Math.min(1, countOf(reply)), 0),
    entries: read?.entries ?? withoutTimes(memory.entries),
    truncated: schedulers.truncated || nameless || (read?.truncated ?? false),
  };
}

const withoutTimes = (entries: readonly SchedulerEntry[]): readonly SchedulerEntry[] =>
  entries.map((entry) => ({ ...entry, nextSeconds: undefined, previousSeconds: undefined }));

async function readEntries(ask: Ask, keys: readonly string[], paging: Paging) {
  const merge = createMerge(ask);
  let waiting: Place[] = keys.map((key) => ({ key, from: 0 }));
  let bytes = 0;
  while (waiting.length > 0 && bytes < mostBytes) {
    const fit = paging.next();
    const some = waiting.slice(0, fit);
    const each = Math.max(1, Math.floor(fit / some.length));
    const replies = await ask.send(
      some.map(({ key, from }) => ['LRANGE', key, from, from + each - 1]),
    );
    if (replies.some(isRefused)) return undefined;
    waiting = waiting.slice(some.length);
    for (const [i, { key, from }] of some.entries()) {
      const values = buffersOf(replies[i]);
      paging.note(values);
      bytes += bytesOf(values);
      await merge.add(values);
      if (values.length < each) continue;
      if (from + each < mostEntries) waiting.push({ key, from: from + each });
      else merge.leaveOut();
    }
  }
  if (waiting.length > 0) merge.leaveOut();
  return { entries: merge.entries(), truncated: merge.truncated() };
}

/** Every replica of a scheduler has the same entries: the soonest next and the latest last run. */
function createMerge(ask: Ask) {
  const merged = new Map<string, SchedulerEntry>();
  const pace = createPace();
  let truncated = false;

  function addOne(value: Buffer): void {
    const entry =
      value.length > longestEntry ? undefined : decoded(ask, value, decodeSchedulerEntry);
    if (entry === undefined) {
      truncated ||= value.length > longestEntry;
      return;
    }
    const id = JSON.stringify([entry.taskType, entry.spec, entry.queue]);
    const known = merged.get(id);
    if (known === undefined && merged.size >= mostEntries) truncated = true;
    else merged.set(id, known === undefined ? entry : mergedEntry(known, entry));
  }

  return {
    async add(values: readonly Buffer[]): Promise<void> {
      for (const value of values) {
        addOne(value);
        await pace();
      }
    },
    leaveOut: () => {
      truncated = true;
    },
    entries: () => [...merged.values()],
    truncated: () => truncated,
  };
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
