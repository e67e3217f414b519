import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../tools/rig/redis-server.ts';
import { newestNext } from './newest-next.ts';

const turnOfTheLoop = () => new Promise((resolve) => setTimeout(resolve, 20));

function held() {
  const begun: number[] = [];
  const ends: PromiseWithResolvers<string>[] = [];
  const work = newestNext(async ({ id }: { id: number }) => {
    begun.push(id);
    const end = Promise.withResolvers<string>();
    ends.push(end);
    return end.promise;
  });
  return { begun, ends, work };
}

test('newestNext: one under way, one waiting, and that one is the newest', async () => {
  const { begun, ends, work } = held();
  const inputs = [1, 2, 3, 4].map((id) => ({ id }));
  const asked = [...inputs, ...inputs].map(async (input) => work.ask(input));
  assert.deepEqual(begun, [1]);
  ends[0]?.resolve('first');
  await turnOfTheLoop();
  assert.deepEqual(begun, [1, 4]);
  ends[1]?.resolve('second');
  const results = await Promise.all(asked);
  assert.deepEqual(results.slice(0, 5), ['first', 'second', 'second', 'second', 'first']);
  assert.ok(results.slice(5).every((result) => result === 'second'));
});

test('newestNext: what fails is told to those who share it, and the next goes on', async () => {
  const { begun, ends, work } = held();
  const first = work.ask({ id: 1 });
  const second = work.ask({ id: 2 });
  const underWay = work.underWay();
  ends[0]?.reject(new Error('broken'));
  await assert.rejects(first, /broken/);
  await underWay;
  await turnOfTheLoop();
  ends[1]?.resolve('well');
  assert.equal(await second, 'well');
  assert.deepEqual(begun, [1, 2]);
  await work.underWay();
  assert.equal(work.underWay(), undefined);
});

test('newestNext: after each a rest as long as it took, in which more come together', async () => {
  const { begun, ends, work } = held();
  void work.ask({ id: 1 });
  const asked = [2, 3].map(async (id) => {
    await new Promise((resolve) => setTimeout(resolve, id * 40));
    if (id === 2) ends[0]?.resolve('first');
    return work.ask({ id });
  });
  await new Promise((resolve) => setTimeout(resolve, 130));
  assert.deepEqual(begun, [1], 'at rest for 80 ms');
  await until('the next', () => begun.length === 2);
  assert.deepEqual(begun, [1, 3]);
  ends[1]?.resolve('second');
  assert.deepEqual(await Promise.all(asked), ['second', 'second']);
});
