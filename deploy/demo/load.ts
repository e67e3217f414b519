/**
 * Work as Asynq would do it: one client that enqueues, one server with four workers, each on a
 * connection of its own, as separate processes would have. While Redis is frozen all of them hang.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { FakeWork } from '../../tools/rig/asynq-encode.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';

const queue = 'default';
const taskType = 'email:welcome';
const tasksPerSecond = 20;

type Asynq = ReturnType<typeof asynqSimulator>;

/** One task from the queue to the end. Fails where there is none. */
async function work(asynq: Asynq, running: Map<string, FakeWork>): Promise<void> {
  const taskId = await asynq.dequeue(queue);
  running.set(taskId, { taskId, queue, taskType, startSeconds: Date.now() / 1000 });
  try {
    await sleep(20 + Math.random() * 200);
    await asynq.done(queue, taskId);
  } finally {
    running.delete(taskId);
  }
}

/** Until the signal; what fails is tried again after half a second. */
export function startLoad(connect: () => Redis, signal?: AbortSignal): void {
  const server = fakeServer([queue], {
    host: hostname(),
    pid: process.pid,
    startSeconds: Date.now() / 1000,
  });
  const running = new Map<string, FakeWork>();
  const ended = () => signal?.aborted === true;

  function forEver(step: (asynq: Asynq) => Promise<unknown>, pauseMs: number): void {
    const asynq = asynqSimulator(connect());
    void (async () => {
      while (!ended()) {
        const failed = await step(asynq).then(
          () => false,
          () => true,
        );
        await sleep(failed ? 500 : pauseMs);
      }
    })();
  }

  forEver((asynq) => asynq.enqueue(queue, taskType), 1000 / tasksPerSecond);
  forEver((asynq) => asynq.heartbeat(server, [...running.values()]), 5000);
  for (let i = 0; i < server.concurrency; i++) forEver((asynq) => work(asynq, running), 0);
}
