import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding, Report } from '../../core/collector.ts';
import { incidentLength, overviewOf } from './overview.ts';

const of = (...reports: readonly Report[]) =>
  overviewOf({ reports, version: '1', incidents: [], wall: 0 });

const bad = (text: string): Finding => ({ severity: 'bad', text });
const calm: Report = { evidence: { stealOfDemand: 0 } };

test('overview: a check that makes /status fail is bad news, whatever else is well', () => {
  const stale = of(calm, { samplers: [{ name: 'redis', ageSeconds: 16 }] });
  assert.equal(stale.status, 'failing');
  assert.equal(stale.state, 'bad');
  assert.deepEqual(stale.headline, {
    severity: 'bad',
    text: 'The redis clock has not ticked for 16 s.',
  });
  assert.deepEqual(
    stale.failing.map(({ name }) => name),
    ['sampler_redis'],
  );
  assert.equal(of(calm).state, 'good');
});

test('overview: in the first second nothing is known of Redis, and nothing bad', () => {
  const reason = 'Redis has not been asked yet.';
  const times = { sinceSeconds: 0, ageSeconds: 0 };
  const redis = { name: 'redis', critical: true, ok: false, state: 'unreachable', ...times };
  const young = of(calm, { checks: [{ ...redis, reason, pending: true }] });
  assert.deepEqual(young.headline, { severity: 'warning', text: reason });
  assert.deepEqual(young.next, { text: 'Look again in a second' });
  assert.equal(young.state, 'warning');
  assert.equal(of(calm, { checks: [{ ...redis, reason }] }).state, 'bad');
});

test('overview: what is over stands apart, and neither leads nor colours', () => {
  const old: Finding = { severity: 'warning', text: 'A task hung, 54 min ago.', past: true };
  const good: Finding = { severity: 'good', text: 'Your host gave you the CPU.' };
  const { state, headline, present, past } = of(calm, { findings: [old, good] });
  assert.equal(state, 'good');
  assert.equal(headline.severity, 'good');
  assert.deepEqual(present, [good]);
  assert.deepEqual(past, [old]);
});

const redisDown = {
  name: 'redis',
  critical: true,
  ok: false,
  state: 'frozen',
  reason: 'silent',
  sinceSeconds: 13,
  ageSeconds: 0,
};
const stop = { seconds: 13, text: 'x', by: 'signal', pid: 7, seenFrom: 'machine' } as const;

/** In the order in which they lead. Of the verdicts there is one at a time. */
const leading: readonly (readonly [string, Report, 'verdict'?])[] = [
  ['Your host has paged out', { evidence: { stealOfDemand: 0, pageInWaitSeconds: 40 } }, 'verdict'],
  ['is stopped', { findings: [bad('is stopped')], stopped: stop }],
  ['is silent', { findings: [bad('is silent')], checks: [redisDown] }],
  ['takes 90 %', { evidence: { stealOfDemand: 0.9 } }, 'verdict'],
  ['is lying', { findings: [bad('is lying')] }],
  ['has not ticked', { samplers: [{ name: 'x', ageSeconds: 16 }] }],
  ['This machine stood still', { evidence: { stealOfDemand: 0, stallSeconds: 50 } }, 'verdict'],
  ['stood still, 52 s ago', { findings: [{ ...bad('stood still, 52 s ago'), ended: true }] }],
  ['is slow', { findings: [{ severity: 'warning', text: 'is slow' }] }],
];

test('overview: what goes on leads before what has ended, the grave before the small, in any order', () => {
  const quiet = 'Your host is quiet';
  for (const [i, [first, one, verdict]] of leading.entries()) {
    for (const [second, other, another] of leading.slice(i + 1)) {
      if (verdict !== undefined && another !== undefined) continue;
      for (const reports of [
        [calm, one, other],
        [calm, other, one],
      ]) {
        const { headline, state } = of(...reports);
        const name = `${first}, ${second}`;
        assert.ok(headline.text.includes(first), `${name}: ${headline.text}`);
        assert.equal(state, 'bad', name);
      }
    }
  }
  const [small] = leading.slice(-1);
  assert.ok(of(calm, small?.[1] ?? {}).headline.text.startsWith(quiet), 'a warning does not lead');
});

test('overview: what else is bad stands in the same order', () => {
  const ended = { ...bad('ended'), ended: true } as const;
  const { present } = of(calm, { findings: [ended, bad('one'), bad('two')] });
  assert.deepEqual(present.map(({ text }) => text).slice(0, 2), ['two', 'ended']);
});

test('overview: the good news comes after the bad', () => {
  const { headline, present } = of(calm, { findings: [bad('one'), bad('two')] });
  assert.equal(headline.text, 'one');
  assert.deepEqual(
    present.map(({ severity }) => severity),
    ['bad', 'good'],
  );
});

test('overview: an incident counts on while something of it is seen, and no longer', () => {
  const one = { id: 'x', began: 0, seconds: 94.4, met: ['x'], cause: { name: 'x', text: 'X.' } };
  assert.equal(incidentLength({ ...one, open: true }), '94 s so far');
  assert.equal(
    incidentLength({ ...one, open: true, quietSeconds: 60.2 }),
    '94 s, last seen 60 s ago',
  );
  assert.equal(incidentLength({ ...one, open: false }), '94 s');
});
