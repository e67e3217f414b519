/**
 * The lines of the runbooks that ask Redis, beside one that wants a password and one that is gone; and
 * what a runbook has somebody tell Redis: each is a command that Redis knows, with as many words as it takes.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type RedisServer, startRedis } from '../rig/redis-server.ts';
import { blocksOf } from './blocks.ts';
import { filledIn, firsts, nameOf, programsBeside, runbooks } from './runbook-lines.ts';
import { documentShell, type Ran } from './shell.ts';

const mostSeconds = 20;
const asking = firsts.filter(({ text }) => text.includes('redis-cli'));

type Programs = Readonly<Record<string, string>>;

function typedBeside(t: TestContext, redis: RedisServer, instead: Programs = {}) {
  const programs = { ...programsBeside(redis), ...instead };
  const shell = documentShell(t, { programs, mostSeconds });
  const nobody = 'http://127.0.0.1:1';
  const places = {
    redis,
    exporter: 1,
    prometheus: nobody,
    alertmanager: nobody,
    application: nobody,
  };
  return (text: string) => shell.run(filledIn(text, places));
}

async function each(
  t: TestContext,
  redis: RedisServer,
  holds: (ran: Ran) => void,
  instead?: Programs,
) {
  const type = typedBeside(t, redis, instead);
  await Promise.all(
    asking.map(async (block) => {
      const ran = await type(block.text);
      await t.test(nameOf(block), () => holds(ran));
    }),
  );
}

test('a Redis that wants a password: each says that, and none that it is frozen', async (t) => {
  assert.ok(asking.length > 20, String(asking.length));
  const redis = await startRedis(t, { args: ['--requirepass', 'secret'] });
  await each(t, redis, ({ out }) => {
    assert.match(out, /NOAUTH|or refused/);
    assert.doesNotMatch(out, /no answer in \d s$/m);
  });
});

test('a Redis that is gone: each says that nothing could be reached', async (t) => {
  const redis = await startRedis(t);
  await redis.stop();
  await each(t, redis, ({ out, err }) => {
    assert.match(err, /Could not connect to Redis at \S+: Connection refused/);
    assert.doesNotMatch(out, /no answer in \d s$/m);
  });
});

test('a machine without redis-cli: none says that Redis was asked and is silent', async (t) => {
  const redis = await startRedis(t);
  // What the shell and timeout(1) answer for a program that is not there.
  const instead = { 'redis-cli': 'echo "redis-cli: not found" >&2; exit 127' };
  await each(
    t,
    redis,
    ({ out, err }) => {
      assert.match(err, /redis-cli: not found/);
      assert.doesNotMatch(out, /no answer in \d s$/m);
    },
    instead,
  );
});

/** In the text: `redis-cli CONFIG SET timeout 300`. */
const told = readdirSync(runbooks).flatMap((name) => {
  const text = readFileSync(join(runbooks, name), 'utf8');
  const blocks = new Set(blocksOf(name, text).flatMap((block) => block.text.split('\n')));
  return [...text.matchAll(/`((?:timeout \d+ )?redis-cli [^`\n]+)`/g)]
    .map(([, command = '']) => ({ name, command }))
    .filter(({ command }) => !blocks.has(command));
});

/** What stands for a word of the reader's. */
const words = (command: string) =>
  command
    .replaceAll(/\b(?:MASTER|HOST)\b/g, '127.0.0.1')
    .replaceAll('PORT', '1')
    .replaceAll(/\b(?:ID|QUEUE)\b/g, 'default')
    .replaceAll('...', 'secret');

test('what a runbook has somebody tell Redis is a command of Redis', async (t) => {
  assert.ok(told.length > 15, String(told.length));
  const redis = await startRedis(t);
  const type = typedBeside(t, redis);
  for (const { name, command } of told) {
    const { out, err, code } = await type(words(command));
    const whole = `${name}: ${command}\n${out}${err}`;
    assert.notEqual(code, 'SIGKILL', whole);
    const wrong =
      /unknown (?:sub)?command|wrong number|syntax error|Unknown option|Unrecognized option|unsupported|not an? (?:integer|float)/i;
    assert.doesNotMatch(out + err, wrong, whole);
  }
});
