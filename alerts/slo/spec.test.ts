import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { seconds } from '../replays/timeline.ts';
import { sloDocument } from './document.ts';
import { sloGroups } from './rules.ts';
import { readSloSpec, windows } from './spec.ts';

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
  ['short: 5m, long: 1h', 'short: 1h, long: 1h', /short below long; got "1h" and "1h"/],
  ['good_share: 0.9', 'good_share: 90', /good_share must be a number above 0 and below 1, got 90/],
  ['good_share: 0.9', 'good_share: 1', /good_share must be a number above 0 and below 1, got 1$/],
  ['at_most_ratio: 0.1', 'at_most_ratio: 1', /at_most_ratio must be .* and below 1, got 1$/],
  ['within_seconds: 0.05', 'within_seconds: 10', /within_seconds must be .* below 10, got 10$/],
  ['within_seconds: 30', 'within_seconds: 86400', /within_seconds must be .* below 86400, got/],
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

const shapeless: readonly [text: string, message: RegExp][] = [
  ['', /^slo\.yml: expected key: value lines, got null$/],
  ['[]', /^slo\.yml: expected key: value lines, got \[\]$/],
  ['period_days: 28', /^slos: expected key: value lines, got nothing$/],
  ['slos: 5', /^slos: expected key: value lines, got 5$/],
  ['slos: {host: 99.5}', /^slos\.host: expected key: value lines, got 99\.5$/],
  ['slos: {host: {}}', /^slos\.host: alerts must list page, ticket or nothing, got nothing$/],
  [
    'slos: {host: {alerts: [], good_share: 1}}',
    /objective must be a number above 0 and below 100, got nothing$/,
  ],
  ['slos: {}', /^burn_rates: expected a list, got nothing$/],
  ['slos: {}\nburn_rates: {}', /^burn_rates: expected a list, got \{\}$/],
  ['slos: {}\nburn_rates: [5]', /^burn_rates\[0\]: expected key: value lines, got 5$/],
  ['slos: {}\nburn_rates: []', /^slo\.yml: period_days must be a number above 3, got nothing$/],
  ['windows: {}', /^slo\.yml: unknown key "windows"; there are period_days, slos, burn_rates$/],
];

test('a file that is none says what was expected where', () => {
  for (const [text, message] of shapeless) {
    assert.throws(() => readSloSpec(text), { message }, text);
  }
});

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

test('the document says each objective in the same words as it is counted in', () => {
  const text = sloDocument(readSloSpec(changed('objective: 99.5', 'objective: 99.9')));
  const rows = [...text.matchAll(/^\| (`\w+` \| .*) \|$/gm)].map(([, cells = '']) => cells);
  assert.deepEqual(rows.slice(0, 5), [
    '`host` | every 15 s of wall-clock time | the exporter answered and 90 % of the seconds were good | 99.9 % | 40 min | page, ticket',
    '`steal` | every second in which CPU was asked for | the host took at most 10 % of it | 99 % | 6 h 43 min | ticket',
    '`redis_availability` | every second of wall-clock time | a PING was answered within 1 s | 99.5 % | 3 h 22 min | page, ticket',
    '`redis_latency` | every answered PING | answered within 50 ms | 99 % | 6 h 43 min | page, ticket',
    '`queue_latency` | every 15 s of each queue that is not paused | the oldest pending task is at most 30 s old | 99 % | 6 h 43 min | page, ticket',
  ]);
});

test('the document says a long budget, a fine objective, and that nobody is told', () => {
  const spec = readSloSpec(
    changed('good_share: 0.9\n    alerts: [page, ticket]', 'good_share: 0.9\n    alerts: []')
      .replace('objective: 99.5', 'objective: 99.98765')
      .replace('period_days: 28', 'period_days: 30'),
  );
  const [host = ''] = /^\| `host` .*$/m.exec(sloDocument(spec)) ?? [];
  assert.deepEqual(host.split(' | ').slice(3), ['99.9877 %', '5 min', 'nobody |']);
  assert.match(sloDocument(spec), /\| objective over 30 days \|[\s\S]*`slo:bad_seconds:sum30d`/);
});

test('the document says 2 h of what is two hours, and never 1 h 60 min', () => {
  // 119.7 and 120.4 min.
  for (const objective of [99.7031, 99.7014]) {
    const text = sloDocument(readSloSpec(changed('objective: 99.5', `objective: ${objective}`)));
    assert.match(text, /^\| `host` .* \| 2 h \|/m);
  }
});

test('the document lists who hears of it, a line each, and how long a lost host is missed', () => {
  const text = sloDocument(readSloSpec(shipped));
  const heard = [...text.matchAll(/^\| (?:page|ticket) \|.*$/gm)].map(([line]) => line);
  assert.deepEqual(heard, [
    '| page | 14.4x | 5m and 1h |',
    '| page | 6x | 30m and 6h |',
    '| ticket | 3x | 2h and 1d |',
    '| ticket | 1x | 6h and 3d |',
  ]);
  assert.match(text, /its series end 36 days after it was last seen/);
  assert.match(text, /--storage\.tsdb\.retention\.time=35d/);
});

test('a window is as long as it is called, and its range a second shorter', () => {
  const text = JSON.stringify(sloGroups(readSloSpec(shipped)));
  for (const [name, length] of Object.entries(windows)) {
    assert.equal(length, seconds(name), name);
    assert.ok(text.includes(`[${length - 1}s]`) && !text.includes(`[${length - 2}s]`), name);
  }
});
