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
