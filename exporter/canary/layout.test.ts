import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  batchSize,
  cellsOf,
  cellsSize,
  countTouches,
  flag,
  readingOf,
  touchBuckets,
  touchSeconds,
} from './layout.ts';

const ages = [
  { age: '2m', seconds: 120 },
  { age: '15m', seconds: 900 },
];

function newCells() {
  return cellsOf(new SharedArrayBuffer(cellsSize(ages.length)), ages.length);
}

test('canary: a touch begun three seconds ago has been waiting for three seconds', () => {
  const cells = newCells();
  const waiting = (now: number) => readingOf(cells, ages, now).outstandingSeconds;
  // The thread's own clock began 5,000 s after the monotonic one; its touch at 7 s of it.
  cells.clockOffset[0] = 5000;
  cells.times.set([1000, 7000, 2000]);
  cells.flags[flag.position] = 1;
  cells.flags[flag.touching] = 1;
  assert.equal(waiting(5010), 3);
  assert.equal(waiting(5007 + 7200), 7200, 'and for hours');
  assert.equal(waiting(5006.9), 0, 'never less than none');
  cells.flags[flag.touching] = 0;
  assert.equal(waiting(5010), 0, 'none is under way');
});

test('canary: what the thread counts is what is read, class by class', () => {
  const cells = newCells();
  const [first, second] = cells.classes;
  assert.ok(first !== undefined && second !== undefined);
  countTouches(first, [1e-6, 1.1e-6, 11, 0.05], 0);
  countTouches(second, [0.05, 0.05], 2);
  countTouches(second, [10], 1);
  cells.heartbeat[0] = 100;
  cells.discardedTouches[0] = 48;
  assert.deepEqual(readingOf(cells, ages, 104), {
    outstandingSeconds: 0,
    ageSeconds: 4,
    discardedTouches: 48,
    classes: [
      {
        age: '2m',
        counts: [1, 1, 0, 0, 0, 1, 0, 0, 1],
        sum: 1e-6 + 1.1e-6 + 11 + 0.05,
        hostFaults: 0,
      },
      { age: '15m', counts: [0, 0, 0, 0, 0, 2, 0, 1, 0], sum: 10.1, hostFaults: 3 },
    ],
  });
});

test('canary: a touch lasts from its own time to the next one, in seconds', () => {
  const cells = newCells();
  cells.times.set(Array.from({ length: batchSize + 1 }, (_, i) => 1000 + i * i * 10));
  assert.deepEqual(
    touchSeconds(cells),
    Array.from({ length: batchSize }, (_, i) => ((i + 1) ** 2 - i ** 2) / 100),
  );
});

test('canary: no cell shares its memory with another', () => {
  const { flags, heartbeat, clockOffset, times, discardedTouches, classes } = newCells();
  const cells = [
    heartbeat,
    clockOffset,
    discardedTouches,
    times,
    ...classes.flatMap(({ counts, sum, hostFaults }) => [counts, sum, hostFaults]),
  ];
  cells.forEach((one, i) => one.fill(i + 1));
  flags.fill(-1);
  cells.forEach((one, i) => assert.ok(one.every((value) => value === i + 1)));
  assert.ok(cells.every((one) => one.length > 0));
  assert.equal(times.length, batchSize + 1);
  const places = Object.values(flag);
  assert.equal(new Set(places).size, places.length, 'nor a flag with another');
  assert.ok(places.every((place) => place < flags.length));
  for (const { counts } of classes) assert.equal(counts.length, touchBuckets.length + 1);
});
