import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPool, createWalk, pageBytes, shares, touchOrder } from './pool.ts';

test('pool: no two pages are alike', () => {
  const pool = createPool(64 * pageBytes);
  const pages = Array.from({ length: 64 }, (_, i) =>
    Buffer.from(pool.subarray(i * pageBytes, (i + 1) * pageBytes)).toString('latin1'),
  );
  assert.equal(new Set(pages).size, 64);
});

test('pool: every page is touched once per round, in an order that is not its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 300 }), (count) => {
      const pages = [...touchOrder(count * pageBytes, Math.random)].map((offset) =>
        Math.floor(offset / pageBytes),
      );
      assert.deepEqual(
        [...pages].sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      );
      const inOrder = pages.filter((page, i) => pages[i + 1] === page + 1).length;
      assert.ok(inOrder < count / 2, 'read-ahead would hide the disk');
    }),
  );
});

test('pool: classes get equal parts that share no page', () => {
  const parts = shares(touchOrder(100 * pageBytes, Math.random), 3);
  assert.deepEqual(
    parts.map(({ length }) => length),
    [33, 33, 33],
  );
  assert.equal(
    new Set(
      parts
        .map((part) => part.join())
        .join()
        .split(','),
    ).size,
    99,
  );
});

test('walk: a page is first touched when it is old enough, and again one age later', () => {
  const order = Uint32Array.from({ length: 8 }, (_, i) => i);
  const walk = createWalk(order, 100, 4, 1000);
  const batch = new Uint32Array(4);
  assert.equal(walk.due, 1100);
  walk.next(batch, 1100);
  assert.deepEqual([...batch], [0, 1, 2, 3]);
  assert.equal(walk.due, 1150);
  walk.next(batch, 1150);
  assert.deepEqual([...batch], [4, 5, 6, 7]);
  assert.equal(walk.due, 1200, 'the first pages again, 100 s after they were touched');
});

test('walk: what a standstill made late is not made up for', () => {
  const walk = createWalk(Uint32Array.from({ length: 8 }), 100, 4, 0);
  walk.next(new Uint32Array(4), 10_000);
  assert.equal(walk.due, 10_000);
  walk.next(new Uint32Array(4), 10_000);
  assert.equal(walk.due, 10_050);
});
