/**
 * Whether anything but PING is answered. A proxy in front of Redis may answer PING itself
 * (twemproxy and Envoy do): then a Redis that is frozen behind it looks well to the probe, and only
 * the other questions tell.
 */
import type { Clock } from '../clock.ts';
import type { RedisClient } from './client.ts';

export interface Answers {
  /** From the first question that came to nothing to the last, in seconds; 0 when one was answered. */
  unansweredSeconds(): number;
}

/** Questions further apart than this tell nothing of the time between them. */
const mostGapSeconds = 60;
/** Who had less time than this was not waiting for an answer. */
const patientSeconds = 0.5;

/** A refusal is an answer of Redis itself. Other errors a proxy may give in its place. */
function isAnswer(reply: unknown): boolean {
  if (!(reply instanceof Error)) return true;
  return /\b(?:NOPERM|NOAUTH|WRONGPASS|MOVED|ASK|WRONGTYPE)\b|unknown (?:sub)?command/i.test(
    reply.message,
  );
}

/** The client, watched. */
export function watchAnswers(client: RedisClient, clock: Clock): RedisClient & Answers {
  let first: number | undefined;
  let last = 0;

  function unanswered(asked: number): void {
    const now = clock.monotonic();
    if (first === undefined || asked - last > mostGapSeconds) first = asked;
    last = now;
  }

  return {
    ...client,
    async send(commands, signal, urgency) {
      const asked = clock.monotonic();
      try {
        const replies = await client.send(commands, signal, urgency);
        if (replies.some(isAnswer)) first = undefined;
        else unanswered(asked);
        return replies;
      } catch (error) {
        const behind = String(error).includes('to what was asked before');
        if (behind || clock.monotonic() - asked >= patientSeconds) unanswered(asked);
        throw error;
      }
    },
    unansweredSeconds: () => (first === undefined ? 0 : last - first),
  };
}
