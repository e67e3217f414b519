/** The names of queues, as Redis lists them, and what Asynq before v0.18 left there. */
import type { RedisCommand } from '../redis/client.ts';
import { type Ask, buffersOf } from './ask.ts';
import type { Fleet } from './fleet.ts';
import { isLegacyMember, queuesKey } from './keys.ts';
import { queueName } from './messages.ts';
import { bytesOf, createPaging, type Paging } from './paging.ts';
import type { QueueNotes } from './queue-notes.ts';

/** More at once hold up everybody else for milliseconds. */
const mostAtOnce = 1024;
/** Of names, most of which must be too long to be read then. */
const mostBytes = 32 * 1024 * 1024;

export const createQueuePaging = (): Paging => createPaging(mostAtOnce);

/** Not SMEMBERS, whose reply has no end. */
export const scanQueues = (cursor: string, paging: Paging): RedisCommand => [
  'SSCAN',
  queuesKey,
  cursor,
  'COUNT',
  paging.next(),
];

export interface Listed {
  /** Names that a label can carry, and whole keys of Asynq before v0.12. */
  readonly names: ReadonlySet<string>;
  /** All there are: a name that is not among them is not listed. */
  readonly complete: boolean;
  /** Listed and not read: longer than a label may be, or no text. */
  readonly unnamed: number;
}

/** From the first reply on, whatever else it takes. Rejects with Redis's refusal. */
export async function readListed(
  ask: Ask,
  first: unknown,
  paging: Paging,
  most: number,
): Promise<Listed> {
  const names = new Set<string>();
  let unnamed = 0;
  let bytes = 0;
  let reply = first;
  while (Array.isArray(reply)) {
    const [cursor, page]: unknown[] = reply;
    const members = buffersOf(page);
    paging.note(members);
    bytes += bytesOf(members);
    for (const member of members) {
      const name = queueName(member);
      if (name === undefined) unnamed += 1;
      else names.add(name);
    }
    const next = Buffer.isBuffer(cursor) ? cursor.toString() : '0';
    if (next === '0') return { names, complete: true, unnamed };
    if (names.size >= most || bytes >= mostBytes) return { names, complete: false, unnamed };
    [reply] = await ask.send([scanQueues(next, paging)]);
  }
  throw reply instanceof Error ? reply : new Error('SSCAN asynq:queues: unexpected reply');
}

/** Queues that an Asynq before v0.18 keeps, by three signs. */
export function legacyOf(
  listed: ReadonlySet<string>,
  notes: ReadonlyMap<string, QueueNotes>,
  fleet: Fleet,
): string[] {
  const old = [...notes.values()].filter(({ legacy }) => legacy === true);
  return [
    ...new Set([
      ...[...listed].filter((member) => isLegacyMember(member)),
      ...old.map(({ queue }) => queue),
      ...fleet.legacyQueues,
    ]),
  ];
}
