import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMeminfo } from './meminfo.ts';

const real = readFileSync(
  new URL('../fixtures/firecracker-6.18/proc/meminfo', import.meta.url),
  'utf8',
);

test('meminfo: a real machine, in bytes, without counts of pages', () => {
  const bytes = parseMeminfo(real, ['MemTotal', 'Active(anon)', 'HugePages_Total', 'None']);
  assert.equal(bytes.get('MemTotal'), 24_682_416 * 1024);
  assert.equal(bytes.get('Active(anon)'), Number(/Active\(anon\): +(\d+)/.exec(real)?.[1]) * 1024);
  assert.equal(bytes.size, 2);
});

const hostile: readonly [string, string, RegExp][] = [
  ['nothing', '', /no MemTotal line/],
  ['a text cut off', real.slice(0, 100), /cut off/],
  ['no MemTotal', real.replace(/MemTotal.*\n/, ''), /no MemTotal line/],
  ['a negative size', real.replace(/MemFree: +/, 'MemFree: -'), /unexpected line "MemFree: -/],
  ['an impossible size', 'MemTotal: 18446744073709551615 kB\n', /"MemTotal: 18446744/],
  ['another unit', 'MemTotal: 5 MB\n', /unexpected line "MemTotal: 5 MB"/],
  ['one row twice', `${real}MemTotal: 5 kB\n`, /unexpected line "MemTotal: 5 kB"/],
];
for (const [name, text, message] of hostile) {
  test(`meminfo: ${name} is an error that says so`, () => {
    assert.throws(() => parseMeminfo(text, ['MemFree', 'MemTotal']), message);
  });
}

test('meminfo: no text makes the parser crash otherwise or invent a number', () => {
  const line = fc.oneof(
    fc.constantFrom(...real.split('\n')),
    fc.string(),
    fc.tuple(fc.constantFrom('MemTotal', 'MemFree'), fc.nat()).map(([n, kb]) => `${n}: ${kb} kB`),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => `${one}\n`).join('');
      let values;
      try {
        values = [...parseMeminfo(text, ['MemTotal', 'MemFree', 'Slab']).values()];
      } catch (error) {
        assert.match(String(error), /meminfo: /);
        return;
      }
      for (const value of values) {
        assert.ok(text.match(/\d+/g)?.some((word) => Number(word) * 1024 === value));
      }
    }),
  );
});
