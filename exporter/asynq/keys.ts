/**
 * Where Asynq keeps things in Redis: the layout of v0.18 to v0.26, from internal/base/base.go of
 * github.com/hibiken/asynq. The queue's name stands in braces, so it is the hash tag and all keys
 * of a queue share a slot of a cluster. A name is any text that is not blank: braces too.
 */
import { isUtf8 } from 'node:buffer';

export const queuesKey = 'asynq:queues';
export const serversKey = 'asynq:servers';
export const schedulersKey = 'asynq:schedulers';

/** `asynq:{queue}:part`, for example pending, lease, processed. */
export function queueKey(queue: string, part: string): string {
  return `asynq:{${queue}}:${part}`;
}

/** The hash of one task. Task ids are the user's and need not be text. */
export function taskKey(queue: string, id: Buffer): string | Buffer {
  const prefix = queueKey(queue, 't:');
  return isUtf8(id) ? prefix + id.toString() : Buffer.concat([Buffer.from(prefix), id]);
}

/** The counter of one UTC day, kept since before there were totals. */
export function dailyKey(queue: string, part: string, unixSeconds: number): string {
  return queueKey(queue, `${part}:${new Date(unixSeconds * 1000).toISOString().slice(0, 10)}`);
}

/** The hash of what a server's workers do, beside the server's own key. */
export function workersKeyOf(serverKey: string): string {
  return serverKey.replace(/^asynq:servers:/, 'asynq:workers:');
}

/** The group of a staged aggregation set, whose key is `asynq:{queue}:g:GROUP:UUID`. */
export function groupOfStagedSet(queue: string, key: string): string | undefined {
  const prefix = queueKey(queue, 'g:');
  const end = key.lastIndexOf(':');
  if (!key.startsWith(prefix) || end < prefix.length) return undefined;
  return key.slice(prefix.length, end);
}

/** Up to v0.11 `asynq:queues` held whole keys: `asynq:queues:default`. */
export function isLegacyMember(member: string): boolean {
  return member.startsWith('asynq:queues:');
}

/** v0.12 to v0.17 kept pending tasks, as JSON, in a list of this name. */
export function legacyPendingKey(queue: string): string {
  return `asynq:{${queue}}`;
}
