/**
 * Questions to Redis during one collection: counted, cut into pipelines, and their failures
 * sorted by reason. A reply that is an Error degrades what it was asked for and nothing else.
 */
import type { RedisClient, RedisCommand } from '../redis/client.ts';

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

const reasonPatterns: readonly (readonly [RegExp, ErrorReason])[] = [
  [/^no answer within|: no answer within|given up by the caller/, 'timeout'],
  [/\bBUSY\b/, 'busy'],
  [/\bLOADING\b/, 'loading'],
  [/\bNOPERM\b|unknown command|unknown subcommand|\bERR .*not (?:allowed|supported)/i, 'noperm'],
  [/\b(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN|CROSSSLOT)\b/, 'moved'],
  // Not what Asynq writes there: as unreadable as bytes that do not decode.
  [/\bWRONGTYPE\b|^protobuf:|^decode:/, 'decode'],
];

function reasonOf(error: Error): ErrorReason {
  return reasonPatterns.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'other';
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

  async function flush(): Promise<void> {
    const questions = waiting;
    waiting = [];
    roundTrips += 1;
    try {
      const replies = await client.send(
        questions.flatMap(({ commands }) => commands),
        signal,
      );
      for (const reply of replies) if (reply instanceof Error) countError(reasonOf(reply));
      let start = 0;
      for (const { commands, answer } of questions) {
        answer(replies.slice(start, start + commands.length));
        start += commands.length;
      }
    } catch (error) {
      countError(reasonOf(error instanceof Error ? error : new Error(String(error))));
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
    failed: (error) => countError(reasonOf(error)),
    roundTrips: () => roundTrips,
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
    ask.failed(new Error(`decode: ${error instanceof Error ? error.message : String(error)}`));
    return undefined;
  }
}
