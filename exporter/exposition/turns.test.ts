import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns } from './turns.ts';

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

test('turns: one in each turn of the event loop, in the order asked for, and others in between', async () => {
  const turn = createTurns();
  const events: string[] = [];
  const asked = [1, 2, 3].map((id) => turn().then(() => events.push(`${id}`)));
  for (let i = 0; i < 3; i += 1) {
    await turnOfTheLoop();
    events.push('other');
  }
  await Promise.all(asked);
  assert.deepEqual(events, ['1', 'other', '2', 'other', '3', 'other']);
  await turn();
});
