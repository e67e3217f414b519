/**
 * Who has left a heartbeat: the members of `asynq:servers` and `asynq:schedulers`, newest first.
 * Dead ones pile up there until somebody prunes, so no more than the newest are read, and a reply
 * has as many as fit (paging.ts).
 */
import { isUtf8 } from 'node:buffer';
import type { RedisCommand } from '../redis/client.ts';
import { type Ask, buffersOf } from './ask.ts';
import { bytesOf, createPaging, type Paging } from './paging.ts';

const mostMembers = 500;
export const createMembersPaging = (): Paging => createPaging(mostMembers);
const mostBytes = 1024 * 1024;
/** `asynq:schedulers:{host:pid:uuid}` of the longest host name there can be has 330. */
const longestKey = 400;

export interface Member {
  /** The key beside it; undefined where it is no name Asynq gives: not text, or far too long. */
  readonly key: string | undefined;
  readonly expiresSeconds: number;
}

export interface Members {
  readonly members: readonly Member[];
  /** There are more than were read. */
  readonly truncated: boolean;
}

/** The `next` newest after those already there. */
export function newestMembers(key: string, paging: Paging, already = 0): RedisCommand {
  const count = Math.min(paging.next(), mostMembers - already);
  return ['ZRANGE', key, -(already + count), -(already + 1), 'WITHSCORES'];
}

/** From the first reply on, whatever else it takes; the Error where Redis refused. */
export async function readMembers(
  ask: Ask,
  key: string,
  paging: Paging,
  first: unknown,
): Promise<Members | Error> {
  /** By name, because somebody may come in between two replies and move the others on. */
  const members = new Map<string, Member>();
  let [count, bytes] = [0, 0];
  let wanted = paging.next();
  let reply = first;
  for (;;) {
    if (reply instanceof Error) return reply;
    const flat = buffersOf(reply);
    const names = flat.filter((_, i) => i % 2 === 0);
    names.toReversed().forEach((name, i) => {
      const score = flat[flat.length - 1 - 2 * i]?.toString();
      members.set(name.toString('latin1'), { key: keyOf(name), expiresSeconds: Number(score) });
    });
    count += names.length;
    bytes += bytesOf(names);
    paging.note(names);
    const complete = names.length < wanted;
    if (complete || count >= mostMembers || bytes >= mostBytes) {
      return { members: [...members.values()], truncated: !complete };
    }
    wanted = Math.min(paging.next(), mostMembers - count);
    [reply] = await ask.send([newestMembers(key, paging, count)]);
  }
}

const keyOf = (name: Buffer): string | undefined =>
  name.length <= longestKey && isUtf8(name) ? name.toString() : undefined;

/** `host:pid` of `asynq:servers:{host:pid:uuid}`. Not by a pattern: those explode. */
export function placeOf(key: string | undefined): string {
  if (key === undefined) return 'unknown';
  const begin = key.indexOf('{') + 1;
  const end = key.lastIndexOf(':');
  return begin > 0 && end > begin && key.endsWith('}') ? key.slice(begin, end) : 'unknown';
}
