import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Report } from './collector.ts';
import { reportsOf, statusOf, verdictFrom } from './status.ts';

const check: Check = {
  name: 'redis',
  critical: true,
  ok: true,
  state: 'up',
  reason: 'it answers',
  sinceSeconds: 5,
  ageSeconds: 1,
};

const of = (ageSeconds: number) => statusOf([{ samplers: [{ name: 'steal', ageSeconds }] }]);

test('status: a background clock is stale after 15 s, and then critical', () => {
  const ticking = of(15);
  assert.equal(ticking.status, 'ok');
  assert.deepEqual(ticking.checks, [
    {
      name: 'sampler_steal',
      critical: true,
      ok: true,
      state: 'ticking',
      reason: 'the steal clock ticks',
      sinceSeconds: 0,
      ageSeconds: 15,
    },
  ]);
  const stale = of(15.4);
  assert.equal(stale.status, 'failing');
  assert.deepEqual(stale.checks, [
    {
      name: 'sampler_steal',
      critical: true,
      ok: false,
      state: 'stale',
      reason: 'the steal clock has not ticked for 15 s',
      sinceSeconds: 15.4,
      ageSeconds: 15.4,
    },
  ]);
});

const statusWith = (...checks: readonly Check[]) => statusOf([{}, { checks }]).status;

test('status: only a critical check that fails makes it fail', () => {
  assert.equal(statusWith(), 'ok');
  assert.equal(statusWith(check), 'ok');
  assert.equal(statusWith({ ...check, critical: false, ok: false }), 'ok');
  assert.equal(statusWith(check, { ...check, ok: false }), 'failing');
});

const finding = (severity: 'bad' | 'warning' | 'good', text: string) => ({ severity, text });

test('status: the worst finding first, those of one severity as they came', () => {
  const reports: Report[] = [
    { findings: [finding('good', '1'), finding('warning', '2')] },
    { findings: [finding('bad', '3'), finding('good', '4')] },
    { findings: [finding('warning', '5'), finding('bad', '6')] },
  ];
  assert.equal(
    statusOf(reports)
      .findings.map(({ text }) => text)
      .join(''),
    '362514',
  );
});

const blind = (signal: string, supported: boolean): Report => ({
  signals: [{ name: signal, supported, reason: 'no steal column' }],
});

test('status: the verdict hangs on what all reports know, and on what nobody sees', () => {
  const stall = { evidence: { stallSeconds: 20 } };
  const known = verdictFrom([{}, stall, { evidence: { stealOfDemand: 0, ownCpu: 0.1 } }]);
  assert.notDeepEqual(known, verdictFrom([]));
  const stale = { samplers: [{ name: 'steal', ageSeconds: 16 }] };
  const fresh = { samplers: [{ name: 'steal', ageSeconds: 15 }] };
  const quiet = { evidence: { stallSeconds: 0, stealOfDemand: 0, ownCpu: 0.1 } };
  assert.deepEqual(verdictFrom([quiet, fresh]), verdictFrom([quiet]));
  assert.match(verdictFrom([quiet, stale]).text, /the steal clock has not ticked for 16 s/);
  assert.match(verdictFrom([quiet, blind('steal', false)]).text, /no steal column/);
  assert.deepEqual(verdictFrom([quiet, blind('steal', true)]), verdictFrom([quiet]));
  assert.deepEqual(verdictFrom([quiet, blind('other', false)]), verdictFrom([quiet]));
});

test('status: a collector without a report has an empty one', () => {
  const silent = { name: 'silent', metrics: [], collect: async () => [] };
  const report = { findings: [] };
  assert.deepEqual(reportsOf([silent, { ...silent, report: () => report }]), [{}, report]);
});
