/** What makes an incident of its own where figures alone are kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFacts, series, time } from '../../../tools/rig/report/build.ts';
import { judge } from './judge.ts';

const from = time('2026-10-14 18:00:00');
const step = { from, to: from + 14_400, step: 60 };
const bad = (at: number) => at > from + 3600 && at <= from + 7200;

/** The signs of a day on which the CPUs waited for a disk for an hour, and no disk was measured. */
function kindsOf(share: number, cpu?: string): readonly string[] {
  const waits = series('cpu_iowait', step, (at) => (bad(at) ? share : 0.001));
  const facts = { ...noFacts, series: [cpu === undefined ? waits : { ...waits, of: cpu }] };
  const { incident } = judge(facts, { lastBoot: false }, from + 20_000);
  return incident?.signs.map(({ kind }) => kind) ?? [];
}

test('signs: CPUs that wait for a disk and nothing else are not ordinary, where no disk was measured', () => {
  assert.deepEqual(kindsOf(0.95), ['busy_disk']);
  assert.deepEqual(kindsOf(0.45), []);
  // One thread that reads keeps one of many waiting.
  assert.deepEqual(kindsOf(0.95, 'cpu1'), []);
});
