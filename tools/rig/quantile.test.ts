import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, quantile } from './quantile.ts';

test('quantile: of an even number the middle lies between two, and the ends are the ends', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.deepEqual(
    [0, 0.25, 1].map((q) => quantile([50, 10, 20, 30, 40], q)),
    [10, 20, 50],
  );
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(median([])));
});
