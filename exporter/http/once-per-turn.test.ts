import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oncePerTurn } from './once-per-turn.ts';

test('oncePerTurn: shared in one turn of the loop, made anew in the next, and no failure is kept', async () => {
  let made = 0;
  const value = oncePerTurn(() => ++made);
  assert.deepEqual([value(), value(), await Promise.resolve().then(value)], [1, 1, 1]);
  // Behind what was set for this turn's end; a timer may be due before it.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(value(), 2);
  let works = false;
  const failing = oncePerTurn(() => {
    if (!works) throw new Error('broken');
    return 'works';
  });
  assert.throws(failing, /broken/);
  works = true;
  assert.equal(failing(), 'works');
});
