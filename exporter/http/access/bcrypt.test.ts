import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { threadNamed } from '../../../tools/rig/frozen-thread.ts';
import { until } from '../../../tools/rig/redis-server.ts';
import { createBcryptVerifier } from './bcrypt.ts';

/** As made by crypt(3) of libxcrypt, cost 4: $2y$ is the prefix that htpasswd writes. */
const hash = '$2y$04$abcdefghijklmnopqrstuuPoaPXzWjiVz4HaNq2LJXksWbO79E.S6';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('bcrypt: right, wrong, and again after the thread has ended', async (t) => {
  const { verify, close } = createBcryptVerifier();
  t.after(close);
  assert.equal(await verify('correct-horse', hash), true);
  assert.equal(await verify('battery-staple', hash), false);
  await close();
  assert.equal(await verify('correct-horse', hash), true);
});

test('bcrypt: the main thread goes on meanwhile', async (t) => {
  const { verify, close } = createBcryptVerifier();
  t.after(close);
  await verify('start the thread', hash);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const began = performance.now();
  delay.enable();
  await verify('x', hash.replace('$04$', '$13$'));
  delay.disable();
  const tookMs = performance.now() - began;
  assert.ok(delay.max / 1e6 < tookMs / 2, `${delay.max / 1e6} ms of ${tookMs} ms`);
});

test('bcrypt: a thread that dies fails its comparison, and the next one has a new thread', async (t) => {
  const { verify, close } = createBcryptVerifier();
  t.after(close);
  // A cost that bcrypt does not know makes the comparison throw, which ends the thread.
  await assert.rejects(verify('correct-horse', hash.replace('$04$', '$99$')), /rounds|ended/);
  assert.equal(await verify('correct-horse', hash), true);
});

const thread = () => threadNamed(process.pid, 'WorkerThread');

test('bcrypt: the thread stays 10 s after the last password, and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { verify, close } = createBcryptVerifier();
  t.after(close);
  await verify('one', hash);
  const first = thread();
  assert.notEqual(first, undefined);
  t.mock.timers.tick(9000);
  await verify('another', hash);
  t.mock.timers.tick(9999);
  // A thread takes some milliseconds to end.
  const end = performance.now() + 200;
  while (performance.now() < end) await turn();
  assert.equal(thread(), first, 'it counts from the last one');
  t.mock.timers.tick(1);
  t.mock.timers.reset();
  await until('the thread has ended', () => thread() === undefined);
});
