/**
 * The canary's thread: touches pages that were left alone for long and notes what it cost.
 *
 * If the host has swapped such a page out, this thread sleeps in the kernel until it is back, for
 * hours if need be, and nothing can end it. So it is a thread of its own, it owes nobody an
 * answer, and all it knows lies in shared memory (layout.ts).
 *
 * Between the two readings of the thread's counters there is nothing but loads from memory and
 * the clock, which the kernel maps into the process: no system call, no await.
 */
import { workerData } from 'node:worker_threads';
import { hostFaultsOf, slowTouchSeconds } from './attribution.ts';
import {
  batchSize,
  type CanaryOrder,
  cellsOf,
  countTouches,
  flag,
  touchSeconds,
} from './layout.ts';
import { createPool, createWalk, shares, touchOrder } from './pool.ts';
import { openReadings, tolerating } from './readings.ts';

/** The longest sleep between two signs of life. */
const longestSleepMs = 1000;
/** The kernel books steal at its tick, which comes at least every 10 ms on a busy CPU. */
const stealLagMs = 10;

const { memory, poolBytes, classes } = workerData as CanaryOrder;
const cells = cellsOf(memory, classes.length);
const { flags, times } = cells;

const nowMs = performance.now.bind(performance);
cells.clockOffset[0] = Number(process.hrtime.bigint()) / 1e9 - nowMs() / 1000;

function monotonic(): number {
  return nowMs() / 1000 + (cells.clockOffset[0] ?? 0);
}

function sleep(ms: number): void {
  Atomics.wait(flags, flag.stop, 0, ms);
}

const pool = createPool(poolBytes);
const order = touchOrder(poolBytes, Math.random);
const parts = shares(order, classes.length);
const walks = classes.map((one, i) =>
  createWalk(parts[i] ?? order, one.seconds, batchSize, monotonic()),
);
const readings = openReadings();
const growthNow = tolerating(() => readings.growth());
const offsets = new Uint32Array(batchSize);
/** Where the bytes read go, so that reading them is not without effect. */
const sink = new Uint8Array(1);

function touchAll(): void {
  for (let i = 0; i < batchSize; i += 1) {
    times[i] = nowMs();
    flags[flag.position] = i;
    sink[0] = pool[offsets[i] ?? 0] ?? 0;
  }
  times[batchSize] = nowMs();
}

function record(i: number): void {
  const seconds = touchSeconds(cells);
  if (seconds.some((one) => one > slowTouchSeconds)) {
    sleep(stealLagMs);
    readings.stealAgain();
  }
  const growth = growthNow();
  const target = cells.classes[i];
  if (growth === undefined || growth.swappedIn > 0 || target === undefined) {
    // This guest swaps by itself: whatever was slow may have been that.
    cells.discardedTouches[0] = (cells.discardedTouches[0] ?? 0) + seconds.length;
    return;
  }
  countTouches(target, seconds, hostFaultsOf({ ...growth, touchSeconds: seconds }));
}

/** Once round before it counts: code and buffers are in memory, and nothing is parsed cold. */
function warmUp(): void {
  offsets.fill(order[0] ?? 0);
  readings.before();
  touchAll();
  readings.after();
  readings.growth();
}

warmUp();
while (flags[flag.stop] === 0) {
  cells.heartbeat[0] = monotonic();
  for (const [i, walk] of walks.entries()) {
    if (walk.due > monotonic()) continue;
    walk.next(offsets, monotonic());
    readings.before();
    flags[flag.touching] = 1;
    touchAll();
    flags[flag.touching] = 0;
    readings.after();
    record(i);
  }
  const next = Math.min(...walks.map(({ due }) => due));
  sleep(Math.min(longestSleepMs, Math.max(1, (next - monotonic()) * 1000)));
}
