import assert from 'node:assert/strict';
import type { ELDHistogram } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { manualClock, systemClock } from '../measure/clock.ts';
import { createLateTimer } from './late-timer.ts';

function block(seconds: number): void {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}

test('late timer: hardly late where nothing happens, and never more than there was time', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(120);
  timer.take();
  const began = performance.now();
  await sleep(1000);
  const late = timer.take();
  assert.ok(late >= 0 && late < (performance.now() - began) / 1000, `${late} s`);
  timer.close();
});

test('late timer: a blocked loop is seen, whenever it was asked before', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(200);
  for (const pause of [0, 10, 30, 50, 100]) {
    timer.take();
    await sleep(pause);
    block(0.3);
    await sleep(100);
    const late = timer.take();
    assert.ok(late > 0.2, `${late} s, ${pause} ms after it was asked`);
  }
  timer.close();
});

test('late timer: what was told once is not told again', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(200);
  block(0.4);
  await sleep(200);
  assert.ok(timer.take() > 0.3);
  await sleep(300);
  assert.ok(timer.take() < 0.3);
  timer.close();
});

test('late timer: an hour is more than the histogram holds, and counts as what it was', () => {
  const clock = manualClock();
  const histogram = {
    count: 20,
    exceeds: 0,
    mean: 50.1e6,
    enable: () => true,
    disable: () => true,
  };
  const timer = createLateTimer(clock, histogram as unknown as ELDHistogram);
  clock.stall(1);
  assert.ok(timer.take() < 0.01);
  histogram.exceeds = 1;
  clock.stall(4 * 3600);
  assert.equal(timer.take(), 4 * 3600);
  clock.stall(1);
  histogram.count = 40;
  assert.ok(timer.take() < 0.01, 'once');
});
