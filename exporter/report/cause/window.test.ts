import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measure, Series } from '../facts/facts.ts';
import { demandSeries, measured, statsOf } from './window.ts';

function series(measure: Measure, step: number, values: readonly number[], of?: string): Series {
  const points = values.map((value, i) => ({ at: (i + 1) * step, value }));
  return { measure, stepSeconds: step, points, source: 's', ...(of === undefined ? {} : { of }) };
}

test('window: points at the edge speak of other times and are left out', () => {
  const stats = statsOf(series('disk_busy', 10, [1, 0.1, 0.2, 0.3, 1]), { from: 5, to: 45 });
  assert.equal(stats?.most, 0.3);
  assert.equal(stats?.coarse, false);
  assert.equal(stats?.covered, 1);
});

test('window: one value for longer than the window may hide the worst', () => {
  const busy = statsOf(series('disk_busy', 600, [0.1, 0.1]), { from: 100, to: 190 });
  assert.equal(busy?.coarse, true);
  assert.equal(busy?.most, 0.1);
  assert.ok((busy?.mostPossible ?? 0) > 0.66);
  const idle = statsOf(series('cpu_idle', 600, [0.85, 0.85]), { from: 100, to: 190 });
  assert.equal(idle?.leastPossible.toFixed(2), '0.00');
  const rate = statsOf(series('swap_in_pages', 600, [1, 1]), { from: 100, to: 160 });
  assert.equal(rate?.mostPossible, 10);
});

test('window: a gap is not covered', () => {
  const half = series('cpu_idle', 10, [0.9, 0.9, 0.9, 0.9]);
  assert.equal(statsOf(half, { from: 0, to: 80 })?.covered, 0.5);
  assert.equal(statsOf(half, { from: 100, to: 200 }), undefined);
  assert.equal(
    statsOf({ ...half, points: [{ at: 10, value: Number.NaN }] }, { from: 0, to: 20 }),
    undefined,
  );
});

test('window: of two sources the one that saw more of it, then the one that looked more often', () => {
  const coarse = {
    ...series(
      'cpu_idle',
      60,
      Array.from({ length: 10 }, () => 0.5),
    ),
    source: 'a',
  };
  const fine = {
    ...series(
      'cpu_idle',
      15,
      Array.from({ length: 40 }, () => 0.6),
    ),
    source: 'b',
  };
  const short = {
    ...series(
      'cpu_idle',
      1,
      Array.from({ length: 60 }, () => 0.7),
    ),
    source: 'c',
  };
  const window = { from: 0, to: 600 };
  assert.equal(measured([coarse, fine, short], []).whole('cpu_idle', window)?.source, 'b');
  assert.equal(measured([coarse, short], []).whole('cpu_idle', window)?.source, 'a');
});

test('window: steal as a share of demand, and of hardly any demand none', () => {
  const steal = series('cpu_steal', 10, [0.2, 0.01, 0.1]);
  const idle = series('cpu_idle', 10, [0.5, 0.99, 0.5]);
  const wait = series('cpu_iowait', 10, [0.1, 0, 0.3]);
  const [share] = demandSeries([steal, idle, wait]);
  assert.deepEqual(
    share?.points.map(({ value }) => Number(value.toFixed(3))),
    [0.5, 0, 0.5],
  );
  assert.deepEqual(demandSeries([steal]), []);
});
