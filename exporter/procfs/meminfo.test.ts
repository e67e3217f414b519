import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMeminfo } from './meminfo.ts';

const real = readFileSync(
  new URL('../fixtures/firecracker-6.18/proc/meminfo', import.meta.url),
  'utf8',
);

test('meminfo: a real machine, in bytes', () => {
  const { values, impossible, problem } = parseMeminfo(real, ['MemTotal', 'Active(anon)', 'None']);
  assert.equal(values.get('MemTotal'), 24_682_416 * 1024);
  assert.equal(values.get('Active(anon)'), Number(/Active\(anon\): +(\d+)/.exec(real)?.[1]) * 1024);
  assert.deepEqual([values.size, impossible.size, problem], [2, 0, undefined]);
});

const wanted = ['MemTotal', 'MemFree', 'SwapFree'];
const sizes = new Map([
  ['MemTotal', 1000 * 1024],
  ['MemFree', 100 * 1024],
  ['SwapFree', 10 * 1024],
]);
const three = 'MemTotal: 1000 kB\nMemFree: 100 kB\nSwapFree: 10 kB\n';

/** What container runtimes and kernels have put among the rows, or after them. */
const unasked: readonly [string, string][] = [
  ['a name that leaves no blank (arm64)', 'ShadowCallStack:10373888 kB\n'],
  ['an empty line', '\n'],
  ['an empty line of blanks', '   \n'],
  [
    'the table of Linux 2.4 (DD-WRT)',
    '        total:    used:\nMem:  260579328 136073216 124506112\n',
  ],
  ['a count', 'HugePages_Total:       0\n'],
  ['a number below zero', 'Committed_AS: 18446744073709551488 kB\n'],
  ['nonsense', 'Slab: what kB\nno colon\n\u0001\n'],
  ['NULs (lxcfs)', '\0\0\0'],
  ['a NUL and a line end', '\0\n'],
];
for (const [name, text] of unasked) {
  test(`meminfo: ${name} that nobody asked for does no harm`, () => {
    const bare = [...parseMeminfo(three, wanted).values];
    for (const whole of [three + text, text + three]) {
      // NULs in front of a line that belongs to it are another matter.
      if (text.startsWith('\0') && whole.startsWith('\0')) continue;
      const { values, problem } = parseMeminfo(whole, wanted);
      assert.deepEqual([[...values], problem], [bare, undefined]);
    }
  });
}

const hostile: readonly [string, string, RegExp][] = [
  ['nothing', '', /no MemTotal line/],
  ['a text cut off', three.slice(0, -4), /cut off/],
  ['a text cut off and filled up', `${three.slice(0, -4)}\0\0\0\0`, /unexpected|cut off/],
  ['no MemTotal', three.replace(/MemTotal.*\n/, ''), /no MemTotal line/],
  [
    'a negative size',
    three.replace('MemFree: ', 'MemFree: -'),
    /unexpected line "MemFree: -100 kB"/,
  ],
  ['another unit', three.replace('100 kB', '5 MB'), /unexpected line "MemFree: 5 MB"/],
  ['no unit', three.replace('100 kB', '5'), /unexpected line "MemFree: 5"/],
  [
    'a size with a NUL in it',
    three.replace(' 100 ', ' 1\u000000 '),
    /unexpected line "MemFree: 1\?00 kB"/,
  ],
  ['one row twice', `${three}MemFree: 5 kB\n`, /unexpected line "MemFree: 5 kB"/],
];
for (const [name, text, message] of hostile) {
  test(`meminfo: ${name} is told, and the other rows are read`, () => {
    const { values, problem } = parseMeminfo(text, wanted);
    assert.match(problem ?? '', message);
    for (const [row, value] of values) {
      assert.equal(value, sizes.get(row));
    }
    assert.equal(values.size, text === '' ? 0 : 2);
  });
}

test('meminfo: a size that cannot be is left out and no failure', () => {
  for (const size of ['18446744073709551488', '18014396678257232', '9007199254740992']) {
    const text = three.replace('SwapFree: 10', `SwapFree:${size}`);
    const { values, impossible, problem } = parseMeminfo(text, wanted);
    assert.deepEqual([...values.keys()], ['MemTotal', 'MemFree']);
    assert.deepEqual([...impossible], [['SwapFree', `SwapFree:${size} kB`]]);
    assert.equal(problem, undefined);
  }
});

test('meminfo: no text makes the parser crash or invent a number', () => {
  const line = fc.oneof(
    fc.constantFrom(...real.split('\n')),
    fc.string(),
    fc.tuple(fc.constantFrom('MemTotal', 'MemFree'), fc.nat()).map(([n, kb]) => `${n}: ${kb} kB`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      for (const value of parseMeminfo(text, ['MemTotal', 'MemFree', 'Slab']).values.values()) {
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) * 1024 === value));
      }
    }),
  );
});
