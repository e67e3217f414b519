import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseVmstat } from './vmstat.ts';

const real = readFileSync(
  new URL('../fixtures/firecracker-6.18/proc/vmstat', import.meta.url),
  'utf8',
);

test('vmstat: what was asked for, of a real machine; what it has not got is not there', () => {
  const { values, impossible, problem } = parseVmstat(real, [
    'pgmajfault',
    'oom_kill',
    'no_such_counter',
  ]);
  assert.deepEqual(
    [...values],
    [
      ['pgmajfault', 4400],
      ['oom_kill', 0],
    ],
  );
  assert.deepEqual([impossible.size, problem], [0, undefined]);
});

test('vmstat: a counter below zero that nobody asked for does no harm, one asked for is left out', () => {
  const text = 'nr_unstable 18446744073709551615\npgmajfault 3\n\nwhat\n';
  assert.deepEqual([...parseVmstat(text, ['pgmajfault']).values], [['pgmajfault', 3]]);
  const { values, impossible, problem } = parseVmstat(text, ['nr_unstable', 'pgmajfault']);
  assert.deepEqual([...values], [['pgmajfault', 3]]);
  assert.deepEqual([...impossible], [['nr_unstable', 'nr_unstable 18446744073709551615']]);
  assert.equal(problem, undefined);
});

const hostile: readonly [string, string, RegExp][] = [
  ['a text cut off', 'pswpin 1\npgmajfault 3', /cut off/],
  ['a negative count', 'pswpin 1\npgmajfault -3\n', /unexpected line "pgmajfault -3"/],
  ['no count', 'pgmajfault \npswpin 1\n', /unexpected line "pgmajfault "/],
  ['one row twice', 'pgmajfault 3\npswpin 1\npgmajfault 4\n', /unexpected line "pgmajfault 4"/],
];
for (const [name, text, message] of hostile) {
  test(`vmstat: ${name} is told, and the other counter is read`, () => {
    const { values, problem } = parseVmstat(text, ['pgmajfault', 'pswpin']);
    assert.match(problem ?? '', message);
    assert.deepEqual([...values], [['pswpin', 1]]);
  });
}

test('vmstat: no text makes the parser crash or invent a number', () => {
  const line = fc.oneof(fc.constantFrom(...real.split('\n')), fc.string());
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('pgmajfault', 'pgfault'), (lines, name) => {
      const text = lines.map((one) => `${one}\n`).join('');
      const count = parseVmstat(text, [name]).values.get(name);
      if (count !== undefined) assert.match(text, new RegExp(`^${name} +0*${count} *$`, 'm'));
    }),
  );
});
