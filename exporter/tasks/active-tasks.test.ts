import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActiveTasks } from './active-tasks.ts';

/** What the kernel does every 5 s, with its 11 bits behind the point (kernel/sched/loadavg.c). */
function kernelLoad(): (active: number) => number {
  let load = 0;
  return (active) => {
    const scaled = active * 2048;
    load = Math.floor((load * 1884 + scaled * (2048 - 1884) + (scaled >= load ? 2047 : 0)) / 2048);
    return Math.floor(((load + 10) / 2048) * 100) / 100;
  };
}

test('active tasks: one more blocked thread stands out within one update of the load', () => {
  const load = kernelLoad();
  const activeTasks = createActiveTasks();
  activeTasks(load(0));
  for (const active of [0, 0, 1, 1, 4, 4, 0, 0, 37, 37, 38, 0]) {
    const estimate = activeTasks(load(active));
    assert.ok(Math.abs(estimate - active) < 0.3, `${estimate} for ${active}`);
  }
});
