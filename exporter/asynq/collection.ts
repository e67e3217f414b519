/**
 * One collection: everything Asynq keeps in Redis, read once, read-only.
 *
 * Queues are found in `asynq:queues`, in what live servers say they serve, in the configuration
 * and in what we remember: since v0.25 a client enters a queue's name once in its life, so after
 * Redis lost it (restart from an older RDB, failover, flush) tasks pile up in a queue that is in
 * no list, and asynq's own tools say it does not exist.
 */
import type { Clock } from '../measure/clock.ts';
import type { RedisClient } from '../redis/client.ts';
import { type Ask, askFor, buffersOf, createAsk, type ErrorReason, type Refusals } from './ask.ts';
import { createQueuePaging, legacyOf, type Listed, readListed, scanQueues } from './discovery.ts';
import { createFleetMemory, type Fleet, readFleet } from './fleet.ts';
import { isLegacyMember, schedulersKey, serversKey } from './keys.ts';
import { createMembersPaging, newestMembers, readMembers } from './members.ts';
import { readMemory } from './memory.ts';
import { createPace } from '../core/pace.ts';
import { newQueueNotes, type QueueNotes } from './queue-notes.ts';
import type { Moment } from './moment.ts';
import { type QueueReading, readQueue, taskStates } from './queue-reader.ts';

/** Queues that are read at all, of names of up to 30 bytes; fewer of longer ones. */
const mostQueues = 10_000;
/** What the series of a queue come to on the page: 35 of them, with the name in each. */
const seriesOfQueue = 35;
const seriesBytes = 60;
const mostPageBytes = 32 * 1024 * 1024;
/** Queues to a pipeline: larger ones were slower, and hold up our own event loop and other clients. */
const queuesPerPipeline = 25;
/** A queue that is empty, listed nowhere and served by nobody is forgotten after this long. */
const forgottenAfterSeconds = 3600;
const memoryQueuesPerCollection = 20;

export const truncations = [
  'queues',
  'queue_names',
  'task_ids',
  'groups',
  'servers',
  'workers',
  'scheduler_entries',
] as const;

export interface Snapshot {
  /** On the monotonic clock. */
  readonly takenAt: number;
  readonly durationSeconds: number;
  readonly roundTrips: number;
  /** Unix time by Redis's clock at `takenAt`. */
  readonly redisTime: number;
  /** Redis's clock less ours; NaN where TIME is refused. */
  readonly clockSkewSeconds: number;
  readonly queues: readonly QueueReading[];
  readonly listed: Listed;
  readonly fleet: Fleet;
  /** Queues of Asynq before v0.18, which are not read. */
  readonly legacyQueues: readonly string[];
  readonly truncated: Readonly<Record<(typeof truncations)[number], boolean>>;
  /** What Redis refused, or what did not decode: numbers that are NaN. Undefined when there is none. */
  readonly refusals: Refusals | undefined;
}

export interface CollectionOptions {
  readonly client: RedisClient;
  readonly clock: Clock;
  readonly configuredQueues: readonly string[];
  readonly withMemory: boolean;
  readonly countError: (reason: ErrorReason) => void;
}

export interface Collection {
  /** Rejects when Redis did not answer or what it answered says nothing of any queue. */
  collect(signal: AbortSignal): Promise<Snapshot>;
}

export function createCollection(options: CollectionOptions): Collection {
  const { client, clock, configuredQueues, countError } = options;
  const notes = new Map<string, QueueNotes>();
  const paging = {
    queues: createQueuePaging(),
    servers: createMembersPaging(),
    schedulers: createMembersPaging(),
  };
  const memory = createFleetMemory();
  let served: readonly string[] = [];
  let memoryNext = 0;
  let withMemory = options.withMemory;

  function notesOf(queue: string): QueueNotes {
    let known = notes.get(queue);
    if (known === undefined) {
      known = newQueueNotes(queue, clock.monotonic());
      notes.set(queue, known);
    }
    return known;
  }

  async function readQueues(ask: Ask, names: readonly string[], moment: Moment) {
    const readings: QueueReading[] = [];
    const pace = createPace();
    for (let start = 0; start < names.length; start += queuesPerPipeline) {
      const chunk = names.slice(start, start + queuesPerPipeline);
      const read = await Promise.all(chunk.map((name) => readQueue(ask, notesOf(name), moment)));
      for (const reading of read) if (reading !== undefined) readings.push(reading);
      await pace();
    }
    return readings;
  }

  /** A few queues each time, in turn: all of them within a while, none of them at a cost. */
  async function readMemories(ask: Ask, queues: readonly QueueReading[]): Promise<void> {
    const count = Math.min(memoryQueuesPerCollection, queues.length);
    const chosen = Array.from(
      { length: count },
      (_, i) => queues[(memoryNext + i) % queues.length],
    );
    memoryNext = (memoryNext + count) % Math.max(1, queues.length);
    const read = chosen.filter((one) => one !== undefined);
    const bytes = await Promise.all(read.map((one) => readMemory(ask, one)));
    // Refused once is refused for good; asking every time would only fill Redis's ACL LOG.
    if (bytes.length > 0 && bytes.every((one) => Number.isNaN(one))) withMemory = false;
    else {
      read.forEach(({ notes }, i) => {
        notes.memoryBytes = bytes[i];
      });
    }
  }

  /**
   * Configured and listed queues first: they are what the bound must not cut off. Where there are
   * so many that the list itself was not read to its end, those of before stay, or series would
   * come and go with the order in which Redis lists them.
   */
  function namesToRead({ names, complete }: Listed): Names {
    const listed = [...names].filter((name) => !isLegacyMember(name));
    const known = complete ? [...listed, ...notes.keys()] : [...notes.keys(), ...listed];
    return upToBounds(new Set([...configuredQueues, ...known, ...served]));
  }

  /** What is worth showing. A deleted queue is not, nor one a server names and nobody has used. */
  function shown(readings: readonly QueueReading[], { names, complete }: Listed): QueueReading[] {
    const configured = new Set(configuredQueues);
    const servedNow = new Set(served);
    return readings.filter((reading) => {
      const { queue } = reading;
      const holds = taskStates.some((state) => !(reading.tasks[state] === 0));
      const used = names.has(queue) || configured.has(queue) || holds;
      if (used || servedNow.has(queue)) reading.notes.lastUseful = clock.monotonic();
      return used || !complete || (servedNow.has(queue) && reading.hasTotals);
    });
  }

  function forget(): void {
    for (const [name, { lastUseful }] of notes) {
      if (clock.monotonic() - lastUseful > forgottenAfterSeconds) notes.delete(name);
    }
  }

  async function collect(signal: AbortSignal): Promise<Snapshot> {
    const ask = createAsk(client, signal, countError);
    const started = clock.monotonic();
    const first = await askFor(ask, {
      time: ['TIME'],
      queues: scanQueues('0', paging.queues),
      servers: newestMembers(serversKey, paging.servers),
      schedulers: newestMembers(schedulersKey, paging.schedulers),
    });
    if (first.queues instanceof Error) throw first.queues;
    const answered = clock.monotonic();
    const moment = momentOf(first.time, clock, (started + answered) / 2);
    const clockSkewSeconds =
      first.time instanceof Error
        ? Number.NaN
        : skewOf(moment.redisNow() - clock.wall(), answered - started);
    const [listed, servers, schedulers] = await Promise.all([
      readListed(ask, first.queues, paging.queues, mostQueues),
      readMembers(ask, serversKey, paging.servers, first.servers),
      readMembers(ask, schedulersKey, paging.schedulers, first.schedulers),
    ]);
    const { names, truncated } = namesToRead(listed);
    const [readings, fleet] = await Promise.all([
      readQueues(ask, names, moment),
      readFleet(ask, { servers, schedulers }, memory, moment),
    ]);
    if (fleet.missing !== 'refused') served = servedQueues(fleet);
    const all = upToBounds(new Set([...names, ...served]));
    readings.push(...(await readQueues(ask, all.names.slice(names.length), moment)));
    refuseEmptyAnswer(readings, ask.refusals());
    const queues = shown(readings, listed);
    if (withMemory) await readMemories(ask, queues);
    forget();
    return {
      takenAt: clock.monotonic(),
      durationSeconds: clock.monotonic() - started,
      roundTrips: ask.roundTrips(),
      redisTime: moment.redisNow(),
      clockSkewSeconds,
      queues,
      listed,
      fleet,
      legacyQueues: legacyOf(listed.names, notes, fleet),
      truncated: {
        queues: truncated || all.truncated || !listed.complete,
        queue_names: listed.unnamed > 0,
        task_ids: queues.some(({ idsUnread }) => idsUnread),
        groups: queues.some(({ groupsEstimated }) => groupsEstimated),
        ...fleet.truncated,
      },
      refusals: ask.refusals(),
    };
  }

  return { collect };
}

/** Redis told its time somewhere between question and answer: less than that is no difference. */
const skewOf = (seconds: number, tripSeconds: number): number =>
  Math.abs(seconds) <= tripSeconds / 2 + 0.001 ? 0 : Math.round(seconds * 1000) / 1000;

/** Redis's clock, carried on by our monotonic one; ours alone where TIME is refused. */
function momentOf(time: unknown, clock: Clock, askedAt: number): Moment {
  const [seconds, microseconds] = buffersOf(time).map((part) => Number(part.toString()));
  const base =
    seconds === undefined
      ? clock.wall() - clock.monotonic()
      : seconds + (microseconds ?? 0) / 1e6 - askedAt;
  return { redisNow: () => base + clock.monotonic(), monotonic: () => clock.monotonic() };
}

const servedQueues = ({ live }: Fleet): readonly string[] => [
  ...new Set(live.flatMap(({ queues }) => queues)),
];

interface Names {
  readonly names: readonly string[];
  readonly truncated: boolean;
}

function upToBounds(wanted: ReadonlySet<string>): Names {
  const names: string[] = [];
  let bytes = 0;
  for (const name of wanted) {
    bytes += seriesOfQueue * (seriesBytes + Buffer.byteLength(name));
    if (names.length >= mostQueues || bytes > mostPageBytes) return { names, truncated: true };
    names.push(name);
  }
  return { names, truncated: false };
}

/** When every single queue was refused (a script runs, an ACL forbids), there is no reading. */
function refuseEmptyAnswer(
  readings: readonly QueueReading[],
  refusals: Refusals | undefined,
): void {
  if (readings.length > 0 && readings.every(({ tasks }) => Number.isNaN(tasks.pending))) {
    const words = refusals === undefined ? '' : `: ${refusals.first}`;
    throw new Error(`Redis refused to tell the length of every queue${words}`);
  }
}
