import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { monotonicCounter } from './monotonic.ts';

test('monotonic: readings that only grow come out as they are', () => {
  const counter = monotonicCounter();
  assert.deepEqual(
    [7, 7, 9, 100].map((raw) => counter.advance(raw)),
    [0, 0, 2, 91],
  );
  assert.equal(counter.value(), 100);
  assert.equal(counter.resets(), 0);
});

test('monotonic: a reset is held flat and counting goes on from there', () => {
  const counter = monotonicCounter();
  assert.deepEqual(
    [1000, 1010, 3, 5].map((raw) => counter.advance(raw)),
    [0, 10, 0, 2],
  );
  assert.equal(counter.value(), 1012);
  assert.equal(counter.resets(), 1);
});

test('monotonic: a wobble adds nothing, however often it comes', () => {
  const counter = monotonicCounter(300);
  for (let i = 0; i < 100; i += 1) {
    counter.advance(1000);
    counter.advance(700);
  }
  counter.advance(1001);
  assert.equal(counter.value(), 1001);
  assert.equal(counter.resets(), 0);
});

test('monotonic: a leap further than possible is a reset, and so is the way back', () => {
  const counter = monotonicCounter(300);
  assert.deepEqual(
    [500, 1_844_674_407_370, 1_844_674_407_371, 510, 512].map((raw) => counter.advance(raw, 700)),
    [0, 0, 1, 0, 2],
  );
  assert.equal(counter.value(), 503);
  assert.equal(counter.resets(), 2);
});

test('monotonic: NaN is no reading', () => {
  const counter = monotonicCounter();
  assert.equal(counter.advance(NaN), NaN);
  assert.equal(counter.value(), NaN);
  assert.deepEqual(
    [5, NaN, 7].map((raw) => counter.advance(raw)),
    [0, NaN, 2],
  );
  assert.equal(counter.value(), 7);
});

test('monotonic: no readings make it go back or move by more than they did', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 1 }),
      fc.nat(50),
      fc.nat(500),
      (readings, wobble, most) => {
        const counter = monotonicCounter(wobble);
        let before = 0;
        let moved = 0;
        for (const [i, raw] of readings.entries()) {
          const step = counter.advance(raw, most);
          assert.ok(step >= 0 && step <= most);
          assert.ok(counter.value() >= before);
          if (i > 0) assert.ok(step <= Math.max(0, raw - Math.min(...readings.slice(0, i))));
          before = counter.value();
          moved += step;
        }
        assert.equal(counter.value(), (readings[0] ?? 0) + moved);
      },
    ),
  );
});
