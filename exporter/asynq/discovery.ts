/** The names of queues, as Redis lists them, and what Asynq before v0.18 left there. */
import { isUtf8 } from 'node:buffer';
import type { RedisCommand } from '../redis/client.ts';
import { type Ask, buffersOf } from './ask.ts';
import type { Fleet } from './fleet.ts';
import { isLegacyMember, queuesKey } from './keys.ts';
import type { QueueNotes } from './queue-notes.ts';

/** Not SMEMBERS: 10,000 names in one reply hold up everybody else for milliseconds. */
export const scanQueues = (cursor: string): RedisCommand => [
  'SSCAN',
  queuesKey,
  cursor,
  'COUNT',
  1024,
];

/** Usually one reply has all the names. */
export async function scannedMembers(ask: Ask, first: unknown, most: number): Promise<Buffer[]> {
  const members: Buffer[] = [];
  let reply = first;
  while (Array.isArray(reply)) {
    const [cursor, page]: unknown[] = reply;
    members.push(...buffersOf(page));
    const next = Buffer.isBuffer(cursor) ? cursor.toString() : '0';
    if (next === '0' || members.length > most) return members;
    [reply] = await ask.send([scanQueues(next)]);
  }
  throw reply instanceof Error ? reply : new Error('SSCAN asynq:queues: unexpected reply');
}

/** A label is UTF-8: a queue whose name is not cannot be shown, and is counted. */
export function namesOf(ask: Ask, members: readonly Buffer[]): string[] {
  return members.flatMap((name) => {
    if (isUtf8(name)) return [name.toString()];
    ask.failed(new Error('decode: the name of a queue is not UTF-8'));
    return [];
  });
}

/** Queues that an Asynq before v0.18 keeps, by three signs. */
export function legacyOf(
  members: readonly string[],
  notes: ReadonlyMap<string, QueueNotes>,
  fleet: Fleet | undefined,
): string[] {
  const old = [...notes.values()].filter(({ legacy }) => legacy === true);
  return [
    ...new Set([
      ...members.filter((member) => isLegacyMember(member)),
      ...old.map(({ queue }) => queue),
      ...(fleet?.legacyQueues ?? []),
    ]),
  ];
}
