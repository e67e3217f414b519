/**
 * Questions to Redis during one collection: counted, cut into pipelines, and their failures
 * sorted by reason. A reply that is an Error degrades what it was asked for and nothing else.
 */
import type { RedisClient, RedisCommand } from '../redis/client.ts';
import { asError, messageOf } from '../measure/errors.ts';

export const errorReasons = [
  'timeout',
  'busy',
  'loading',
  'noperm',
  'moved',
  'decode',
  'other',
] as const;
export type ErrorReason = (typeof errorReasons)[number];

/**
 * How Redis and those that sell it word "you may not": ACLs, commands renamed or built without,
 * proxies and managed services (Upstash, Aliyun, Tencent, Huawei, Envoy, Codis, Azure, ...).
 */
const refusals = [
  /\b(?:NOPERM|NOAUTH|WRONGPASS|DENIED)\b/,
  /\b(?:unknown|illegal|invalid|forbidden|disabled|prohibited|restricted|blocked) (?:sub)?command\b/i,
  /\bunsupport(?:ed)?\b|\b(?:not|n't|cannot be) (?:\w+ )?(?:support(?:ed)?|allow(?:ed)?|permit(?:ted)?|available|enabled|implemented)\b/i,
  /\b(?:sub)?command\b.*\b(?:disabled|forbidden|prohibited|restricted|blocked|denied|refused)\b/i,
  /\b(?:permission|access|authorization) (?:is )?denied\b|\bno (?:permissions?|access|authority)\b/i,
];

/** The client's own words: it does not read on. */
const tooMuch = /\ba reply of over\b/;
export const isTooMuch = (reply: unknown): boolean =>
  reply instanceof Error && tooMuch.test(reply.message);

const isRefusal = (text: string): boolean => refusals.some((pattern) => pattern.test(text));

const reasonTests: readonly (readonly [(text: string) => boolean, ErrorReason])[] = [
  [(text) => /no answer within|no answer in the time|given up by the caller/.test(text), 'timeout'],
  [(text) => /\bBUSY\b/.test(text), 'busy'],
  [(text) => /\bLOADING\b/.test(text), 'loading'],
  [(text) => /\b(?:MOVED|ASK|TRYAGAIN|CROSSSLOT)\b/.test(text), 'moved'],
  // Not what Asynq writes there: as unreadable as bytes that do not decode.
  [(text) => /\bWRONGTYPE\b|^protobuf:|^decode:/.test(text) || tooMuch.test(text), 'decode'],
  [isRefusal, 'noperm'],
];

export function reasonOf({ message }: Error): ErrorReason {
  return reasonTests.find(([test]) => test(message))?.[1] ?? 'other';
}

/** Kept from us, by a refusal or a node that does not answer: not a value that is there and no good. */
export const isRefused = (reply: unknown): boolean =>
  reply instanceof Error && reasonOf(reply) !== 'decode';

/** What a collection could not read: the first refusal in Redis's words, and how many there were. */
export interface Refusals {
  readonly first: string;
  readonly count: number;
}

export interface Ask {
  /**
   * Replies in order, Buffers for text; an Error stands where Redis refused a command. What is
   * asked in the same turn of the event loop goes out as one pipeline: readers are written one
   * by one and share their round trips.
   */
  send(commands: readonly RedisCommand[]): Promise<readonly unknown[]>;
  /** Count a value that Redis gave and that cannot be used. */
  failed(error: Error): void;
  roundTrips(): number;
  /** Undefined while everything asked for was given. */
  refusals(): Refusals | undefined;
}

interface Question {
  readonly commands: readonly RedisCommand[];
  readonly answer: (replies: readonly unknown[]) => void;
  readonly fail: (error: unknown) => void;
}

export function createAsk(
  client: RedisClient,
  signal: AbortSignal,
  countError: (reason: ErrorReason) => void,
): Ask {
  let roundTrips = 0;
  let waiting: Question[] = [];
  let refused: Refusals | undefined;

  function note(error: Error, command?: RedisCommand): void {
    countError(reasonOf(error));
    // The memory of queues is asked for on top: refused, it costs itself only.
    if (command?.[0] === 'MEMORY') return;
    const first = command === undefined ? error.message : `${command[0]}: ${error.message}`;
    refused = { first: refused?.first ?? first, count: (refused?.count ?? 0) + 1 };
  }

  /** Replies that are too much together are asked for in halves; one that is too much alone is an Error. */
  async function fetch(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    const replies = await client.send(commands, signal).catch((error: unknown) => {
      if (!isTooMuch(error)) throw error;
      return commands.map((): unknown => error);
    });
    const again = commands.flatMap((_, i) => (isTooMuch(replies[i]) ? [i] : []));
    if (again.length === 0 || commands.length === 1) return replies;
    const result = [...replies];
    const middle = Math.ceil(again.length / 2);
    for (const half of [again.slice(0, middle), again.slice(middle)]) {
      const answers =
        half.length === 0 ? [] : await fetch(half.flatMap((i) => commands.slice(i, i + 1)));
      half.forEach((i, j) => {
        result[i] = answers[j];
      });
    }
    return result;
  }

  async function flush(): Promise<void> {
    const questions = waiting;
    waiting = [];
    roundTrips += 1;
    try {
      const asked = questions.flatMap(({ commands }) => commands);
      const replies = await fetch(asked);
      replies.forEach((reply, i) => {
        if (reply instanceof Error) note(reply, asked[i]);
      });
      let start = 0;
      for (const { commands, answer } of questions) {
        answer(replies.slice(start, start + commands.length));
        start += commands.length;
      }
    } catch (error) {
      countError(reasonOf(asError(error)));
      for (const { fail } of questions) fail(error);
    }
  }

  return {
    send(commands) {
      if (commands.length === 0) return Promise.resolve([]);
      return new Promise((answer, fail) => {
        if (waiting.length === 0) setImmediate(() => void flush());
        waiting.push({ commands, answer, fail });
      });
    },
    failed: (error) => note(error),
    roundTrips: () => roundTrips,
    refusals: () => refused,
  };
}

/** Ask by name. A command that is undefined is not sent, and its reply is null. */
export async function askFor<K extends string>(
  ask: Ask,
  commands: Readonly<Record<K, RedisCommand | undefined>>,
): Promise<Record<K, unknown>> {
  const names = Object.keys(commands) as K[];
  const asked = names.filter((name) => commands[name] !== undefined);
  const replies = await ask.send(
    asked.map((name) => commands[name]).filter((command) => command !== undefined),
  );
  const result = Object.fromEntries(names.map((name) => [name, null])) as Record<K, unknown>;
  asked.forEach((name, i) => {
    result[name] = replies[i];
  });
  return result;
}

/** A count that Redis gave, NaN where it refused. */
export function countOf(reply: unknown): number {
  return typeof reply === 'number' ? reply : Number.NaN;
}

/** The bulk strings of an array reply; none where Redis refused. */
export function buffersOf(reply: unknown): Buffer[] {
  return Array.isArray(reply) ? reply.filter((one) => Buffer.isBuffer(one)) : [];
}

/** Decode what is there; what does not decode is counted and left out. */
export function decoded<T>(ask: Ask, reply: unknown, decode: (value: Buffer) => T): T | undefined {
  if (!Buffer.isBuffer(reply)) return undefined;
  try {
    return decode(reply);
  } catch (error) {
    ask.failed(new Error(`decode: ${messageOf(error)}`));
    return undefined;
  }
}
