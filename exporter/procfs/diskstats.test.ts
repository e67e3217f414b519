import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDiskstats } from './diskstats.ts';

const real = readFileSync(
  new URL('../fixtures/firecracker-6.18/proc/diskstats', import.meta.url),
  'utf8',
);
const vda = {
  name: 'vda',
  read: { operations: 145793, milliseconds: 161440 },
  write: { operations: 52265, milliseconds: 45970 },
  flush: { operations: 6402, milliseconds: 523 },
};

test('diskstats: a real machine', () => {
  const disks = parseDiskstats(real);
  assert.deepEqual(
    disks.find(({ name }) => name === 'vda'),
    vda,
  );
  assert.equal(disks.length, 10);
});

test('diskstats: kernels before 5.5 count no flushes', () => {
  const line = real.split('\n').find((one) => one.includes('vda')) ?? '';
  const [old] = parseDiskstats(
    `${line.trim().split(' ').filter(Boolean).slice(0, 14).join(' ')}\n`,
  );
  assert.deepEqual(old, { ...vda, flush: undefined });
});

const line = '254 0 vda 1 2 3 4 5 6 7 8 9 10 11';
const hostile: readonly [string, string, RegExp][] = [
  ['a text cut off', line, /cut off/],
  ['a column missing', '254 0 vda 1 2 3 4 5 6 7 8 9 10\n', /unexpected line "254 0 vda/],
  ['a negative count', `${line.replace(' 5 ', ' -5 ')}\n`, /unexpected line "254 0 vda/],
  [
    'a count over 2^53',
    `${line.replace(' 4 ', ' 18446744073709551615 ')}\n`,
    /"254 0 vda 1 2 3 184/,
  ],
  ['an empty line', `${line}\n\n`, /unexpected line ""/],
];
for (const [name, text, message] of hostile) {
  test(`diskstats: ${name} is an error that says so`, () => {
    assert.throws(() => parseDiskstats(text), message);
  });
}

test('diskstats: no text makes the parser crash otherwise or invent a number', () => {
  const any = fc.oneof(
    fc.constantFrom(...real.split('\n')),
    fc.string(),
    fc.array(fc.nat()).map((counts) => `8 0 sda ${counts.join(' ')}`),
  );
  fc.assert(
    fc.property(fc.array(any), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      let disks;
      try {
        disks = parseDiskstats(text);
      } catch (error) {
        assert.match(String(error), /diskstats: /);
        return;
      }
      for (const { read, write, flush } of disks) {
        for (const value of [read, write, flush ?? read].flatMap((counts) =>
          Object.values(counts),
        )) {
          assert.ok(text.match(/\d+/g)?.some((word) => Number(word) === value));
        }
      }
    }),
  );
});
