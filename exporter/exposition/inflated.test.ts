import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInflated } from './inflated.ts';

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

/** Pieces of 10 bytes that are inflated to 100 when the test says so. */
function held(atOnce = 2, keptBytes = 250) {
  const begun: Buffer[] = [];
  const ends: PromiseWithResolvers<Buffer>[] = [];
  const inflated = createInflated({ keptBytes, atOnce }, async (piece) => {
    begun.push(piece);
    const end = Promise.withResolvers<Buffer>();
    ends.push(end);
    return end.promise;
  });
  const pieces = Array.from({ length: 5 }, (_, i) => Buffer.alloc(10, i));
  const piece = (i: number) => pieces[i] ?? assert.fail();
  const end = async (i: number) => {
    ends[i]?.resolve(Buffer.alloc(100, begun[i]?.[0] ?? 0));
    await turnOfTheLoop();
  };
  return { inflated, begun: () => begun.map(([id]) => id), ends, piece, end };
}

test('inflated: who asks for the same piece shares one inflation, and a few are made at once', async () => {
  const { inflated, begun, piece, end } = held();
  const asked = [0, 0, 1, 2, 2, 0, 3].map(async (i) => inflated.textOf(piece(i)));
  await turnOfTheLoop();
  assert.deepEqual(begun(), [0, 1]);
  await end(0);
  assert.deepEqual(begun(), [0, 1, 2]);
  await end(1);
  await end(2);
  await end(3);
  const texts = await Promise.all(asked);
  assert.deepEqual(
    texts.map(([id]) => id),
    [0, 0, 1, 2, 2, 0, 3],
  );
  assert.equal(texts[0], texts[5], 'the very same memory');
});

test('inflated: the last ones stay for those that follow, within a bound that is told', async () => {
  const { inflated, begun, piece, end } = held();
  for (const i of [0, 1]) {
    const text = inflated.textOf(piece(i));
    assert.ok(inflated.bytes() > i * 100, 'what is being made counts');
    await end(i);
    await text;
  }
  await inflated.textOf(piece(0));
  assert.deepEqual([begun(), inflated.bytes()], [[0, 1], 200]);
  const third = inflated.textOf(piece(2));
  await end(2);
  await third;
  assert.equal(inflated.bytes(), 200);
  await inflated.textOf(piece(0));
  assert.deepEqual(begun(), [0, 1, 2], 'asked for since: kept');
  const again = inflated.textOf(piece(1));
  await end(3);
  await again;
  assert.deepEqual(begun(), [0, 1, 2, 1], 'asked for longest ago: made again');
  const late = inflated.textOf(piece(3));
  inflated.clear();
  await end(4);
  assert.equal((await late).length, 100);
  assert.equal(inflated.bytes(), 0, 'nor what was still being made');
});

test('inflated: what cannot be inflated fails those that share it, and takes no place for good', async () => {
  const { inflated, ends, piece, end } = held(1);
  const broken = [0, 0].map(async (i) => inflated.textOf(piece(i)));
  const well = inflated.textOf(piece(1));
  ends[0]?.reject(new Error('broken'));
  for (const one of broken) await assert.rejects(one, /broken/);
  await end(1);
  assert.equal((await well).length, 100);
  assert.equal(inflated.bytes(), 100);
});
