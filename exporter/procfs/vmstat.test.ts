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
  assert.deepEqual(
    parseVmstat(real, ['pgmajfault', 'oom_kill', 'no_such_counter']),
    new Map([
      ['pgmajfault', 4400],
      ['oom_kill', 0],
    ]),
  );
});

test('vmstat: a counter below zero that nobody asked for does no harm', () => {
  const text = 'nr_unstable 18446744073709551615\npgmajfault 3\n';
  assert.deepEqual(parseVmstat(text, ['pgmajfault']), new Map([['pgmajfault', 3]]));
  assert.throws(() => parseVmstat(text, ['nr_unstable']), /"nr_unstable 18446744073709551615"/);
});

const hostile: readonly [string, string, RegExp][] = [
  ['a text cut off', 'pgmajfault 3', /cut off/],
  ['a negative count', 'pgmajfault -3\n', /unexpected line "pgmajfault -3"/],
  ['no count', 'pgmajfault\n', /unexpected line "pgmajfault"/],
  ['an empty line', 'pgmajfault 3\n\n', /unexpected line ""/],
  ['one row twice', 'pgmajfault 3\npgmajfault 4\n', /unexpected line "pgmajfault 4"/],
];
for (const [name, text, message] of hostile) {
  test(`vmstat: ${name} is an error that says so`, () => {
    assert.throws(() => parseVmstat(text, ['pgmajfault']), message);
  });
}

test('vmstat: no text makes the parser crash otherwise or invent a number', () => {
  const line = fc.oneof(fc.constantFrom(...real.split('\n')), fc.string());
  fc.assert(
    fc.property(fc.array(line), fc.constantFrom('pgmajfault', 'pgfault'), (lines, name) => {
      const text = lines.map((one) => `${one}\n`).join('');
      try {
        const count = parseVmstat(text, [name]).get(name);
        if (count !== undefined) assert.ok(text.includes(`${name} ${count}\n`));
      } catch (error) {
        assert.match(String(error), /vmstat: /);
      }
    }),
  );
});
