import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCpuCounters } from './counters.ts';
import type { Stat } from '../procfs/stat.ts';

/** A reading with this much user time and steal per CPU, in ticks. */
function reading(cpus: Readonly<Record<string, readonly [user: number, steal: number]>>): Stat {
  const entries = Object.entries(cpus).map(
    ([name, [user, steal]]) => [name, [user, 0, 0, 0, 0, 0, 0, steal]] as const,
  );
  return {
    total: [],
    cpus: new Map(entries),
    online: entries.length,
    bootTime: 0,
    procsBlocked: 0,
    problem: undefined,
  };
}

test('cpu counters: a CPU that is offline moves nothing', () => {
  const counters = createCpuCounters();
  counters.advance(reading({ 0: [0, 0], 1: [0, 0] }), 0);
  const moved = counters.advance(reading({ 0: [10, 0], 1: [20, 5] }), 1);
  assert.deepEqual(moved.get('1'), [20, 0, 0, 0, 0, 0, 0, 5]);
  assert.deepEqual(
    [...counters.advance(reading({ 0: [30, 0] }), 2)],
    [['0', [20, 0, 0, 0, 0, 0, 0, 0]]],
  );
  assert.deepEqual(
    [...counters.values('steal')],
    [
      ['0', 0],
      ['1', 5],
    ],
  );
});

test('cpu counters: no CPU is stolen for longer than time went', () => {
  const counters = createCpuCounters();
  const steals = [100, 150, 1_844_674_407_370, 1_844_674_407_380, 160];
  steals.forEach((steal, second) => counters.advance(reading({ 0: [0, steal] }), second));
  assert.deepEqual([...counters.values('steal')], [['0', 160]]);
  assert.equal(counters.resets(), 2);
});

test('cpu counters: what counts as too long is the time since the last reading', () => {
  const counters = createCpuCounters();
  counters.advance(reading({ 0: [0, 0] }), 0);
  counters.advance(reading({ 0: [0, 0] }), 10_000);
  counters.advance(reading({ 0: [0, 30_000] }), 10_001);
  assert.equal(counters.values('steal').get('0'), 0);
  counters.advance(reading({ 0: [0, 60_000] }), 10_301);
  assert.equal(counters.values('steal').get('0'), 30_000);
});

test('cpu counters: a time that cannot be read moves by nothing known, and is caught up with', () => {
  const counters = createCpuCounters();
  counters.advance(reading({ 0: [0, 100] }), 0);
  assert.deepEqual(
    counters
      .advance(reading({ 0: [10, NaN] }), 30)
      .get('0')
      ?.at(-1),
    NaN,
  );
  assert.equal(counters.values('steal').get('0'), 100);
  // 60 s went since it was read last: that much may have been stolen.
  assert.equal(
    counters
      .advance(reading({ 0: [20, 5100] }), 60)
      .get('0')
      ?.at(-1),
    5000,
  );
  assert.equal(counters.resets(), 0);
});

test('cpu counters: a step back of three seconds is held flat, a longer one is a reset', () => {
  const counters = createCpuCounters();
  [1000, 700].forEach((steal, second) => counters.advance(reading({ 0: [0, steal] }), second));
  assert.equal(counters.resets(), 0);
  counters.advance(reading({ 0: [0, 1010] }), 2);
  assert.equal(counters.values('steal').get('0'), 1010);
  counters.advance(reading({ 0: [0, 709] }), 3);
  assert.equal(counters.resets(), 1);
  assert.equal(counters.values('steal').get('0'), 1010);
});
