/**
 * Whether anything but PING is answered. A proxy in front of Redis may answer PING itself
 * (twemproxy and Envoy do): then a Redis that is frozen behind it looks well to the probe, and only
 * the other questions tell.
 */
import type { Clock } from '../measure/clock.ts';
import type { RedisClient, RedisCommand } from './client.ts';
import type { Reply } from './commands.ts';
import { refusalWord } from './refusal-words.ts';

export interface Answers {
  /** From the first question that came to nothing to the last, in seconds; 0 when one was answered. */
  unansweredSeconds(): number;
  /** In Redis's words why it reads no key at all, PING or not; undefined while it reads one. */
  refusesKeys(): string | undefined;
}

/** Questions further apart than this tell nothing of the time between them. */
const mostGapSeconds = 60;
/** Who had less time than this was not waiting for an answer. */
const patientSeconds = 0.5;

/** A refusal is an answer of Redis itself. Other errors a proxy may give in its place. */
function isAnswer(reply: unknown): boolean {
  if (!(reply instanceof Error)) return true;
  const { message } = reply;
  return (
    refusalWord(message) !== undefined ||
    /\b(?:NOPERM|NOAUTH|WRONGPASS|MOVED|ASK|WRONGTYPE)\b|unknown (?:sub)?command/i.test(message)
  );
}

/** Answered without a look at a key. */
const keyless = new Set(
  'AUTH CLIENT CLUSTER COMMAND CONFIG HELLO INFO LATENCY MEMORY PING ROLE SELECT SLOWLOG TIME'.split(
    ' ',
  ),
);

/** What Redis says is the matter with itself, without the place of a node before it. */
function trouble(reply: unknown): string | undefined {
  const word = reply instanceof Error ? refusalWord(reply.message) : undefined;
  return word === undefined ? undefined : String(reply).slice(String(reply).indexOf(word));
}

/** Of the commands that read keys: null where one was read, undefined where there is nothing to tell. */
function keysRefused(
  commands: readonly RedisCommand[],
  replies: readonly unknown[],
): string | null | undefined {
  const ofKeys = replies.filter((_, i) => !keyless.has(String(commands[i]?.[0]).toUpperCase()));
  if (ofKeys.some((reply) => !(reply instanceof Error))) return null;
  return ofKeys.map(trouble).find((text) => text !== undefined);
}

/** The client, watched. */
export function watchAnswers(client: RedisClient, clock: Clock): RedisClient & Answers {
  let first: number | undefined;
  let last = 0;
  let refused: { readonly text: string; readonly at: number } | undefined;

  function unanswered(asked: number): void {
    const now = clock.monotonic();
    if (first === undefined || asked - last > mostGapSeconds) first = asked;
    last = now;
  }

  return {
    ...client,
    async send(commands, signal, urgency, early) {
      const asked = clock.monotonic();
      try {
        const told = early && {
          count: early.count,
          tell(replies: readonly Reply[]) {
            if (replies.some(isAnswer)) first = undefined;
            early.tell(replies);
          },
        };
        const replies = await client.send(commands, signal, urgency, told);
        const text = keysRefused(commands, replies);
        if (text === null) refused = undefined;
        else if (text !== undefined) refused = { text, at: clock.monotonic() };
        if (replies.some(isAnswer)) first = undefined;
        else unanswered(asked);
        return replies;
      } catch (error) {
        const behind = String(error).includes('to what was asked before');
        if (behind || clock.monotonic() - asked >= patientSeconds) unanswered(asked);
        throw error;
      }
    },
    refusesKeys: () =>
      refused !== undefined && clock.monotonic() - refused.at <= mostGapSeconds
        ? refused.text
        : undefined,
    unansweredSeconds: () => (first === undefined ? 0 : last - first),
  };
}
