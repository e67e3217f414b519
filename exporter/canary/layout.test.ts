import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchSize, cellsOf, cellsSize, flag, outstandingSeconds, touchBuckets } from './layout.ts';

function cellsWith(classes: number) {
  return cellsOf(new SharedArrayBuffer(cellsSize(classes)), classes);
}

test('canary: a touch begun three seconds ago has been waiting for three seconds', () => {
  const cells = cellsWith(1);
  // The thread's own clock began 5,000 s after the monotonic one; its touch at 7 s of it.
  cells.clockOffset[0] = 5000;
  cells.times.set([1000, 7000, 2000]);
  cells.flags[flag.position] = 1;
  cells.flags[flag.touching] = 1;
  assert.equal(outstandingSeconds(cells, 5010), 3);
  assert.equal(outstandingSeconds(cells, 5007 + 7200), 7200, 'and for hours');
  assert.equal(outstandingSeconds(cells, 5006.9), 0, 'never less than none');
  cells.flags[flag.touching] = 0;
  assert.equal(outstandingSeconds(cells, 5010), 0, 'none is under way');
});

test('canary: no cell shares its memory with another', () => {
  const { flags, heartbeat, clockOffset, times, discardedTouches, classes } = cellsWith(2);
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
  for (const { counts } of classes) assert.equal(counts.length, touchBuckets.length + 1);
});
