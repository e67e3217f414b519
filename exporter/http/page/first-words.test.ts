import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Signal } from '../../core/collector.ts';
import { firstWords } from './first-words.ts';

const url = new URL('http://127.0.0.1:10190');
const check = (name: string, ok: boolean, reason: string): Check => ({
  name,
  critical: true,
  ok,
  state: 'x',
  reason,
  sinceSeconds: 0,
  ageSeconds: 0,
});
const signal = (name: string, supported: boolean): Signal => ({ name, supported, reason: 'x' });

test('first words: where it listens, what was found and what is missing', () => {
  const well = {
    checks: [check('redis', true, 'Redis at r answers.'), check('sampler_x', true, 'x ticks')],
    signals: [signal('steal', true), signal('wait_channel', true)],
  };
  assert.equal(
    firstWords({ url, reports: [well], redisUnset: false }),
    'stealwatch listens at http://127.0.0.1:10190/\nfound: Redis at r answers; steal, wait_channel\nmissing: nothing\n',
  );
  const ill = {
    checks: [check('redis', false, 'Nothing listens at r\u001b[31m.')],
    signals: [signal('steal', true), signal('hung_task_log', false)],
  };
  assert.equal(
    firstWords({ url, reports: [ill], redisUnset: false }),
    'stealwatch listens at http://127.0.0.1:10190/\nfound: steal\nmissing: Nothing listens at r\\x1b[31m; hung_task_log. That address says why, and what to do.\n',
  );
  assert.equal(
    firstWords({ url, reports: [], redisUnset: true }),
    'stealwatch listens at http://127.0.0.1:10190/\nfound: nothing\nmissing: which Redis to watch (--redis-url). That address says why, and what to do.\n',
  );
});
