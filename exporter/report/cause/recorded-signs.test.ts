/** What the flight recorder lists as an incident, in a report that has nothing or little else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFacts, series, source, time } from '../../../tools/rig/report/build.ts';
import type { Facts, Recorded, Series } from '../facts/facts.ts';
import { judge } from './judge.ts';

const from = time('2026-10-14 21:00:00');
const now = from + 9000;
const sources = [source('recorder', 'evidence', 'evidence')];
const step = { from: from - 300, to: from + 300, step: 1, source: 'recorder' };

const incident = (more: Partial<Recorded> = {}): Recorded => ({
  boot: 'b',
  onset: { earliest: from - 1, latest: from },
  asleep: [],
  redis: [
    { at: from + 1, state: 'frozen' },
    { at: from + 43, state: 'up' },
  ],
  cause: 'quiet',
  last: from + 43,
  source: 'recorder',
  ...more,
});

function of(recorded: Recorded, measured: readonly Series[] = []) {
  const facts: Facts = { ...noFacts, sources, recorded: [recorded], series: measured };
  const { incident: found, findings } = judge(facts, { lastBoot: false }, now);
  return { kinds: found?.signs.map(({ kind }) => kind), findings };
}

test('recorded: an incident whose samples are gone is one, as long as Redis was silent', () => {
  const { kinds, findings } = of(incident());
  assert.deepEqual(kinds, ['recorded', 'redis_down']);
  assert.equal(findings.redis_unserved?.data.seconds, 43);
  assert.equal(findings.redis_stopped, undefined);
});

test('recorded: what the recorder knew of the process stays known', () => {
  const { findings } = of(incident({ cause: 'redis_stopped' }));
  assert.deepEqual(
    [findings.redis_stopped?.certainty, findings.redis_stopped?.data.seconds],
    ['proven', 43],
  );
  const seen = series('redis_stopped', step, () => 0);
  assert.equal(of(incident({ cause: 'redis_stopped' }), [seen]).findings.redis_stopped, undefined);
});

const within = (at: number, seconds: number) => at > from && at <= from + seconds;

/** What is found where an answer took so long, and the process was stopped for as long as is said. */
const stoppedFor = (seconds: number, stopped: number) =>
  of(incident({ redis: [], cause: 'redis_stopped', last: from + seconds }), [
    series('redis_up', step, (at) => (within(at, seconds - 1) ? 0 : 1)),
    series('redis_latency_seconds', step, (at) => (within(at, seconds) ? at - from + 1 : 0.001)),
    series('threads_in_d', step, () => 0),
    series('redis_stopped', step, (at) => (within(at, stopped) ? 1 : 0)),
  ]).findings;

test('recorded: a Redis that was stopped for seconds was not at a slow command', () => {
  for (const [seconds, stopped] of [
    [13, 13],
    [13, 11],
    [3, 2],
  ] as const) {
    const { redis_stopped: byHand, redis_slow: slow } = stoppedFor(seconds, stopped);
    assert.deepEqual([byHand?.certainty, slow], ['proven', undefined], `${stopped} of ${seconds}`);
  }
  const busy = stoppedFor(13, 3);
  assert.deepEqual([busy.redis_stopped, busy.redis_slow?.certainty], [undefined, 'likely']);
});

test('recorded: an incident that is shorter than what figures alone make one of is not ordinary', () => {
  const up = series('redis_up', step, (at) => (at > from && at <= from + 9 ? 0 : 1));
  const short = incident({
    redis: [
      { at: from + 1, state: 'frozen' },
      { at: from + 9, state: 'up' },
    ],
    last: from + 9,
  });
  assert.deepEqual(of(short, [up]).kinds, ['recorded', 'redis_down']);
  const other = of(incident({ redis: [], cause: 'cpu_steal' }), [up]);
  assert.deepEqual(other.kinds, ['recorded']);
  assert.ok(other.findings.cause_unknown, 'nobody is accused without figures');
});

test('recorded: where its samples show it they date it, and it is told once', () => {
  const up = series('redis_up', step, (at) => (at > from && at <= from + 43 ? 0 : 1));
  assert.deepEqual(of(incident(), [up]).kinds, ['redis_down']);
});

test('recorded: a silence that lasts as long as there are samples lasted at least so long', () => {
  const silentUntil = (until: number) =>
    series('redis_up', { ...step, to: until }, (at) => (at > from && at <= from + 100 ? 0 : 1));
  const judged = (until: number) => {
    const facts: Facts = { ...noFacts, sources, series: [silentUntil(until)] };
    const { incident: found, findings } = judge(facts, { lastBoot: false }, now);
    const { seconds, atLeast } = findings.redis_unserved?.data ?? {};
    return [found?.end.how, seconds, atLeast];
  };
  assert.deepEqual(judged(from + 90), ['unseen', 90, true]);
  assert.deepEqual(judged(from + 101), ['measured', 100, undefined]);
});
