/**
 * One collection: everything Asynq keeps in Redis, read once, read-only.
 *
 * Queues are found in `asynq:queues`, in what live servers say they serve, in the configuration
 * and in what we remember: since v0.25 a client enters a queue's name once in its life, so after
 * Redis lost it (restart from an older RDB, failover, flush) tasks pile up in a queue that is in
 * no list, and asynq's own tools say it does not exist.
 */
import type { Clock } from '../clock.ts';
import type { RedisClient } from '../redis/client.ts';
import { type Ask, askFor, buffersOf, createAsk, type ErrorReason } from './ask.ts';
import { legacyOf, namesOf, scannedMembers, scanQueues } from './discovery.ts';
import { type Fleet, fleetQuestions, membersOf, readFleet } from './fleet.ts';
import { isLegacyMember } from './keys.ts';
import { readMemory } from './memory.ts';
import { newQueueNotes, type QueueNotes } from './queue-notes.ts';
import { type Moment, type QueueReading, readQueue, taskStates } from './queue-reader.ts';
import type { WorkerCache } from './workers.ts';

/** Queues that are read at all. Beyond it `asynq_truncated{collector="queues"}` is 1. */
const maxQueues = 20_000;
/** Queues to a pipeline: larger ones were slower, and hold up other clients for longer. */
const queuesPerPipeline = 100;
/** A queue that is empty, listed nowhere and served by nobody is forgotten after this long. */
const forgottenAfterSeconds = 3600;
const memoryQueuesPerCollection = 20;

export const truncations = ['queues', 'groups', 'servers', 'workers', 'scheduler_entries'] as const;

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
  readonly listed: ReadonlySet<string>;
  /** Undefined where Redis refuses to tell. */
  readonly fleet: Fleet | undefined;
  /** Queues of Asynq before v0.18, which are not read. */
  readonly legacyQueues: readonly string[];
  readonly truncated: Readonly<Record<(typeof truncations)[number], boolean>>;
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
  const workers: WorkerCache = new Map();
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
    for (let start = 0; start < names.length; start += queuesPerPipeline) {
      const chunk = names.slice(start, start + queuesPerPipeline);
      const read = await Promise.all(chunk.map((name) => readQueue(ask, notesOf(name), moment)));
      readings.push(...read.filter((reading) => reading !== undefined));
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

  /** Configured and listed queues first: they are what the bound must not cut off. */
  function namesToRead(listed: Iterable<string>): string[] {
    return [...new Set([...configuredQueues, ...notes.keys(), ...listed, ...served])].slice(
      0,
      maxQueues,
    );
  }

  /** What is worth showing. A deleted queue is not, nor one a server names and nobody has used. */
  function shown(readings: readonly QueueReading[], listed: ReadonlySet<string>): QueueReading[] {
    const configured = new Set(configuredQueues);
    const servedNow = new Set(served);
    return readings.filter((reading) => {
      const { queue } = reading;
      const holds = taskStates.some((state) => !(reading.tasks[state] === 0));
      const used = listed.has(queue) || configured.has(queue) || holds;
      if (used || servedNow.has(queue)) reading.notes.lastUseful = clock.monotonic();
      return used || (servedNow.has(queue) && reading.hasTotals);
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
      queues: scanQueues('0'),
      ...fleetQuestions,
    });
    if (first.queues instanceof Error) throw first.queues;
    const moment = momentOf(first.time, clock, (started + clock.monotonic()) / 2);
    const clockSkewSeconds =
      first.time instanceof Error ? Number.NaN : moment.redisNow() - clock.wall();
    const members = namesOf(ask, await scannedMembers(ask, first.queues, maxQueues));
    const listed = new Set(members.filter((name) => !isLegacyMember(name)));
    const names = namesToRead(listed);
    const found = {
      servers: membersOf(first.servers),
      schedulers: membersOf(first.schedulers),
    };
    const [readings, fleet] = await Promise.all([
      readQueues(ask, names, moment),
      first.servers instanceof Error ? undefined : readFleet(ask, found, workers, moment),
    ]);
    if (fleet !== undefined) served = fleet.servers.flatMap(({ live }) => live?.queues ?? []);
    const known = new Set(names);
    const more = [...new Set(served)].filter((name) => !known.has(name));
    readings.push(...(await readQueues(ask, more.slice(0, maxQueues - names.length), moment)));
    refuseEmptyAnswer(readings);
    const queues = shown(readings, listed);
    if (withMemory) await readMemories(ask, queues);
    forget();
    return {
      takenAt: clock.monotonic(),
      durationSeconds: clock.monotonic() - started,
      roundTrips: ask.roundTrips(),
      redisTime: moment.redisNow(),
      clockSkewSeconds: Number.isNaN(clockSkewSeconds) ? clockSkewSeconds : round(clockSkewSeconds),
      queues,
      listed,
      fleet,
      legacyQueues: legacyOf(members, notes, fleet),
      truncated: {
        queues: names.length >= maxQueues,
        groups: queues.some(({ groupsEstimated }) => groupsEstimated),
        servers: fleet?.truncated.servers ?? false,
        workers: fleet?.truncated.workers ?? false,
        scheduler_entries: fleet?.truncated.scheduler_entries ?? false,
      },
    };
  }

  return { collect };
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Redis's clock, carried on by our monotonic one; ours alone where TIME is refused. */
function momentOf(time: unknown, clock: Clock, askedAt: number): Moment {
  const [seconds, microseconds] = buffersOf(time).map((part) => Number(part.toString()));
  const base =
    seconds === undefined
      ? clock.wall() - clock.monotonic()
      : seconds + (microseconds ?? 0) / 1e6 - askedAt;
  return { redisNow: () => base + clock.monotonic(), monotonic: () => clock.monotonic() };
}

/** When every single queue was refused (a script runs, an ACL forbids), there is no reading. */
function refuseEmptyAnswer(readings: readonly QueueReading[]): void {
  if (readings.length > 0 && readings.every(({ tasks }) => Number.isNaN(tasks.pending))) {
    throw new Error('Redis refused to tell the length of every queue');
  }
}
