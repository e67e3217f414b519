/**
 * A connection to Redis for collectors: pipelines under a deadline and a bound in bytes.
 *
 * A frozen Redis keeps every connection we open in its accept queue for as long as it is frozen,
 * also those we closed. So this client connects only when it is asked to send, never by itself,
 * and it keeps a connection on which an answer is overdue: the answer comes when Redis thaws.
 * Until then what else is asked fails at once. Callers ask `RedisHealth.answers()` first; when
 * Redis answers the probe and an answer here has been overdue for long, this connection alone is
 * dead (a forgotten NAT entry), or this question alone is never answered, and it is replaced.
 *
 * All that ask share the connection: one exchange at a time, the short one before the long ones
 * that wait. So a reply that is over its bounds, or that ends the connection, fails the one who
 * asked for it. Whoever's question is not answered at all gets a connection of its own until it is.
 */
import { setImmediate } from 'node:timers/promises';
import { createPseudoFs } from '../procfs/reader.ts';
import type { RedisAddress } from './address.ts';
import { afterAnswers } from './deadline.ts';
import { type Link, openLink } from './link.ts';
import type { FirstReplies, RedisCommand, Reply } from './commands.ts';
import type { ReplyLimits } from './reply-bounds.ts';
import { safeMessage } from './safe-text.ts';
import { unacknowledgedBytes } from './unacknowledged.ts';

export type { RedisCommand } from './commands.ts';

export interface RedisClientOptions {
  /** Connecting, AUTH and all answers of one `send` together. Default 1000. */
  readonly timeoutMs?: number;
  /** Give bulk strings as Buffers: for values that are not text. Default false. */
  readonly buffers?: boolean;
  /**
   * Callers ask only while a probe of the same server is answered. Without one, silence may be a
   * freeze however long it lasts, and only a peer that does not acknowledge is given up.
   */
  readonly watched?: boolean;
}

/** `short` goes before every `long` that waits, and is given fewer bytes. */
export type Urgency = 'short' | 'long';

export interface RedisClient {
  /**
   * Send the commands in one go and give their replies in order: strings (or Buffers), numbers,
   * null, arrays of these. A command that Redis refused has an Error in its place; rejects when
   * the connection fails, the deadline passes or `signal` aborts. No error holds a password.
   * `first` is told its replies as soon as they are there.
   */
  send(
    commands: readonly RedisCommand[],
    signal: AbortSignal,
    urgency?: Urgency,
    first?: FirstReplies,
  ): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** An answer that is overdue for this long, while the probe gets its own, will never come. */
const deadConnectionMs = 10_000;
/** Not one byte of an answer for this long: what is asked now would wait behind it. */
const quietMs = 800;
/**
 * All replies of one exchange together. An INFO is 10 kB and a handful of values, a pipeline of 100
 * queues 200 kB, a map of all 16,384 slots 200,000 values.
 */
const limits: Readonly<Record<Urgency, ReplyLimits>> = {
  short: { bytes: 4 << 20, values: 10_000 },
  long: { bytes: 16 << 20, values: 250_000 },
};

interface Job {
  readonly commands: readonly RedisCommand[];
  readonly urgency: Urgency;
  readonly first: FirstReplies | undefined;
  readonly resolve: (replies: readonly Reply[]) => void;
  readonly reject: (error: unknown) => void;
  /** Nobody waits for it any more. */
  dropped: boolean;
}

/** A connection and those that wait for it. */
interface Track {
  link: Link | undefined;
  current: Job | undefined;
  waiting: Job[];
}

const newTrack = (): Track => ({ link: undefined, current: undefined, waiting: [] });

/** Our own network namespace, wherever the host's proc file system is mounted. */
const ownProcfs = createPseudoFs('/proc');

function isCutOff(link: Link): boolean {
  const ends = link.ends();
  try {
    return ends !== undefined && (unacknowledgedBytes(ownProcfs, ends) ?? 0) > 0;
  } catch {
    return false;
  }
}

export function createRedisClient(
  address: RedisAddress,
  { timeoutMs = 1000, buffers = false, watched = true }: RedisClientOptions = {},
): RedisClient {
  const shared = newTrack();
  const tracks: Record<Urgency, Track> = { short: shared, long: shared };
  let closed = false;

  async function run(track: Track, job: Job): Promise<void> {
    if (closed) throw new Error('the client is closed');
    if (track.link?.usable() !== true) {
      track.link = openLink(address, { buffers, connectMs: timeoutMs });
    }
    job.resolve(await track.link.ask(job.commands, limits[job.urgency], job.first));
    // The connection was to blame, and not the question: there need not be two.
    if (track !== shared && tracks[job.urgency] === track) {
      tracks[job.urgency] = shared;
      track.link.close('one connection is enough');
    }
  }

  function next(track: Track): void {
    if (track.current !== undefined) return;
    track.waiting = track.waiting.filter(({ dropped }) => !dropped);
    const short = track.waiting.findIndex(({ urgency }) => urgency === 'short');
    const [job] = track.waiting.splice(Math.max(short, 0), 1);
    if (job === undefined) return;
    track.current = job;
    run(track, job)
      .catch(job.reject)
      .finally(() => {
        track.current = undefined;
        next(track);
      });
  }

  /** Whether the answer that is overdue will never come. */
  function isDead(link: Link): boolean {
    if (link.isResolving()) return false;
    // Bytes that trickle for this long are not a frozen Redis.
    const flows = link.quietMs() < quietMs;
    if (link.busyMs() >= deadConnectionMs && (watched || flows)) return true;
    return link.quietMs() >= deadConnectionMs && isCutOff(link);
  }

  function isOverdue({ link, current }: Track): boolean {
    if (link === undefined || current === undefined) return false;
    return link.quietMs() >= quietMs || link.busyMs() >= deadConnectionMs;
  }

  /** Throws when whoever asks now would wait behind an answer that is overdue. */
  async function makeWay(urgency: Urgency): Promise<Track> {
    // When it was us who stood still, the answer lies in the kernel's buffer: read it first.
    if (isOverdue(tracks[urgency])) await setImmediate();
    const track = tracks[urgency];
    const { link, current } = track;
    if (!isOverdue(track) || link === undefined || current === undefined) return track;
    if (!isDead(link)) throw new Error(`no answer within ${quietMs} ms to what was asked before`);
    // Who asked what is never answered waits alone from now on.
    if (tracks.short === tracks.long) tracks[current.urgency] = newTrack();
    link.close('never answered');
    return tracks[urgency];
  }

  async function withDeadline<T>(answered: Promise<T>, signal: AbortSignal): Promise<T> {
    const { promise: expired, reject } = Promise.withResolvers<never>();
    const cancel = afterAnswers(timeoutMs, () => {
      reject(new Error(`no answer within ${timeoutMs} ms`));
    });
    const abort = () => {
      const late = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      const why = late ? 'no answer in the time the caller had' : 'given up by the caller';
      reject(new Error(why, { cause: signal.reason }));
    };
    signal.addEventListener('abort', abort);
    try {
      return await Promise.race([answered, expired]);
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  async function exchange(
    commands: readonly RedisCommand[],
    signal: AbortSignal,
    urgency: Urgency,
    first: FirstReplies | undefined,
  ): Promise<readonly Reply[]> {
    const track = await makeWay(urgency);
    const { promise, resolve, reject } = Promise.withResolvers<readonly Reply[]>();
    const job: Job = { commands, urgency, first, resolve, reject, dropped: false };
    track.waiting.push(job);
    next(track);
    try {
      return await withDeadline(promise, signal);
    } finally {
      job.dropped = true;
    }
  }

  function withoutSecrets(reply: Reply): Reply {
    return reply instanceof Error ? new Error(safeMessage(reply, address)) : reply;
  }

  return {
    async send(commands, signal, urgency = 'long', first) {
      if (closed) throw new Error(`${address.display}: the client is closed`);
      signal.throwIfAborted();
      try {
        const told = first && {
          count: first.count,
          tell: (replies: readonly Reply[]) => first.tell(replies.map(withoutSecrets)),
        };
        return (await exchange(commands, signal, urgency, told)).map(withoutSecrets);
      } catch (error) {
        // oxlint-disable-next-line eslint/preserve-caught-error -- the peer's words may hold the password
        throw new Error(`${address.display}: ${safeMessage(error, address)}`);
      }
    },
    async close() {
      closed = true;
      for (const track of new Set([shared, tracks.short, tracks.long])) {
        track.link?.close('the client is closed');
      }
    },
  };
}
