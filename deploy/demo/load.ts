/**
 * Work as Asynq would do it: one client that enqueues, one server with four workers, in the key
 * layout of Asynq 0.23 to 0.26 (internal/base and internal/rdb of github.com/hibiken/asynq). While
 * Redis is frozen all of them hang, and the tasks pile up in what would have been sent.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from './redis.ts';

const queue = 'default';
const key = (name: string) => `asynq:{${queue}}:${name}`;
const tasksPerSecond = 20;
const workers = 4;
const leaseSeconds = 30;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

const number = (field: number, value: number) => Buffer.from([field * 8, ...varint(value)]);

function bytes(field: number, value: string | Buffer): Buffer {
  const content = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([field * 8 + 2, ...varint(content.length)]), content]);
}

/** TaskMessage of internal/proto/asynq.proto: type, id, queue, retry, timeout. */
function taskMessage(id: string): Buffer {
  return Buffer.concat([
    bytes(1, 'email:welcome'),
    bytes(3, id),
    bytes(4, queue),
    number(5, 25),
    number(8, 1800),
  ]);
}

/** ServerInfo: host, pid, id, concurrency, queues, status, start time, busy workers. */
function serverInfo(id: string, started: number, busy: number): Buffer {
  return Buffer.concat([
    bytes(1, hostname()),
    number(2, process.pid),
    bytes(3, id),
    number(4, workers),
    bytes(5, Buffer.concat([bytes(1, queue), number(2, 1)])),
    bytes(7, 'active'),
    bytes(8, number(1, started)),
    number(9, busy),
  ]);
}

const seconds = () => Math.floor(Date.now() / 1000);

async function enqueue(redis: Redis): Promise<void> {
  const id = randomUUID();
  const since = `${Date.now()}000000`;
  await redis.send('SADD', 'asynq:queues', queue);
  const task = key(`t:${id}`);
  await redis.send(
    'HSET',
    task,
    'msg',
    taskMessage(id),
    'state',
    'pending',
    'pending_since',
    since,
  );
  await redis.send('LPUSH', key('pending'), id);
}

/** One task from the queue to the end, or half a second of waiting for one. */
async function work(redis: Redis, busy: { count: number }): Promise<void> {
  const id = await redis.send('RPOPLPUSH', key('pending'), key('active'));
  if (typeof id !== 'string') {
    await sleep(500);
    return;
  }
  busy.count++;
  try {
    await redis.send('HSET', key(`t:${id}`), 'state', 'active');
    await redis.send('HDEL', key(`t:${id}`), 'pending_since');
    await redis.send('ZADD', key('lease'), seconds() + leaseSeconds, id);
    await sleep(20 + Math.random() * 200);
    await redis.send('LREM', key('active'), 0, id);
    await redis.send('ZREM', key('lease'), id);
    await redis.send('DEL', key(`t:${id}`));
    await redis.send('INCR', key('processed'));
  } finally {
    busy.count--;
  }
}

async function beat(redis: Redis, id: string, started: number, busy: number): Promise<void> {
  const server = `asynq:servers:{${hostname()}:${process.pid}:${id}}`;
  await redis.send('ZADD', 'asynq:servers', seconds() + 10, server);
  await redis.send('SET', server, serverInfo(id, started, busy), 'EX', 10);
}

async function forEver(step: () => Promise<void>): Promise<void> {
  for (;;) await step().catch(async () => sleep(500));
}

/** For ever; what fails is tried again. A connection for each, as separate processes would have. */
export function startLoad(connect: () => Redis): void {
  const id = randomUUID();
  const started = seconds();
  const busy = { count: 0 };
  const [client, heart] = [connect(), connect()];
  void forEver(async () => {
    await enqueue(client);
    await sleep(1000 / tasksPerSecond);
  });
  void forEver(async () => {
    await beat(heart, id, started, busy.count);
    await sleep(5000);
  });
  for (let i = 0; i < workers; i++) {
    const redis = connect();
    void forEver(async () => work(redis, busy));
  }
}
