import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLastMinute } from './last-minute.ts';

const second = { steal: 1, demand: 2, total: 4, stolenSeconds: 1, ratioSum: 0.5, ratios: 1 };
const times = (count: number) =>
  Object.fromEntries(Object.entries(second).map(([name, value]) => [name, value * count]));
const none = times(0);

test('last minute: sixty samples of a second, however late one of them was', () => {
  const minute = createLastMinute();
  assert.deepEqual(minute.sum(0), none);
  // One from just a minute ago, a little late, and sixty that follow.
  minute.record(100.2, second);
  for (let i = 1; i <= 60; i += 1) minute.record(100 + i, second);
  assert.deepEqual(minute.sum(160), times(60));
  assert.deepEqual(minute.sum(160.3), times(60));
  assert.deepEqual(minute.sum(160), times(60), 'of an earlier time again');
  assert.deepEqual(minute.sum(161), times(59), 'the next one has not come yet');
  assert.deepEqual(minute.sum(300), none);
  minute.record(301, second);
  assert.deepEqual(minute.sum(301), times(1));
});

test('last minute: more samples than seconds keep to their memory', () => {
  const minute = createLastMinute();
  for (let i = 0; i < 1000; i += 1) minute.record(100 + i / 10, second);
  assert.deepEqual(minute.sum(200), times(64));
});
