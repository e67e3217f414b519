import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGarbageCollection } from './garbage.ts';

test('garbage: collected once in a hundred scrapes, after the answer', async () => {
  let collections = 0;
  const afterScrape = createGarbageCollection(() => (collections += 1));
  for (let i = 0; i < 250; i += 1) afterScrape();
  assert.equal(collections, 0, 'not while somebody waits for the answer');
  await new Promise(setImmediate);
  assert.equal(collections, 2);
});
