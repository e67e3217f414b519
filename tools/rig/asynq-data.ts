/** Loads a captured Asynq data set into a real Redis, its times and expiries moved to now. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

interface CapturedKey {
  readonly type: 'set' | 'zset' | 'string' | 'list' | 'hash';
  readonly pttl: number;
  readonly value: unknown;
}

interface Captured {
  readonly time: readonly [string, string];
  readonly keys: Readonly<Record<string, CapturedKey>>;
}

const folder = new URL('../../exporter/fixtures/asynq/', import.meta.url);

export function readFixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

async function loadKey(redis: Redis, key: string, { type, value }: CapturedKey, shift: number) {
  if (type === 'string') await redis.set(key, bytes(value as string));
  else if (type === 'set') await redis.sadd(key, (value as string[]).map(bytes));
  else if (type === 'list') await redis.rpush(key, ...(value as string[]).map(bytes));
  else if (type === 'zset') {
    // Every score of Asynq is a time in Unix seconds.
    for (const [member, score] of value as [string, string][]) {
      await redis.zadd(key, Number(score) + shift, bytes(member));
    }
  } else {
    for (const [name, text] of Object.entries(value as Record<string, string>)) {
      const moved =
        name === 'pending_since'
          ? String(BigInt(bytes(text).toString()) + BigInt(shift) * 1_000_000_000n)
          : bytes(text);
      await redis.hset(key, name, moved);
    }
  }
}

/** Returns by how many whole seconds the data set was moved. */
export async function loadCaptured(redis: Redis, name: string): Promise<number> {
  const captured = readFixture(name) as Captured;
  const [now] = await redis.time();
  const shift = Number(now) - Number(captured.time[0]);
  for (const [key, entry] of Object.entries(captured.keys)) {
    await loadKey(redis, key, entry, shift);
    if (entry.pttl > 0) await redis.pexpire(key, entry.pttl);
  }
  return shift;
}
