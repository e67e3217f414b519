import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStat, type Stat } from './stat.ts';

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
    online: 2,
    bootTime: 1795524582,
    procsBlocked: 0,
    problem: undefined,
  });
});

test('stat: a kernel without a steal column gives no steal, not 0', () => {
  const stat = parseStat('cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\nbtime 1\nprocs_blocked 0\n');
  assert.deepEqual(stat.total, [1, 2, 3, 4, 5, 6, 7]);
});

/** What is wrong, what is said, and how many numbers of the 20 can be read all the same. */
const hostile: readonly [string, string, RegExp, number][] = [
  ['nothing', '', /no cpu lines/, 0],
  ['no cpu lines', 'btime 1\nprocs_blocked 0\n', /no cpu lines/, 2],
  [
    'the sum alone',
    'cpu  1 2 3 4 5 6 7 8 9 10\nbtime 1\nprocs_blocked 0\n',
    /no line of a single CPU/,
    10,
  ],
  ['no sum', stalled.replace(/cpu {2}.*\n/, ''), /no line of the sum/, 26],
  ['a negative time', stalled.replace('cpu0 3611', 'cpu0 -1'), /unexpected line "cpu0 -1 0/, 25],
  ['a word', stalled.replace('cpu0 3611', 'cpu0 x'), /unexpected line "cpu0 x 0/, 25],
  ['too few columns', stalled.replace(/cpu1 .*/, 'cpu1 2374 0 10663'), /"cpu1 2374 0 10663"/, 18],
  ['uneven columns', stalled.replace(/cpu1 .*/, 'cpu1 1 2 3 4 5 6 7'), /cpu1 has 7 columns/, 25],
  ['one CPU twice', stalled.replace('cpu1', 'cpu0'), /unexpected line "cpu0 2374/, 18],
  [
    'a blocked that is no number',
    stalled.replace('blocked 0', 'blocked x'),
    /"procs_blocked x"/,
    25,
  ],
  ['a boot time that is no number', stalled.replace('btime ', 'btime x'), /"btime x1/, 25],
];

function numbersOf({ total, cpus, bootTime, procsBlocked }: Stat): number[] {
  return [total, ...cpus.values(), [bootTime ?? NaN, procsBlocked ?? NaN]]
    .flat()
    .filter((one) => !Number.isNaN(one));
}

for (const [name, text, message, count] of hostile) {
  test(`stat: ${name} is told with the line, and the rest is read`, () => {
    const stat = parseStat(text);
    assert.match(stat.problem ?? '', message);
    assert.equal(numbersOf(stat).length, count);
  });
}

test('stat: an impossible time is left out and no failure; the sum of it is that of the CPUs', () => {
  const huge = '18446744073709551615';
  const one = parseStat(stalled.replace('3611', huge));
  assert.deepEqual(one.cpus.get('0'), [NaN, 0, 9177, 94894, 0, 0, 784, 4612]);
  assert.equal(one.problem, undefined);
  const sum = parseStat(stalled.replace('5985', huge));
  assert.equal(sum.total[0], 3611 + 2374);
  assert.equal(parseStat(stalled.replace('5985', huge).replace('3611', huge)).total[0], NaN);
  assert.equal(
    parseStat(stalled.replace('procs_blocked 0', `procs_blocked ${huge}`)).problem,
    undefined,
  );
});

test('stat: of two sums the one that says something (lxcfs 406)', () => {
  const zero = 'cpu  0 0 0 0 0 0 0 0 0 0\n';
  assert.deepEqual(parseStat(zero + stalled), parseStat(stalled));
  assert.deepEqual(parseStat(stalled.replace('intr', `${zero}intr`)), parseStat(stalled));
});

test('stat: lines that nobody asked for, and NULs after the last, do no harm', () => {
  const more = stalled.replace('intr', '\nwhat \u0001\nintr');
  assert.deepEqual(parseStat(`${more}\0\0\0`), parseStat(stalled));
});

test('stat: text cut off anywhere is told, and nothing of the cut line is believed', () => {
  const needed = stalled.slice(0, stalled.indexOf('softirq'));
  const whole = new Set(numbersOf(parseStat(stalled)));
  for (let length = 0; length < needed.length; length += 1) {
    const stat = parseStat(needed.slice(0, length));
    if (!needed.slice(0, length).endsWith('\n')) assert.match(stat.problem ?? '', /stat: /);
    for (const value of numbersOf({ ...stat, total: [] })) assert.ok(whole.has(value));
  }
});

test('stat: no text makes the parser crash or invent a number', () => {
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
      for (const value of numbersOf({ ...parseStat(text), total: [] })) {
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) === value));
      }
    }),
  );
});
