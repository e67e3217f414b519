import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrap } from './wrap.ts';

test('wrap: between words, and within one that is longer than a line', () => {
  assert.deepEqual(wrap('', 4), ['']);
  assert.deepEqual(wrap('ab cd', 5), ['ab cd']);
  assert.deepEqual(wrap('ab cd', 4), ['ab', 'cd']);
  assert.deepEqual(wrap('a bcdefghij k', 4), ['a', 'bcde', 'fghi', 'j k']);
  assert.deepEqual(wrap('abcd efgh', 4), ['abcd', 'efgh']);
});
