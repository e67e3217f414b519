/** From where on it is an incident, and since when: every bound of every rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Second } from '../core/second.ts';
import type { Excerpt } from '../kmsg/excerpts.ts';
import { limits } from '../measure/limits.ts';
import { redisStates } from '../redis/state.ts';
import { createRing } from './ring.ts';
import { createRules, metBy } from './rules.ts';

/** Rows of one second each, the last of them at `at`; what is met then. */
function metAt(at: number, rows: readonly (readonly [time: number, second: Second])[], start = 0) {
  const ring = createRing();
  for (const [time, second] of rows) ring.push(time, second);
  const rules = createRules({ ring, stealThreshold: 0.125, start });
  return rules.met(at, rows.at(-1)?.[1] ?? {});
}

const blocked = (oldest_wait_seconds: number, start = 0) =>
  metAt(1000, [[1000, { oldest_wait_seconds }]], start);

test('evidence rules: a thread that sleeps for longer than the alert has it, seen a round late', () => {
  const { bad } = limits.taskBlockedSeconds;
  assert.deepEqual(blocked(bad), []);
  const latest = 1000 - (bad + 1);
  assert.deepEqual(blocked(bad + 1), [
    { rule: 'blocked_task', onset: { earliest: latest - 30, latest }, last: 1000 },
  ]);
  assert.equal(blocked(bad + 1, latest - 30)[0]?.onset.earliest, latest - 30);
  assert.equal(blocked(bad + 1, latest - 29)[0]?.onset.earliest, 0, 'before we looked');
});

const stalls = (...rows: readonly (readonly [time: number, stalled: number])[]) =>
  metAt(
    1000,
    rows.map(([time, stalled_seconds]) => [time, { stalled_seconds }]),
  );

test('evidence rules: over ten seconds of standstill in a minute', () => {
  assert.deepEqual(stalls([950, 5], [1000, 5]), []);
  assert.deepEqual(stalls([940, 5], [1000, 6]), [], 'a minute ago is no longer in it');
  assert.deepEqual(stalls([941, 5], [970, 0], [1000, 6]), [
    { rule: 'stall', onset: { earliest: 934, latest: 936 }, last: 1000 },
  ]);
  assert.deepEqual(stalls([990, 11], [1000, NaN])[0]?.last, 990);
});

const burns = (from: number, seconds: number, steal_of_demand: number) =>
  metAt(
    1000,
    Array.from({ length: seconds }, (_, i) => [from + i, { steal_of_demand }] as const),
  );

test('evidence rules: over 43 stolen seconds in five minutes', () => {
  assert.deepEqual(burns(950, 43, 0.2), []);
  assert.deepEqual(burns(950, 44, 0.125), [], 'at the threshold none is stolen');
  assert.deepEqual(burns(950, 44, 0.2), [
    { rule: 'steal_burn', onset: { earliest: 948, latest: 950 }, last: 993 },
  ]);
  assert.equal(burns(701, 44, 0.2).length, 1);
  assert.deepEqual(burns(700, 44, 0.2), [], 'the first was five minutes ago');
});

const place = (state: (typeof redisStates)[number]) => redisStates.indexOf(state);

test('evidence rules: a frozen Redis since it answered last, if it ever did', () => {
  const rules = createRules({ ring: createRing(), stealThreshold: 0.125, start: 0 });
  const frozen = (more: Second = {}) =>
    rules.met(1000, { redis_state: place('frozen'), redis_latency_seconds: 4, ...more });
  assert.deepEqual(frozen()[0]?.onset, { earliest: 0, latest: 996 }, 'it never answered us');
  assert.deepEqual(rules.met(900, { redis_state: place('loading') }), []);
  assert.equal(frozen()[0]?.onset.earliest, 0, 'that is no answer');
  assert.deepEqual(rules.met(990, { redis_state: place('slow') }), []);
  assert.deepEqual(frozen()[0]?.onset, { earliest: 996, latest: 996 });
  assert.equal(frozen({ redis_silent_seconds: 9 })[0]?.onset.earliest, 991);
  assert.equal(frozen({ redis_silent_seconds: 1 })[0]?.onset.earliest, 996, 'asked before that');
  assert.equal(frozen({ redis_silent_seconds: 5000 })[0]?.onset.earliest, 0);
});

const excerpt = (kind: Excerpt['kind'], seconds?: number): Excerpt => ({
  kind,
  microseconds: 1000e6,
  past: false,
  lines: [],
  ...(seconds === undefined ? {} : { seconds }),
});
const onset = (kind: Excerpt['kind'], seconds?: number) => metBy(excerpt(kind, seconds))?.onset;

test("evidence rules: the kernel's own words, and how long its detectors may take", () => {
  assert.deepEqual(onset('hung_task', 120), { earliest: 760, latest: 880 });
  assert.deepEqual(onset('hung_task', 700), { earliest: 0, latest: 300 });
  assert.deepEqual(onset('soft_lockup', 22), { earliest: 974, latest: 978 });
  assert.deepEqual(onset('soft_lockup'), { earliest: 996, latest: 1000 });
  assert.equal(metBy(excerpt('soft_lockup', 22))?.last, 1000);
});
