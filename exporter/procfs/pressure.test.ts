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
  assert.deepEqual(parsePressure(cpu), {
    some: 136.425835,
    full: 0,
    fullRatio: 0,
    problem: undefined,
  });
  assert.deepEqual(parsePressure(cpu.replace(/full.*\n/, '')), {
    some: 136.425835,
    full: undefined,
    fullRatio: undefined,
    problem: undefined,
  });
});

const hostile: readonly [string, string, RegExp, number | undefined][] = [
  ['nothing', '', /no "some" line/, undefined],
  ['a text cut off', cpu.slice(0, -3), /unexpected line "full/, 136.425835],
  ['a text cut off in its first line', cpu.slice(0, 30), /unexpected line "some/, undefined],
  ['no some line', cpu.replace(/some.*\n/, ''), /no "some" line/, undefined],
  ['one line twice', cpu.replace('full', 'some'), /unexpected line "some avg10=0.00/, 136.425835],
  ['a total that is no number', cpu.replace('total=', 'total=x'), /"some avg10/, undefined],
  ['something else', 'hello\n', /no "some" line/, undefined],
];
for (const [name, text, message, some] of hostile) {
  test(`pressure: ${name} is told, and what can be read is read`, () => {
    const pressure = parsePressure(text);
    assert.match(pressure.problem ?? '', message);
    assert.equal(pressure.some, some);
  });
}

test('pressure: fields and lines of later kernels, empty ones and NULs do no harm', () => {
  const later = cpu
    .replaceAll('total=', 'avg900=0.00 total=')
    .replaceAll(/(total=\d+)/g, '$1 new=1');
  assert.deepEqual(parsePressure(`${later}\nirq avg10=0.00\n\0\0`), parsePressure(cpu));
});

test('pressure: a total that cannot be is left out and no failure', () => {
  const { some, full, problem } = parsePressure(cpu.replace('total=', 'total=99999999999'));
  assert.deepEqual([some, full, problem], [undefined, 0, undefined]);
});

test('pressure: no text makes the parser crash or invent a number', () => {
  const line = fc.oneof(
    fc.constantFrom(...cpu.split('\n')),
    fc.string(),
    fc.nat().map((total) => `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      const { some } = parsePressure(text);
      assert.ok(
        some === undefined || text.match(/\d+/g)?.some((word) => Number(word) / 1e6 === some),
      );
    }),
  );
});
