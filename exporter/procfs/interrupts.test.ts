import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseInterruptRow } from './interrupts.ts';

const recording = (name: string) =>
  readFileSync(
    new URL(`../fixtures/kvm-async-pf/${name}/proc/interrupts`, import.meta.url),
    'utf8',
  );
const healed = recording('healed');

test('interrupts: the HYP row of a real guest, and of one that has none', () => {
  assert.deepEqual(
    parseInterruptRow(healed, 'HYP'),
    new Map([
      ['0', 1163],
      ['1', 5068],
    ]),
  );
  assert.equal(parseInterruptRow(recording('named-cpu-model'), 'HYP'), undefined);
});

test('interrupts: the columns are the online CPUs, whatever their numbers', () => {
  const text = '       CPU0       CPU2       CPU63       \n HYP:  1  2  4294967295   Hypervisor\n';
  assert.deepEqual(
    parseInterruptRow(text, 'HYP'),
    new Map([
      ['0', 1],
      ['2', 2],
      ['63', 4_294_967_295],
    ]),
  );
});

test('interrupts: a device whose name ends like the label is not the row', () => {
  const text = '  CPU0 \n 4: 7 IO-APIC 2-edge HYP: 5\nHYP: 9 Hypervisor callback interrupts\n';
  assert.deepEqual(parseInterruptRow(text, 'HYP'), new Map([['0', 9]]));
  assert.equal(parseInterruptRow(text.replace('\nHYP', '\nERR'), 'HYP'), undefined);
});

const hostile: readonly [string, string, RegExp][] = [
  ['nothing', '', /unexpected line ""/],
  ['no head', 'HYP: 1 2\n', /unexpected line "HYP: 1 2"/],
  ['a head that names something else', 'CPU0 node\nHYP: 1 2\n', /unexpected line "CPU0 node"/],
  ['a row with too few counts', 'CPU0 CPU1\nHYP: 1 Hypervisor callback\n', /"HYP: 1 Hypervisor/],
  ['a row without counts', 'CPU0 CPU1\nHYP:\n', /unexpected line "HYP:"/],
  ['a count that is too long', 'CPU0\nHYP: 18446744073709551615 x\n', /"HYP: 18446744073/],
  ['one CPU twice', 'CPU0 CPU0\nHYP: 1 2\n', /unexpected line "HYP: 1 2"/],
  ['a last line cut off', healed.slice(0, healed.indexOf('HYP:') + 12), /"HYP: {7}1"/],
];
for (const [name, text, message] of hostile) {
  test(`interrupts: ${name} is an error that quotes it`, () => {
    assert.throws(() => parseInterruptRow(text, 'HYP'), message);
  });
}

test('interrupts: no text makes the parser crash otherwise or invent a count', () => {
  const line = fc.oneof(
    fc.constantFrom(...healed.split('\n')),
    fc.string(),
    fc.array(fc.nat()).map((counts) => `HYP: ${counts.join(' ')} Hypervisor`),
    fc.array(fc.nat(99)).map((cpus) => cpus.map((cpu) => `CPU${cpu}`).join('  ')),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      let counts;
      try {
        counts = parseInterruptRow(text, 'HYP');
      } catch (error) {
        assert.match(String(error), /interrupts: unexpected line/);
        return;
      }
      for (const count of counts?.values() ?? []) {
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) === count));
      }
    }),
  );
});
