import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { fewLines } from './few-lines.ts';

test('fewLines: so many a minute, and the next tells how many are missing', () => {
  const clock = manualClock();
  const limited = fewLines(2, clock);
  const said: number[] = [];
  const say = (leftOut: number) => said.push(leftOut);
  for (let i = 0; i < 10; i++) limited(say);
  assert.deepEqual(said, [0, 0]);
  clock.advance(59);
  limited(say);
  assert.deepEqual(said, [0, 0]);
  clock.advance(1);
  limited(say);
  limited(say);
  assert.deepEqual(said, [0, 0, 9, 0]);
});
