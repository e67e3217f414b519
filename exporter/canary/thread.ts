/** Starts the canary's thread and reads what it publishes, without ever waiting for it. */
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type AgeClass,
  ageClasses,
  batchSize,
  type CanaryOrder,
  type CanaryReading,
  cellsOf,
  cellsSize,
  flag,
  readingOf,
} from './layout.ts';
import { pageBytes } from './pool.ts';

const source = join(import.meta.dirname, `canary-worker${extname(import.meta.filename) || '.cjs'}`);

export interface Canary {
  /** From memory. Throws when the thread has ended, with what it said. */
  read(): CanaryReading;
  /** Resolves once the thread has ended, which is never while it sleeps in the kernel. */
  close(): Promise<void>;
}

const now = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * Limits, not reservations: what runs is 7 kB of code, and the pages lie outside of the heap. From
 * source the thread also holds what strips its types.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

export function startCanary(poolBytes: number, classes: readonly AgeClass[] = ageClasses): Canary {
  const least = classes.length * batchSize * pageBytes;
  if (poolBytes < least)
    throw new Error(`a pool of ${poolBytes} bytes, expected at least ${least}`);
  const memory = new SharedArrayBuffer(cellsSize(classes.length));
  const cells = cellsOf(memory, classes.length);
  const { flags } = cells;
  cells.heartbeat[0] = now();
  let failure: unknown;
  const order: CanaryOrder = { memory, poolBytes, classes };
  const worker = new Worker(source, {
    workerData: order,
    name: 'cold-page',
    resourceLimits,
    env: {},
  });
  worker.unref();
  worker.once('error', (error: unknown) => (failure = error));
  worker.once('exit', (code) => (failure ??= new Error(`it ended with exit code ${code}`)));

  return {
    read() {
      if (failure !== undefined) {
        const why = failure instanceof Error ? `: ${failure.message}` : '';
        throw new Error(`the thread of the cold-page canary ended${why}`, { cause: failure });
      }
      return readingOf(cells, classes, now());
    },
    async close() {
      Atomics.store(flags, flag.stop, 1);
      Atomics.notify(flags, flag.stop);
      await worker.terminate();
    },
  };
}
