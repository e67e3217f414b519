import assert from 'node:assert/strict';
import type { ELDHistogram } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { manualClock, systemClock } from './clock.ts';
import { createLateTimer } from './lateness.ts';

function block(seconds: number): void {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end);
}

test('late timer: it fires 20 times a second, and says how late', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(120);
  timer.take();
  await sleep(1000);
  const { fired, total, longest } = timer.take();
  assert.ok(fired <= 21 && fired >= 2, `${fired} times in a second`);
  // A busy machine makes it late, but not by more than there was time.
  assert.ok(longest <= total + 0.025 && total < 10);
  timer.close();
});

test('late timer: a blocked loop is seen, also when the one before was seen just now', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(200);
  timer.take();
  for (let i = 0; i < 2; i += 1) {
    block(0.3);
    await sleep(200);
    const { total, longest } = timer.take();
    assert.ok(longest > 0.2, `${longest} s`);
    assert.ok(total >= longest - 0.01, `${total} s in all, ${longest} s once`);
    await sleep(150);
  }
  timer.close();
});

test('late timer: what was seen once is not seen again', async () => {
  const timer = createLateTimer(systemClock);
  await sleep(200);
  block(0.4);
  await sleep(200);
  assert.ok(timer.take().longest > 0.3);
  await sleep(300);
  const { total, longest } = timer.take();
  assert.ok(longest < 0.3 && total < 0.3, `${longest} s once, ${total} s in all`);
  timer.close();
});

test('late timer: an hour is more than the histogram holds, and counts as what it was', () => {
  const clock = manualClock();
  let reset = 0;
  const histogram = {
    count: 20,
    exceeds: 0,
    mean: 50.1e6,
    max: 50.4e6,
    enable: () => true,
    disable: () => true,
    reset: () => (reset += 1),
  };
  const timer = createLateTimer(clock, histogram as unknown as ELDHistogram);
  clock.stall(1);
  assert.ok(timer.take().total < 0.01);
  histogram.exceeds = 1;
  clock.stall(4 * 3600);
  assert.deepEqual(timer.take(), { fired: 1, total: 4 * 3600, longest: 4 * 3600 });
  assert.equal(reset, 1, 'forgotten, so that it counts once');
});
