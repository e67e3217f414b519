/** What breaks Asynq in real life, done to a real Redis. One function per fault, for tests. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { queueKey, taskKey } from '../../exporter/asynq/keys.ts';
import { type FakeServer, taskMessage } from './asynq-encode.ts';

const hash = (queue: string, id: string) => taskKey(queue, Buffer.from(id));
const now = () => Math.floor(Date.now() / 1000);

/** Redis lost the name (rollback, flush, failover); the client does not enter it again. */
export const loseQueueName = (redis: Redis, queue: string) => redis.srem('asynq:queues', queue);

/** The task's hash was evicted or deleted: an id without a task. */
export const evictTask = (redis: Redis, queue: string, id: string) => redis.del(hash(queue, id));

/** The worker that held the task is gone. */
export const expireLease = (redis: Redis, queue: string, id: string, secondsAgo: number) =>
  redis.zadd(queueKey(queue, 'lease'), now() - secondsAgo, id);

/** Active and in no lease: no server ever recovers it (hibiken/asynq issue 1051). */
export const dropLease = (redis: Redis, queue: string, id: string) =>
  redis.zrem(queueKey(queue, 'lease'), id);

/** A server was killed: its key runs out, its member stays. */
export async function killServer(redis: Redis, server: FakeServer, secondsAgo: number) {
  const place = `{${server.host}:${server.pid}:${server.id}}`;
  await redis.del(`asynq:servers:${place}`, `asynq:workers:${place}`);
  await redis.zadd('asynq:servers', now() + 10 - secondsAgo, `asynq:servers:${place}`);
}

/** A storm of failures: the archive is full and goes flat. */
export async function fillArchive(redis: Redis, queue: string, tasks: number) {
  const members = Array.from({ length: tasks }, () => [now(), randomUUID()]).flat();
  await redis.zadd(queueKey(queue, 'archived'), ...members);
}

export async function trimArchive(redis: Redis, queue: string) {
  await redis.zremrangebyrank(queueKey(queue, 'archived'), 0, -10_000);
}

/** The totals go back, as after a restart from an older RDB. */
export async function rollBackTotals(
  redis: Redis,
  queue: string,
  processed: number,
  failed: number,
) {
  await redis.mset(queueKey(queue, 'processed'), processed, queueKey(queue, 'failed'), failed);
}

/** Asynq before v0.18: JSON in a list named after the queue. */
export async function writeLegacyQueue(redis: Redis, queue: string) {
  await redis.sadd('asynq:queues', queue);
  await redis.lpush(`asynq:{${queue}}`, JSON.stringify({ Type: 'job', Payload: {} }));
}

/** Asynq v0.20 and v0.21: deadlines of tasks where leases are now. */
export async function writeDeadline(redis: Redis, queue: string, inSeconds: number) {
  const id = randomUUID();
  await redis.hset(hash(queue, id), { msg: taskMessage(queue, id, 'job'), state: 'active' });
  await redis.lpush(queueKey(queue, 'active'), id);
  await redis.zadd(queueKey(queue, 'deadlines'), now() + inSeconds, id);
}
