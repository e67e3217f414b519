import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../measure/clock.ts';
import { watchAnswers } from './answers.ts';
import type { RedisClient } from './client.ts';

test('answers: why no key is read is known until one is, or nobody asks', async () => {
  let now = 0;
  let replies: unknown[] = [];
  const clock: Clock = { monotonic: () => now, wall: () => now, every: () => () => undefined };
  const watched = watchAnswers({ send: async () => replies, close: async () => undefined }, clock);
  const ask = async (...said: unknown[]) => {
    replies = said;
    await watched.send([['INFO'], ['SCARD', 'a'], ['LLEN', 'b']], AbortSignal.timeout(1000));
    return watched.refusesKeys();
  };
  const down = new Error('CLUSTERDOWN Hash slot not served');
  assert.equal(await ask('x', 1, 2), undefined);
  assert.equal(await ask('x', down, down), down.message);
  assert.equal(await ask('x', new Error('NOPERM no'), new Error('NOPERM no')), down.message);
  assert.equal(await ask('x', down, 0), undefined);
  const alone = 'MASTERDOWN Link with MASTER is down';
  assert.equal(await ask('x', new Error(`node:1: ${alone}`), new Error(alone)), alone);
  now += 61;
  assert.equal(watched.refusesKeys(), undefined);
});

test('answers: how long nothing but PING is answered, from the questions alone', async () => {
  let now = 0;
  let reply: unknown = 'well';
  const clock: Clock = {
    monotonic: () => now,
    wall: () => now,
    every: () => () => undefined,
  };
  const client: RedisClient = {
    async send() {
      now += 0.9;
      if (reply instanceof TypeError) throw reply;
      return [reply];
    },
    close: async () => undefined,
  };
  const watched = watchAnswers(client, clock);
  const ask = () =>
    watched.send([['INFO']], AbortSignal.timeout(1000)).catch((error: unknown) => error);
  const silence = new TypeError('no answer within 900 ms');
  await ask();
  assert.equal(watched.unansweredSeconds(), 0);
  reply = silence;
  for (let i = 0; i < 20; i += 1) {
    await ask();
    now += 1.1;
  }
  // From when the first was asked to when the last had failed: 19 times 2 s and 0.9 s.
  assert.equal(Math.round(watched.unansweredSeconds() * 10), 389);
  // Time in which nobody asked says nothing.
  now += 1000;
  assert.equal(Math.round(watched.unansweredSeconds() * 10), 389);
  await ask();
  assert.equal(Math.round(watched.unansweredSeconds() * 10), 9);
  // A proxy's own error is no answer of Redis; a refusal of Redis is one.
  reply = new Error('ERR Connection timed out');
  await ask();
  assert.ok(watched.unansweredSeconds() > 0);
  reply = new Error('NOPERM this user has no permissions');
  await ask();
  assert.equal(watched.unansweredSeconds(), 0);
});
