import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stopwatch } from './waited.ts';

test('stopwatch: a bound that did not hold is told with what the machine took', async () => {
  const watch = stopwatch();
  await sleep(60);
  watch.within(60_000);
  // However busy the machine is, no more than twenty times as much is allowed.
  assert.throws(
    () => watch.within(2, 'a nap'),
    /^AssertionError.*: a nap took \d+ ms of 2, on a machine/,
  );
});

test('stopwatch: who shares one CPU with busy loops is slower, and is told so', async (t) => {
  const loops = ['a', 'b', 'c'].map(() =>
    execFile('taskset', ['-c', '0', process.execPath, '-e', 'for (;;);'], () => undefined),
  );
  t.after(() => loops.forEach((loop) => loop.kill('SIGKILL')));
  if (loops.some(({ pid }) => pid === undefined)) return t.skip('no taskset');
  await sleep(1000);
  const pids = loops.flatMap(({ pid }) => pid ?? []);
  const beside = stopwatch(pids);
  await sleep(1000);
  assert.ok(beside.slowdown() > 2, `${beside.slowdown()}`);
});
