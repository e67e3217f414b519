import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePressure } from './pressure.ts';

const cpu = readFileSync(
  new URL('../fixtures/kvm-async-pf/stalled/proc/pressure/cpu', import.meta.url),
  'utf8',
);

test('pressure: a real guest, and a kernel without a full line', () => {
  assert.deepEqual(parsePressure(cpu), { some: 136.425835, full: 0, fullRatio: 0 });
  assert.deepEqual(parsePressure(cpu.replace(/full.*\n/, '')), {
    some: 136.425835,
    full: undefined,
    fullRatio: undefined,
  });
});

const hostile: readonly [string, string, RegExp][] = [
  ['nothing', '', /unexpected line ""/],
  ['a text cut off', cpu.slice(0, -3), /unexpected line "some/],
  ['no some line', cpu.replace(/some.*\n/, ''), /no "some" line/],
  ['one line twice', cpu.replace('full', 'some'), /unexpected line "some avg10=0.00/],
  ['a negative average', cpu.replace('avg10=', 'avg10=-'), /"some avg10=-/],
  ['an impossible total', cpu.replace('total=', 'total=99999999999'), /"some avg10/],
  ['something else', 'hello\n', /unexpected line "hello"/],
];
for (const [name, text, message] of hostile) {
  test(`pressure: ${name} is an error that quotes it`, () => {
    assert.throws(() => parsePressure(text), message);
  });
}

test('pressure: no text makes the parser crash otherwise or invent a number', () => {
  const line = fc.oneof(
    fc.constantFrom(...cpu.split('\n')),
    fc.string(),
    fc.nat().map((total) => `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      try {
        const { some } = parsePressure(text);
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) / 1e6 === some));
      } catch (error) {
        assert.match(String(error), /pressure: /);
      }
    }),
  );
});
