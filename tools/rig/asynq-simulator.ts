/**
 * Performs Asynq's state transitions on a real Redis: what its client, server and forwarder write,
 * in the same order, after internal/rdb/rdb.go of github.com/hibiken/asynq v0.26. MULTI stands for
 * its Lua scripts. Only for tests: it is a traffic source, not a queue.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { dailyKey, queueKey, taskKey } from '../../exporter/asynq/keys.ts';
import {
  type FakeEntry,
  type FakeServer,
  type FakeWork,
  schedulerEntry,
  serverInfo,
  taskMessage,
  workerInfo,
} from './asynq-encode.ts';

const leaseSeconds = 30;
const heartbeatSeconds = 10;
const statisticsSeconds = 90 * 86_400;

/** As dequeueCmd of Asynq. KEYS: pending, active, lease; ARGV: the prefix of a task's key, until when. */
const dequeueScript = `
local id = redis.call('RPOPLPUSH', KEYS[1], KEYS[2])
if not id then return false end
redis.call('HSET', ARGV[1] .. id, 'state', 'active')
redis.call('HDEL', ARGV[1] .. id, 'pending_since')
redis.call('ZADD', KEYS[3], ARGV[2], id)
return id`;

export interface SimulatorOptions {
  /** Unix seconds of the simulated programs; the default is the real time. */
  readonly now?: () => number;
}

const hash = (queue: string, id: string) => taskKey(queue, Buffer.from(id));

/** What one process of the application does to Redis. */
export function asynqSimulator(
  redis: Redis,
  { now = () => Date.now() / 1000 }: SimulatorOptions = {},
) {
  const seconds = () => Math.floor(now());
  const nanoseconds = () => String(BigInt(Math.round(now() * 1000)) * 1_000_000n);
  /** A client enters the queue's name once in its life (v0.25 and later). */
  const entered = new Set<string>();

  async function enter(queue: string): Promise<void> {
    if (entered.has(queue)) return;
    await redis.sadd('asynq:queues', queue);
    entered.add(queue);
  }

  async function enqueue(queue: string, type = 'job'): Promise<string> {
    await enter(queue);
    const id = randomUUID();
    await redis
      .multi()
      .hset(hash(queue, id), {
        msg: taskMessage(queue, id, type),
        state: 'pending',
        pending_since: nanoseconds(),
      })
      .lpush(queueKey(queue, 'pending'), id)
      .exec();
    return id;
  }

  async function schedule(queue: string, inSeconds: number): Promise<string> {
    await enter(queue);
    const id = randomUUID();
    await redis
      .multi()
      .hset(hash(queue, id), { msg: taskMessage(queue, id, 'job'), state: 'scheduled' })
      .zadd(queueKey(queue, 'scheduled'), seconds() + inSeconds, id)
      .exec();
    return id;
  }

  async function addToGroup(queue: string, group: string): Promise<string> {
    await enter(queue);
    const id = randomUUID();
    await redis
      .multi()
      .hset(hash(queue, id), { msg: taskMessage(queue, id, 'job'), state: 'aggregating', group })
      .zadd(queueKey(queue, `g:${group}`), seconds(), id)
      .sadd(queueKey(queue, 'groups'), group)
      .exec();
    return id;
  }

  /** The oldest pending task begins: in one step, or somebody sees it active without a lease. */
  async function dequeue(queue: string): Promise<string> {
    const id = await redis.eval(
      dequeueScript,
      3,
      queueKey(queue, 'pending'),
      queueKey(queue, 'active'),
      queueKey(queue, 'lease'),
      hash(queue, ''),
      seconds() + leaseSeconds,
    );
    if (typeof id !== 'string') throw new Error(`nothing is pending in ${queue}`);
    return id;
  }

  function count(queue: string, names: readonly string[]) {
    const multi = redis.multi();
    for (const name of names) {
      multi.incr(queueKey(queue, name));
      multi.incr(dailyKey(queue, name, now()));
      multi.expireat(dailyKey(queue, name, now()), seconds() + statisticsSeconds);
    }
    return multi.exec();
  }

  async function leave(queue: string, id: string): Promise<void> {
    await redis
      .multi()
      .lrem(queueKey(queue, 'active'), 0, id)
      .zrem(queueKey(queue, 'lease'), id)
      .exec();
  }

  async function done(queue: string, id: string, retentionSeconds = 0): Promise<void> {
    await leave(queue, id);
    if (retentionSeconds > 0) {
      await redis.zadd(queueKey(queue, 'completed'), seconds() + retentionSeconds, id);
      await redis.hset(hash(queue, id), 'state', 'completed');
    } else {
      await redis.del(hash(queue, id));
    }
    await count(queue, ['processed']);
  }

  async function retry(queue: string, id: string, inSeconds: number): Promise<void> {
    await leave(queue, id);
    await redis.zadd(queueKey(queue, 'retry'), seconds() + inSeconds, id);
    await redis.hset(hash(queue, id), 'state', 'retry');
    await count(queue, ['processed', 'failed']);
  }

  async function archive(queue: string, id: string): Promise<void> {
    await leave(queue, id);
    await redis.zadd(queueKey(queue, 'archived'), seconds(), id);
    await redis.zremrangebyrank(queueKey(queue, 'archived'), 0, -10_000);
    await redis.hset(hash(queue, id), 'state', 'archived');
    await count(queue, ['processed', 'failed']);
  }

  /** Shutdown with work unfinished: back to the tail, without pending_since. */
  async function requeue(queue: string, id: string): Promise<void> {
    await leave(queue, id);
    await redis.rpush(queueKey(queue, 'pending'), id);
    await redis.hset(hash(queue, id), 'state', 'pending');
  }

  /** What a server does every 5 s with scheduled and retried tasks whose time has come. */
  async function forward(queue: string): Promise<void> {
    for (const state of ['scheduled', 'retry']) {
      for (const id of await redis.zrangebyscore(queueKey(queue, state), '-inf', seconds())) {
        await redis.zrem(queueKey(queue, state), id);
        await redis.lpush(queueKey(queue, 'pending'), id);
        await redis.hset(hash(queue, id), { state: 'pending', pending_since: nanoseconds() });
      }
    }
  }

  /** What a server does every 60 s with leases that ran out over 30 s ago. */
  async function recover(queue: string): Promise<void> {
    const cutoff = seconds() - leaseSeconds;
    for (const id of await redis.zrangebyscore(queueKey(queue, 'lease'), '-inf', cutoff)) {
      await retry(queue, id, 30);
    }
  }

  async function renewLeases(queue: string, ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await redis.zadd(queueKey(queue, 'lease'), 'XX', seconds() + leaseSeconds, id);
    }
  }

  async function heartbeat(server: FakeServer, work: readonly FakeWork[] = []): Promise<void> {
    const place = `{${server.host}:${server.pid}:${server.id}}`;
    const expires = seconds() + heartbeatSeconds;
    const multi = redis.multi();
    multi.setex(`asynq:servers:${place}`, heartbeatSeconds, serverInfo(server, work.length));
    multi.del(`asynq:workers:${place}`);
    for (const one of work) {
      multi.hset(`asynq:workers:${place}`, one.taskId, workerInfo(server, one));
    }
    multi.expire(`asynq:workers:${place}`, heartbeatSeconds);
    multi.zadd('asynq:servers', expires, `asynq:servers:${place}`);
    multi.zadd('asynq:workers', expires, `asynq:workers:${place}`);
    await multi.exec();
  }

  async function beatScheduler(place: string, entries: readonly FakeEntry[]): Promise<void> {
    const key = `asynq:schedulers:{${place}}`;
    await redis
      .multi()
      .del(key)
      .rpush(key, ...entries.map((entry) => schedulerEntry(entry)))
      .expire(key, 20)
      .zadd('asynq:schedulers', seconds() + 20, key)
      .exec();
  }

  /** A group becomes a staged set, as when its aggregator takes it. Gives the set's key. */
  async function stage(queue: string, group: string): Promise<string> {
    const set = queueKey(queue, `g:${group}:${randomUUID()}`);
    await redis
      .multi()
      .rename(queueKey(queue, `g:${group}`), set)
      .srem(queueKey(queue, 'groups'), group)
      .zadd(queueKey(queue, 'aggregation_sets'), seconds() + 120, set)
      .exec();
    return set;
  }

  /** A stale set goes back into its group, whose name is not entered again: a trap of Asynq. */
  async function reclaim(queue: string, group: string, set: string): Promise<void> {
    for (const id of await redis.zrange(set, '0', '-1')) {
      await redis.zadd(queueKey(queue, `g:${group}`), seconds(), id);
    }
    await redis.multi().del(set).zrem(queueKey(queue, 'aggregation_sets'), set).exec();
  }

  return {
    enqueue,
    schedule,
    addToGroup,
    dequeue,
    done,
    retry,
    archive,
    requeue,
    forward,
    recover,
    renewLeases,
    heartbeat,
    beatScheduler,
    stage,
    reclaim,
    pause: (queue: string) => redis.setnx(queueKey(queue, 'paused'), seconds()),
  };
}

export function fakeServer(
  queues: readonly string[],
  overrides: Partial<FakeServer> = {},
): FakeServer {
  return {
    host: 'vm',
    pid: 10_511,
    id: randomUUID(),
    concurrency: 4,
    queues,
    status: 'active',
    startSeconds: Date.now() / 1000 - 60,
    ...overrides,
  };
}
