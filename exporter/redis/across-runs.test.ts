import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter, type Family } from '../core/collector.ts';
import { createAcrossRuns } from './across-runs.ts';

const calls = counter({ name: 'calls_total', help: 'Calls.', labels: ['cmd'] });

function familyOf(values: Readonly<Record<string, number>>): Family {
  const samples = Object.entries(values).map(([cmd, value]) => ({ labels: { cmd }, value }));
  return { metric: calls, samples };
}

function start() {
  const acrossRuns = createAcrossRuns(() => true);
  let atSeconds = 0;
  return (run: string, values: Readonly<Record<string, number>>, uptimeSeconds = 90_000) => {
    atSeconds += 5;
    const [family] = acrossRuns.published([familyOf(values)], { run, uptimeSeconds, atSeconds });
    return Object.fromEntries(
      (family?.samples ?? []).map(({ labels, value }) => [labels['cmd'], value]),
    );
  };
}

test('across runs: a row that was away for an answer goes on from where it was', () => {
  const answer = start();
  assert.deepEqual(answer('a', { get: 5, set: 7 }), { get: 5, set: 7 });
  assert.deepEqual(answer('a', { get: 6 }), { get: 6 });
  assert.deepEqual(answer('b', { get: 100, set: 200 }), { get: 6, set: 7 });
  assert.deepEqual(answer('b', { get: 103, set: 204, del: 9 }), { get: 9, set: 11, del: 9 });
  // CONFIG RESETSTAT.
  assert.deepEqual(answer('b', { get: 1, set: 205, del: 10 }), { get: 1, set: 12, del: 10 });
});

test('across runs: of one that started since, all it counted is an increase', () => {
  const answer = start();
  answer('a', { get: 5 });
  answer('a', { get: 6, set: 1 });
  assert.deepEqual(answer('b', { get: 2, set: 3 }, 1), { get: 8, set: 4 });
  assert.deepEqual(answer('b', { get: 3, set: 3 }, 6), { get: 9, set: 4 });
});

test('across runs: what another process tells later than the rest is no increase either', () => {
  const answer = start();
  answer('a', { get: 5, set: 7 });
  assert.deepEqual(answer('b', { get: 100 }), { get: 5 });
  assert.deepEqual(answer('b', { get: 101, set: 900 }), { get: 6, set: 7 });
  assert.deepEqual(answer('b', { get: 101, set: 903 }), { get: 6, set: 10 });
  // And one that was away while the process changed twice.
  assert.deepEqual(answer('c', { get: 1 }, 2), { get: 7 });
  assert.deepEqual(answer('c', { get: 1, set: 4 }, 7), { get: 7, set: 14 });
});

test('across runs: a family that was away while the process changed is no increase', () => {
  const acrossRuns = createAcrossRuns(() => true);
  const ask = (run: string, atSeconds: number, families: readonly Family[]) =>
    acrossRuns
      .published(families, { run, uptimeSeconds: 90_000, atSeconds })
      .map(({ samples }) => samples[0]?.value);
  ask('a', 0, [familyOf({ get: 5 })]);
  ask('b', 5, []);
  assert.deepEqual(ask('b', 10, [familyOf({ get: 500 })]), [5]);
  assert.deepEqual(ask('b', 15, [familyOf({ get: 502 })]), [7]);
});
