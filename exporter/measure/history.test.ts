import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from './clock.ts';
import { createHistory } from './history.ts';

test('history: a slot keeps its largest value, a stall leaves gaps, old values fall out', () => {
  const clock = manualClock();
  const history = createHistory(clock);
  clock.advance(60);
  assert.deepEqual(history.points(), [], 'it begins with the first record');
  assert.deepEqual(history.points(2), [null, null]);
  history.record(0.2);
  history.record(0.9);
  history.record(0.1);
  clock.stall(20);
  history.record(0.3);
  const points = history.points();
  assert.deepEqual(points, [0.9, null, null, null, 0.3]);
  clock.stall(15 * 60);
  assert.equal(history.points().length, 180);
  assert.ok(history.points().every((point) => point === null));
});
