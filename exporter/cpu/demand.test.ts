import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuModes, type CpuTicks } from '../procfs/stat.ts';
import { demandOf } from './demand.ts';

type Mode = (typeof cpuModes)[number];

/** Ticks of one vCPU in a second, of which there are a hundred. */
function cpu(ticks: Partial<Record<Mode, number>>): CpuTicks {
  return cpuModes.map((mode) => ticks[mode] ?? 0);
}

test('demand: every mode but idle and iowait is asked for, all of them are time', () => {
  for (const mode of cpuModes) {
    const ticks = cpu({ [mode]: 80 });
    const asked = mode === 'idle' || mode === 'iowait' ? 0 : 80;
    const found = demandOf([ticks]);
    assert.deepEqual([found?.demand, found?.total], [asked, 80], mode);
    assert.equal(found?.steal, mode === 'steal' ? 80 : 0, mode);
  }
});

test('demand: under 0.05 s there is nothing to judge by, from there on there is', () => {
  assert.equal(demandOf([cpu({ user: 2, steal: 2, idle: 96 })])?.ratio, undefined);
  assert.equal(demandOf([cpu({ user: 3, steal: 2, idle: 95 })])?.ratio, 2 / 5);
});

test('demand: the worst vCPU counts when it asked for a quarter of a second', () => {
  const busy = cpu({ user: 100 });
  assert.equal(demandOf([busy, cpu({ user: 4, steal: 20 })])?.ratio, 20 / 124);
  assert.equal(demandOf([busy, cpu({ user: 5, steal: 20 })])?.ratio, 20 / 25);
  // The larger of both: all of them may have been robbed worse than any that asked for much.
  const small = Array.from({ length: 10 }, () => cpu({ steal: 20 }));
  assert.equal(demandOf([cpu({ user: 25 }), ...small])?.ratio, 200 / 225);
});

test('demand: sums over vCPUs; one that cannot be read is left out, and none at all is unknown', () => {
  const one = cpu({ user: 10, steal: 5, idle: 85 });
  const two = cpu({ system: 20, iowait: 80 });
  const both = { steal: 5, demand: 35, total: 200, idle: 85, iowait: 80, ratio: 5 / 35 };
  assert.deepEqual(demandOf([one, two]), both);
  assert.deepEqual(demandOf([one, cpu({ user: NaN }), two]), both);
  assert.ok(Number.isNaN(demandOf([cpu({ user: 10, idle: NaN })])?.total));
  assert.equal(demandOf([cpu({ user: NaN })]), undefined);
  assert.equal(demandOf([]), undefined);
});
