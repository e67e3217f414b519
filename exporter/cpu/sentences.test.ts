/** From where on something is said of steal and of standing still, and how badly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../measure/limits.ts';
import { procfsChecks, stallFinding, stealFinding, worstStall } from './sentences.ts';

const minute = { total: 100, ratioSum: 0, ratios: 0 };

const stealOf = (steal: number, stolenSeconds = 0, told = true, demand = 100) =>
  stealFinding({ ...minute, steal, demand, stolenSeconds }, 0.1, told).map(
    ({ severity, text }) => `${severity}: ${text}`,
  );

test('steal: noticed from 2 %, bad above the threshold, and good only where the host tells', () => {
  const good = 'good: Your host gave you the CPU you asked for (last minute).';
  assert.deepEqual(stealOf(1.9), [good]);
  assert.deepEqual(stealOf(1.9, 0, false), []);
  assert.deepEqual(stealOf(0, 0, true, 0), []);
  assert.match(stealOf(2).join(), /^warning: Your host is taking 2 %/);
  assert.match(stealOf(10).join(), /^warning: Your host is taking 10 %/);
  assert.match(stealOf(11, 60).join(), /^bad: Your host is taking 11 %/);
  assert.match(stealOf(1, 1).join(), /^warning: In 1 of the last 60 seconds .* than 10 %/);
  assert.match(stealOf(1, 5).join(), /^warning: In 5 of/);
  assert.match(stealOf(10, 6).join(), /^bad: In 6 of/);
});

/** How badly, and whether it is of now. */
const stallOf = (seconds: number, ago: number, recently?: number) =>
  stallFinding(seconds, ago, recently).map(({ severity, past, ended }) =>
    [severity, past === true ? 'past' : '', ended === true ? 'ended' : ''].join(' ').trim(),
  );

test('standing still: of now for five minutes, told for fifteen, bad where it hurts', () => {
  const { warn } = limits.stalledSecondsIn2m;
  assert.deepEqual(stallOf(warn - 0.1, 0), ['warning  ended']);
  assert.deepEqual(stallOf(warn, 300), ['bad  ended']);
  assert.deepEqual(stallOf(1, 10, warn), ['bad  ended'], 'several short ones');
  assert.deepEqual(stallOf(warn, 301), ['warning past']);
  assert.deepEqual(stallOf(warn, 900), ['warning past']);
  assert.deepEqual(stallOf(warn, 901), []);
  assert.match(stallFinding(90, 120)[0]?.text ?? '', /still for 90 s, 2 min ago/);
});

test('standing still: the longest of five minutes is told, and no longer than that', () => {
  const long = { endedAt: 100, seconds: 60 };
  const next = (endedAt: number, seconds = 5) => worstStall(long, { endedAt, seconds });
  assert.equal(next(400), long);
  assert.deepEqual(next(401), { endedAt: 401, seconds: 5 });
  assert.deepEqual(next(200, 60), { endedAt: 200, seconds: 60 }, 'as long, and later');
});

test('--procfs: what is wrong with it has been so since then', () => {
  assert.deepEqual(procfsChecks(undefined, 50), []);
  assert.deepEqual(procfsChecks({ reason: 'no proc file system', since: 20 }, 50), [
    {
      name: 'procfs',
      critical: true,
      ok: false,
      state: 'wrong',
      reason: '--procfs: no proc file system',
      sinceSeconds: 30,
      ageSeconds: 0,
    },
  ]);
});
