/**
 * A connection to Redis for collectors: pipelines under a deadline, over ioredis.
 *
 * A frozen Redis keeps every connection we open in its accept queue for as long as it is frozen,
 * also those we closed. So this client connects only when it is asked to send, never by itself,
 * and it keeps a connection on which an answer is overdue: the answer comes when Redis thaws.
 * Callers ask `RedisHealth.answers()` first; when Redis answers the probe and an answer here has
 * been overdue for long, this connection alone is dead (a forgotten NAT entry), and is replaced.
 *
 * The deadline is ours, not ioredis's commandTimeout: that one forgets the command, and then
 * nobody knows whether the connection is healthy.
 */
import { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';
import { afterAnswers } from './deadline.ts';

/** Name and arguments, as on the wire. */
export type RedisCommand = readonly [string, ...(string | number | Buffer)[]];

export interface RedisClientOptions {
  /** Connecting, AUTH and all answers of one `send` together. Default 1000. */
  readonly timeoutMs?: number;
  /** Give bulk strings as Buffers: for values that are not text. Default false. */
  readonly buffers?: boolean;
}

export interface RedisClient {
  /**
   * Send the commands in one go and give their replies in order: strings (or Buffers), numbers,
   * null, arrays of these. A command that Redis refused has an Error in its place; rejects when
   * the connection fails, the deadline passes or `signal` aborts. No error holds a password.
   */
  send(commands: readonly RedisCommand[], signal: AbortSignal): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** An answer that is overdue for this long, while the probe gets its own, will never come. */
const deadConnectionMs = 10_000;

/**
 * The text of an error without what must not be seen: ioredis puts the arguments of AUTH on its
 * errors, and Redis before 7 repeats the arguments of a command it does not know.
 */
export function safeMessage(error: unknown, { password = '' }: RedisAddress): string {
  let text = error instanceof Error ? error.message : String(error);
  // A failed connect to a name with several addresses has an empty message and a list.
  if (text === '' && error instanceof AggregateError) {
    text = error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ');
  }
  text = text.replace(/,? with args beginning with:.*$/s, '');
  return password === '' ? text : text.replaceAll(password, '***');
}

/** One connection at most, and what is under way on it. */
interface Link {
  readonly redis: Redis;
  connecting?: Promise<void>;
  lastError?: Error;
  /** When each exchange that has not settled was begun, in ms of the monotonic clock. */
  readonly pending: Map<symbol, number>;
}

function openLink(address: RedisAddress, timeoutMs: number): Link {
  const { socketPath, host, port, username, password, db, tls } = address;
  const redis = new Redis({
    ...(socketPath === undefined ? { host, port } : { path: socketPath }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    db,
    connectTimeout: timeoutMs,
    disconnectTimeout: 100,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    // The ready check is an INFO that fails on a busy or loading Redis; the probe knows better.
    enableReadyCheck: false,
    // RESP2 and no CLIENT SETINFO: nothing is sent that an ACL could forbid or Redis 5 not know.
    protocol: 2,
    disableClientInfo: true,
  });
  const link: Link = { redis, pending: new Map() };
  // Without a listener ioredis prints the error, and what it prints may hold the password.
  redis.on('error', (error: Error) => {
    link.lastError = error;
  });
  return link;
}

function connect(link: Link): Promise<void> {
  link.connecting ??= link.redis
    .connect()
    // connect() says only that the connection was closed; the event before it says why.
    .catch((error: unknown) => {
      throw link.lastError ?? new Error('connection failed', { cause: error });
    })
    .finally(() => {
      delete link.connecting;
    });
  return link.connecting;
}

export function createRedisClient(
  address: RedisAddress,
  { timeoutMs = 1000, buffers = false }: RedisClientOptions = {},
): RedisClient {
  let link = openLink(address, timeoutMs);
  let closed = false;

  async function exchange(on: Link, commands: readonly RedisCommand[]) {
    const { redis } = on;
    if (redis.status !== 'ready') await connect(on);
    const pipeline = redis.pipeline();
    for (const [name, ...args] of commands) {
      if (buffers) pipeline.callBuffer(name, ...args);
      else pipeline.call(name, ...args);
    }
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, value]) => {
      if (error === null) return value;
      // No reply: the connection ended, which ioredis words by how far it had noticed.
      if (error.name !== 'ReplyError') {
        throw on.lastError ?? new Error('the connection was closed', { cause: error });
      }
      return new Error(safeMessage(error, address));
    });
  }

  /** The whole link, not its socket: ioredis stays `ready` until a dead socket has closed. */
  function replaceDeadLink(): void {
    const oldest = Math.min(...link.pending.values());
    if (performance.now() - oldest < deadConnectionMs) return;
    link.redis.disconnect();
    link = openLink(address, timeoutMs);
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

  return {
    async send(commands, signal) {
      if (closed) throw new Error(`${address.display}: the client is closed`);
      signal.throwIfAborted();
      replaceDeadLink();
      const { pending } = link;
      const key = Symbol('exchange');
      pending.set(key, performance.now());
      const answered = exchange(link, commands).finally(() => pending.delete(key));
      try {
        return await withDeadline(answered, signal);
      } catch (error) {
        // oxlint-disable-next-line eslint/preserve-caught-error -- ioredis's error carries AUTH's arguments
        throw new Error(`${address.display}: ${safeMessage(error, address)}`);
      }
    },
    async close() {
      closed = true;
      link.redis.disconnect();
    },
  };
}
