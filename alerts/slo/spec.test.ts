import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sloDocument } from './document.ts';
import { sloGroups } from './rules.ts';
import { readSloSpec } from './spec.ts';

const shipped = readFileSync(join(import.meta.dirname, '..', 'slo.yml'), 'utf8');

function changed(from: string, to: string): string {
  assert.ok(shipped.includes(from), `slo.yml has no ${from}`);
  return shipped.replace(from, to);
}

test('the shipped spec is read', () => {
  const { periodDays, slos, burnRates } = readSloSpec(shipped);
  assert.equal(periodDays, 28);
  assert.deepEqual(
    slos.map(({ name, objective }) => [name, objective]),
    [
      ['host', 0.995],
      ['steal', 0.99],
      ['redis_availability', 0.995],
      ['redis_latency', 0.99],
      ['queue_latency', 0.99],
    ],
  );
  assert.equal(burnRates.length, 4);
});

test('a burn rate that can never be reached is refused with an explanation', () => {
  assert.throws(
    () => readSloSpec(changed('objective: 99.5', 'objective: 93')),
    /slos\.host: the page at 14\.4x \(5m and 1h\) can never fire\. With an objective of 93\.00 % the budget burns at most 14\.3x, even when everything fails\. Raise the objective above 93\.06 %/,
  );
  readSloSpec(changed('objective: 99.5', 'objective: 93.1'));
});

test('a burn rate that nobody would hear is not refused', () => {
  const spec = changed('objective: 99\n    at_most_ratio', 'objective: 90\n    at_most_ratio');
  readSloSpec(spec);
});

test('a threshold that no bucket counts is refused with those that there are', () => {
  assert.throws(
    () => readSloSpec(changed('within_seconds: 0.05', 'within_seconds: 0.07')),
    /slos\.redis_latency: within_seconds 0\.07 is no bucket of the histogram, so nothing counts it; take one of 0\.001, /,
  );
});

const wrong: readonly [from: string, to: string, message: RegExp][] = [
  ['period_days: 28', 'period_days: many', /period_days must be a number above 3, got "many"/],
  [
    'period_days: 28',
    'period_days: 120',
    /period_days must be a whole number below the 35 days that Prometheus keeps, got 120\. For a longer one raise/,
  ],
  ['period_days: 28', 'period_days: 35', /whole number below the 35 days/],
  ['period_days: 28', 'period_days: 7.5', /whole number below the 35 days/],
  ['within_seconds: 0.05', 'within_seconds: 0.0005', /0\.0005 is no bucket of the histogram/],
  ['  host:', '  hosts:', /slos: unknown key "hosts"; there are host, steal/],
  [
    'objective: 99.5',
    'objective: 100',
    /slos\.host: objective must be a number above 0 and below 100, got 100/,
  ],
  [
    'good_share',
    'good_part',
    /slos\.host: unknown key "good_part"; there are objective, alerts, good_share/,
  ],
  [
    'alerts: [page, ticket]',
    'alerts: [phone]',
    /slos\.host: alerts must list page, ticket or nothing, got \["phone"\]/,
  ],
  [
    'short: 5m, long: 1h',
    'short: 1h, long: 5m',
    /burn_rates\[0\]: short and long must be two of 5m, 30m/,
  ],
  [
    'severity: page, factor',
    'severity: call, factor',
    /burn_rates\[0\]: severity must be page or ticket, got "call"/,
  ],
];

for (const [from, to, message] of wrong) {
  test(`slo.yml with ${to} says what is wrong`, () => {
    assert.throws(() => readSloSpec(changed(from, to)), message);
  });
}

test('an SLO taken out of the file leaves no rule behind', () => {
  const start = shipped.indexOf('  # Slices of 15 s per Asynq queue');
  const end = shipped.indexOf('# How fast the budget may burn');
  const text = JSON.stringify(sloGroups(readSloSpec(shipped.slice(0, start) + shipped.slice(end))));
  assert.doesNotMatch(text, /asynq_|queue_latency/);
  assert.match(text, /redis_latency/);
});

test('what the spec says is in the rules', () => {
  const text = JSON.stringify(
    sloGroups(readSloSpec(changed('objective: 99.5', 'objective: 99.9'))),
  );
  assert.match(text, /vector\(0\.999\)/);
  assert.match(text, /vector\(0\.001\)/);
});

test('the document says how long each objective may be missed', () => {
  const text = sloDocument(readSloSpec(changed('objective: 99.5', 'objective: 99.9')));
  const may = (name: string) =>
    new RegExp(`^\\| \`${name}\`.*$`, 'm').exec(text)?.[0].split(' | ').slice(3);
  assert.deepEqual(may('host'), ['99.9 %', '0 h 40 min', 'page, ticket |']);
  assert.deepEqual(may('redis_availability'), ['99.5 %', '3 h 22 min', 'page, ticket |']);
  assert.deepEqual(may('steal'), ['99 %', '6 h 43 min', 'ticket |']);
  assert.match(text, /answered within 50 ms/);
  assert.match(text, /at most 10 % of it/);
  assert.match(text, /at most 30 s old/);
  assert.match(text, /90 % of the seconds were good/);
});
