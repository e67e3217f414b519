import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFacts } from '../../../tools/rig/report/build.ts';
import type { Measure } from '../facts/facts.ts';
import { saneSeries } from './sane-values.ts';
import { leftOutRecords, withSaneTimes } from './sane-times.ts';

function left(measure: Measure, values: readonly number[], stepSeconds = 1) {
  const points = values.map((value, i) => ({ at: 1e9 + i, value }));
  const one = { measure, stepSeconds, points, source: 's' };
  return saneSeries(one, () => true)?.points.map(({ value }) => value);
}

test('sane values: a share is one, a count is none below zero, and yes or no is 1 or 0', () => {
  assert.deepEqual(left('cpu_idle', [0, 0.5, 1, 1.3, 2.5, -1, 1e300, NaN]), [0, 0.5, 1, 1]);
  assert.deepEqual(left('threads_in_d', [0, 3, -1, 1e300, Infinity]), [0, 3]);
  assert.deepEqual(left('redis_up', [0, 1, 2, 0.5, -1]), [0, 1]);
  assert.deepEqual(left('redis_stopped', [0, 1, 7]), [0, 1]);
  assert.deepEqual(left('load_1m', [0.01, 4000]), [0.01, 4000]);
});

test('sane values: a step that cannot be costs the series, and that is told', () => {
  for (const step of [0, -1, NaN, Infinity, 1e9]) {
    assert.equal(left('load_1m', [1], step), undefined);
    const points = [{ at: 1e9, value: 1 }];
    const one = { measure: 'load_1m' as const, stepSeconds: step, points, source: 's' };
    const { missing, series } = withSaneTimes({ ...noFacts, series: [one] }, 2e9);
    assert.deepEqual(series, []);
    assert.equal(missing[0]?.what, leftOutRecords);
  }
  assert.deepEqual(left('load_1m', [1], 600), [1]);
});

test('sane values: points are in order of time, whatever the file had', () => {
  const points = [3, 1, 2].map((at) => ({ at, value: at }));
  const one = { measure: 'load_1m' as const, stepSeconds: 1, points, source: 's' };
  assert.deepEqual(
    saneSeries(one, () => true)?.points.map(({ at }) => at),
    [1, 2, 3],
  );
});
