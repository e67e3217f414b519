/** Whose password is next, by name: the queue itself, without any password. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { createPasswordQueue } from './password-queue.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A queue in which one comparison stands until it is let go; then all are done, in their order. */
function held() {
  const queue = createPasswordQueue<string>(0, 'busy');
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const submit = (name: string, place: string, wait = Promise.resolve()) =>
    queue.submit(createHash('sha256').update(name).digest(), place, async () => {
      order.push(name);
      await wait;
      return 'compared';
    });
  return {
    order,
    submit,
    stand: () => submit('the one under way', 'of its own', gate.promise),
    letGo: async () => {
      gate.resolve();
      for (let step = 0; step < 20; step += 1) await turn();
    },
  };
}

test('password queue: who asks again while waiting goes first', async () => {
  const { order, submit, stand, letGo } = held();
  void stand();
  void submit('guess 1', 'a');
  void submit('guess 2', 'b');
  const first = submit('a scraper', 'c');
  assert.equal(submit('a scraper', 'c'), first, 'the same comparison');
  await letGo();
  assert.deepEqual(order, ['the one under way', 'a scraper', 'guess 1', 'guess 2']);
});

/** Asked for the first time now, and again after so many seconds, behind a guess of another place. */
async function comesAfter(t: TestContext, seconds: readonly number[]): Promise<string[]> {
  let now = 1_000_000;
  const clock = t.mock.method(performance, 'now', () => now);
  const { order, submit, stand, letGo } = held();
  const done = async (name: string, place: string) => {
    await submit(name, place);
    await turn();
  };
  await done('a scraper', 'c');
  for (const [i, pause] of seconds.entries()) {
    now += pause * 1000;
    if (i < seconds.length - 1) await done(`another ${i}`, 'd');
  }
  order.length = 0;
  void stand();
  void submit('a guess', 'a');
  void submit('a scraper', 'c');
  await letGo();
  clock.mock.restore();
  return order.slice(1);
}

test('password queue: what came a minute ago is known, after two it is not', async (t) => {
  const known = ['a scraper', 'a guess'];
  const forgotten = ['a guess', 'a scraper'];
  assert.deepEqual(await comesAfter(t, [59]), known);
  assert.deepEqual(await comesAfter(t, [61]), known);
  assert.deepEqual(await comesAfter(t, [119]), known);
  assert.deepEqual(await comesAfter(t, [121]), forgotten);
  assert.deepEqual(await comesAfter(t, [61, 58]), known, 'of the generation before');
  assert.deepEqual(await comesAfter(t, [61, 61]), forgotten, 'of the one before that');
});
