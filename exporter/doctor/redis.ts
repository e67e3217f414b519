/** What Redis says of itself to the doctor: INFO and a few settings, in one pipeline. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import type { RedisAddress } from '../redis/address.ts';
import { parseInfo, type RedisInfo, numberOf } from '../redis/info.ts';
import { openRedis } from '../redis/open.ts';
import type { RedisProcess } from '../redis/process-candidates.ts';
import { createRedisFollower } from '../redis/process-follow.ts';
import { meaningOf, refusalWord } from '../redis/refusal-words.ts';
import { configValueOf } from '../redis/replies.ts';
import { messageOf } from '../measure/errors.ts';

const configNames = [
  'save',
  'appendonly',
  'appendfsync',
  'no-appendfsync-on-rewrite',
  'slowlog-log-slower-than',
  'slowlog-max-len',
  'latency-monitor-threshold',
  'timeout',
  'tcp-keepalive',
  'maxmemory',
] as const;
export type ConfigName = (typeof configNames)[number];

export interface RedisFacts {
  readonly display: string;
  readonly info: RedisInfo;
  /** The live value; undefined where this server has no such setting. Throws where it is refused. */
  readonly config: (name: ConfigName) => string | undefined;
  /** The process on this machine, or why there is none that we know of. */
  readonly process: () => Promise<RedisProcess | string>;
}

/** The rest of the time is for what is looked at with the answer in hand. */
const answerMs = 1500;
/** The client's own word of what was late comes first; Sentinels and clusters ask several in turn. */
const graceMs = 200;
/** A name that is looked up takes this long at most. */
const namesMs = 400;

async function processOf(
  address: RedisAddress,
  { procfs, clock }: { procfs: PseudoFs; clock: Clock },
  info: RedisInfo,
): Promise<RedisProcess | string> {
  const follower = createRedisFollower({
    procfs,
    clock,
    address,
    processIdHint: () => numberOf(info, 'process_id'),
  });
  try {
    const until = clock.monotonic() + namesMs / 1000;
    follower.step();
    while (follower.process() === undefined && clock.monotonic() < until) {
      await sleep(50);
      follower.step();
    }
    return follower.process() ?? follower.reason();
  } catch (error) {
    return messageOf(error);
  }
}

/** What it says for what is the matter with it comes with its meaning. */
function refusal({ display }: RedisAddress, { message }: Error): Error {
  const word = refusalWord(message);
  const why = word === undefined ? '' : `: ${meaningOf(word)}`;
  return new Error(`${display} refuses INFO (${message})${why}`);
}

/** It answers, and turns us away for want of a right. */
export const isTurnedAway = (error: unknown): boolean =>
  /\b(?:WRONGPASS|NOAUTH|NOPERM)\b/.test(messageOf(error));

const nobody = 'no Redis is watched here, by --redis-url';

/** There is none to ask. */
export const isNobody = (error: unknown): boolean => messageOf(error) === nobody;

/** Rejects with what the client says, which never holds a password. */
export async function askRedis(
  address: RedisAddress,
  sources: { procfs: PseudoFs; clock: Clock },
): Promise<RedisFacts> {
  if (address.absent !== undefined) throw new Error(nobody);
  const client = openRedis(address, { timeoutMs: answerMs, watched: false });
  try {
    const [text, ...replies] = await client.send(
      [['INFO'], ...configNames.map((name) => ['CONFIG', 'GET', name] as const)],
      AbortSignal.timeout(answerMs + graceMs),
    );
    if (text instanceof Error) throw refusal(address, text);
    const info = parseInfo(String(text));
    let found: Promise<RedisProcess | string> | undefined;
    return {
      display: address.display,
      info,
      config(name) {
        const reply = replies[configNames.indexOf(name)];
        if (reply instanceof Error) {
          throw new Error(`Redis refuses CONFIG GET (${reply.message}): allow +config|get`);
        }
        return configValueOf(name, reply);
      },
      process: () => (found ??= processOf(address, sources, info)),
    };
  } finally {
    await client.close();
  }
}
