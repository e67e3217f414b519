/**
 * Memory of a queue, approximated as asynq's own exporter does it: the collections, plus the
 * average of a few sampled tasks times their number. Asked outside of Lua, where managed Redis
 * allows MEMORY USAGE, and a few queues at a time, because it walks through values.
 */
import type { RedisCommand } from '../redis/client.ts';
import { type Ask, buffersOf, countOf } from './ask.ts';
import { queueKey, taskKey } from './keys.ts';
import type { QueueReading } from './queue-reader.ts';

const lists = ['pending', 'active'] as const;
const sets = ['scheduled', 'retry', 'archived', 'completed'] as const;
const sampledTasks = 5;

/** Approximate bytes; NaN where Redis refused. */
export async function readMemory(ask: Ask, { queue, tasks }: QueueReading): Promise<number> {
  const states = [...lists, ...sets].filter((state) => tasks[state] > 0);
  const samples = states.map((state): RedisCommand => {
    const command = lists.some((list) => list === state) ? 'LRANGE' : 'ZRANGE';
    return [command, queueKey(queue, state), 0, sampledTasks - 1];
  });
  const usage = states.map((state): RedisCommand => [
    'MEMORY',
    'USAGE',
    queueKey(queue, state),
    'SAMPLES',
    5,
  ]);
  const replies = await ask.send([...usage, ...samples]);
  const bytes = await Promise.all(
    states.map(async (state, i) => {
      const sampled = replies[states.length + i];
      if (sampled instanceof Error) return Number.NaN;
      const ids = buffersOf(sampled);
      const sizes = await ask.send(ids.map((id) => ['MEMORY', 'USAGE', taskKey(queue, id)]));
      // A sampled task that is gone by now has no size; the others stand for it.
      const known = sizes.filter((size) => size !== null).map((size) => countOf(size));
      const mean = known.reduce((sum, size) => sum + size, 0) / Math.max(1, known.length);
      return countOf(replies[i] ?? 0) + mean * tasks[state];
    }),
  );
  return Math.round(bytes.reduce((sum, one) => sum + one, 0));
}
