/** A minute of what `npm run fuzz` does for as long as one likes, with a seed that stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz, sides } from './fuzz.ts';

test('fuzz: hostile clients, Redis, /proc and kernel log for 25 s: every limit holds, and all works again', async (t) => {
  const { violations, summary } = await fuzz(t, { seed: 1, seconds: 25, only: sides });
  t.diagnostic(summary);
  assert.deepEqual(violations, []);
});
