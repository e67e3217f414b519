import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStat } from './stat.ts';

const stalled = readFileSync(
  new URL('../fixtures/kvm-async-pf/stalled/proc/stat', import.meta.url),
  'utf8',
);

test('stat: a real guest on Linux 6.12', () => {
  assert.deepEqual(parseStat(stalled), {
    total: [5985, 0, 19840, 191437, 0, 0, 1884, 11874],
    cpus: new Map([
      ['0', [3611, 0, 9177, 94894, 0, 0, 784, 4612]],
      ['1', [2374, 0, 10663, 96542, 0, 0, 1100, 7262]],
    ]),
    bootTime: 1795524582,
    procsBlocked: 0,
  });
});

test('stat: a kernel without a steal column gives no steal, not 0', () => {
  const stat = parseStat('cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\nbtime 1\nprocs_blocked 0\n');
  assert.deepEqual(stat.total, [1, 2, 3, 4, 5, 6, 7]);
});

const hostile: readonly [string, string, RegExp][] = [
  ['nothing', '', /unexpected line ""/],
  ['no cpu lines', 'btime 1\nprocs_blocked 0\n', /no cpu lines/],
  ['the sum alone', 'cpu  1 2 3 4 5 6 7 8 9 10\nbtime 1\nprocs_blocked 0\n', /no cpu lines/],
  ['a negative time', stalled.replace('cpu0 3611', 'cpu0 -1'), /unexpected line "cpu0 -1 0/],
  ['a time over 2^53', stalled.replace('3611', '18446744073709551615'), /"cpu0 184467440737095/],
  ['too few columns', stalled.replace(/cpu1 .*/, 'cpu1 2374 0 10663'), /"cpu1 2374 0 10663"/],
  ['uneven columns', stalled.replace(/cpu1 .*/, 'cpu1 1 2 3 4 5 6 7'), /cpu1 has 7 columns/],
  ['one CPU twice', stalled.replace('cpu1', 'cpu0'), /unexpected line "cpu0 2374/],
  ['no btime', stalled.replace(/btime.*\n/, ''), /no btime line/],
  ['no procs_blocked', stalled.replace(/procs_blocked.*\n/, ''), /no procs_blocked line/],
  ['a blocked that is no number', stalled.replace('blocked 0', 'blocked x'), /"procs_blocked x"/],
];

for (const [name, text, message] of hostile) {
  test(`stat: ${name} is an error that quotes it`, () => {
    assert.throws(() => parseStat(text), message);
  });
}

test('stat: text cut off anywhere is an error', () => {
  const needed = stalled.slice(0, stalled.indexOf('softirq'));
  for (let length = 0; length < needed.length; length += 1) {
    assert.throws(() => parseStat(needed.slice(0, length)), /stat: /);
  }
});

test('stat: no text makes the parser crash otherwise or invent a number', () => {
  const line = fc.oneof(
    fc.constantFrom(...stalled.split('\n').filter((text) => !text.startsWith('intr'))),
    fc.string(),
    fc
      .tuple(fc.constantFrom('cpu ', 'cpu0', 'cpu1', 'btime', 'procs_blocked'), fc.array(fc.nat()))
      .map(([word, counts]) => [word, ...counts].join(' ')),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      let stat;
      try {
        stat = parseStat(text);
      } catch (error) {
        assert.match(String(error), /stat: /);
        return;
      }
      const all = [
        stat.bootTime,
        stat.procsBlocked,
        ...stat.total,
        ...[...stat.cpus.values()].flat(),
      ];
      for (const value of all)
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) === value));
    }),
  );
});
