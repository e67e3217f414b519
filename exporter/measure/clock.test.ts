import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from './clock.ts';

test('system clock: what ticks with the same period ticks in the same turn', async () => {
  const turns: number[][] = [[], []];
  let turn = 0;
  const stops = [0, 1].map((i) => {
    return systemClock.every(0.1, () => {
      turns[i]?.push(turn);
      setImmediate(() => (turn += 1));
    });
  });
  await sleep(450);
  for (const stop of stops) stop();
  assert.deepEqual(turns[0], turns[1]);
  assert.ok(Number(turns[0]?.length) >= 2, 'it ticks');
});

test('system clock: who comes later waits a whole period before its first tick', async () => {
  const stopFirst = systemClock.every(0.2, () => undefined);
  await sleep(120);
  const began = performance.now();
  const { promise: ticked, resolve } = Promise.withResolvers<number>();
  const stopSecond = systemClock.every(0.2, () => resolve(performance.now() - began));
  // Timers do not keep the process alive.
  const alive = setTimeout(() => undefined, 5000);
  assert.ok((await ticked) >= 180, 'not with the next tick of the other one, 80 ms later');
  clearTimeout(alive);
  stopFirst();
  stopSecond();
});

test('system clock: one that ends leaves the others, and the last ends the timer', async () => {
  let ticks = 0;
  const stopFirst = systemClock.every(0.05, () => undefined);
  const stopSecond = systemClock.every(0.05, () => (ticks += 1));
  stopFirst();
  stopFirst();
  await sleep(300);
  assert.ok(ticks >= 1);
  stopSecond();
  const before = ticks;
  await sleep(200);
  assert.equal(ticks, before);
});
