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
  const { disks, problem, unreadable } = parseDiskstats(real);
  assert.deepEqual([problem, unreadable.size], [undefined, 0]);
  assert.deepEqual(
    disks.find(({ name }) => name === 'vda'),
    vda,
  );
  assert.equal(disks.length, 10);
});

test('diskstats: kernels before 5.5 count no flushes', () => {
  const line = real.split('\n').find((one) => one.includes('vda')) ?? '';
  const { disks } = parseDiskstats(
    `${line.trim().split(' ').filter(Boolean).slice(0, 14).join(' ')}\n`,
  );
  assert.deepEqual(disks[0], { ...vda, flush: undefined });
});

const line = '254 0 vda 1 2 3 4 5 6 7 8 9 10 11';
const other = '254 16 vdb 9 2 3 4 5 6 7 8 9 10 11\n';
const hostile: readonly [string, string][] = [
  ['a column missing', '254 0 vda 1 2 3 4 5 6 7 8 9 10\n'],
  ['a negative count', `${line.replace(' 5 ', ' -5 ')}\n`],
  ['a word', `${line.replace(' 5 ', ' x ')}\n`],
  ['a partition of Linux 2.6', '254 0 vda 35486 38030 38030 38030\n'],
];
for (const [name, text] of hostile) {
  test(`diskstats: ${name} is told by the name of its disk, and the other is read`, () => {
    const { disks, unreadable, problem } = parseDiskstats(text + other);
    assert.deepEqual(
      disks.map((disk) => disk.name),
      ['vdb'],
    );
    assert.match(unreadable.get('vda') ?? '', /unexpected line "254 0 vda/);
    assert.equal(problem, undefined);
  });
}

test('diskstats: a text cut off is told, a text of nothing to be read as well', () => {
  assert.match(parseDiskstats(`${other}${line}`).problem ?? '', /cut off/);
  assert.match(parseDiskstats('hello\n').problem ?? '', /unexpected line "hello"/);
  assert.equal(parseDiskstats('').problem, undefined);
  assert.equal(parseDiskstats(`\n${other}\nwhat\n\0\0`).problem, undefined);
});

test('diskstats: a count that cannot be is not known, the others are', () => {
  const { disks, problem } = parseDiskstats(`${line.replace(' 4 ', ' 18446744073709551615 ')}\n`);
  assert.deepEqual(disks[0]?.read, { operations: 1, milliseconds: NaN });
  assert.equal(problem, undefined);
});

test('diskstats: no text makes the parser crash or invent a number', () => {
  const any = fc.oneof(
    fc.constantFrom(...real.split('\n')),
    fc.string(),
    fc.array(fc.nat()).map((counts) => `8 0 sda ${counts.join(' ')}`),
  );
  fc.assert(
    fc.property(fc.array(any), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      for (const { read, write, flush } of parseDiskstats(text).disks) {
        const counts = [read, write, flush ?? read].flatMap((one) => Object.values(one));
        for (const value of counts) {
          assert.ok(text.match(/\d+/g)?.some((word) => Number(word) === value));
        }
      }
    }),
  );
});
