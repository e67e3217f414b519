import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBothEnds } from './both-ends.ts';

test('both ends: the first and the last of any number stay, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(40), (half, count) => {
      const ends = createBothEnds<number>(2 * half);
      const items = [...Array(count).keys()];
      for (const item of items) ends.push(item);
      const kept =
        count <= 2 * half ? items : [...items.slice(0, half), ...items.slice(count - half)];
      assert.deepEqual(ends.all(), kept);
      assert.equal(ends.leftOut(), count - kept.length);
    }),
  );
});
