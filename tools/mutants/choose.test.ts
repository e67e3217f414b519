import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { type Area, areas, areasNamed, filesOf, leftOut } from './areas.ts';
import { choose } from './choose.ts';
import { filesOfTree } from './copy.ts';
import { coverageFrom, ran } from './coverage.ts';
import { closureOf } from './imports.ts';
import { lineOf } from './mutation.ts';
import { readOptions } from './options.ts';
import { createRandom } from './random.ts';
import { createTable } from './report.ts';
import { isTypescript, typescriptMutations } from './typescript.ts';

const root = join(import.meta.dirname, '../..');
const areaOf = (name: string): Area => ({
  name,
  files: new RegExp(`^${name}/[^/]+\\.ts$`),
  mutations: typescriptMutations,
  isValid: isTypescript,
  generators: [],
});

const texts: Readonly<Record<string, string>> = {
  'a/one.ts': 'f(1, 2, 3, a < b);\nf(true);\n',
  'a/two.ts': "f('x');\n",
  'a/two.test.ts': 'f(1);\n',
  'b/one.ts': 'f(4);\n',
};
const read = (file: string) => texts[file] ?? '';

function chosen(seed: number) {
  return [...choose([areaOf('a'), areaOf('b')], Object.keys(texts), read, createRandom(seed))];
}

test('choosing: one for each line, areas in turn, no test files', () => {
  const places = chosen(1).map(
    ({ area, file, start }) => `${area} ${file}:${lineOf(read(file), start)}`,
  );
  assert.deepEqual([...places].sort(), [
    'a a/one.ts:1',
    'a a/one.ts:2',
    'a a/two.ts:1',
    'b b/one.ts:1',
  ]);
  assert.deepEqual(
    places.map((place) => place[0]),
    ['a', 'b', 'a', 'a'],
  );
});

test('areas: a file of rules is held to the promtool tests of its own name', () => {
  const area = areas.find(({ name }) => name === 'alerts/rules');
  assert.ok(area !== undefined);
  for (const file of filesOf(area, filesOfTree(root))) {
    const names = area.namesOf?.('alerts/tests/installed.test.ts', file) ?? 'none';
    const title = `rules of ${basename(file)} fire and are quiet as their tests say (installed)`;
    assert.match(title, new RegExp(names));
    assert.doesNotMatch(title, new RegExp(leftOut.names));
    assert.ok(existsSync(join(root, 'alerts/tests', basename(file))), file);
    assert.equal(area.namesOf?.('alerts/rules.test.ts', file), undefined);
  }
});

test('choosing: the same seed gives the same mistakes, another one others', () => {
  assert.deepEqual(chosen(7), chosen(7));
  const seeds = Array.from({ length: 20 }, (_, seed) => JSON.stringify(chosen(seed)));
  assert.ok(new Set(seeds).size > 5);
  const operators = Array.from({ length: 60 }, (_, seed) => chosen(seed)).flatMap((all) =>
    all.filter(({ file, start }) => file === 'a/one.ts' && start < 19).map((one) => one.operator),
  );
  const comparisons = operators.filter((operator) => operator === 'comparison').length;
  assert.ok(comparisons > 5, `each kind has its chance, not each place: ${comparisons} of 60`);
});

test('choosing: every area has files, and each of them something to get wrong', () => {
  const files = filesOfTree(root);
  for (const area of areas) {
    const its = filesOf(area, files);
    assert.ok(its.length > 0, area.name);
    for (const file of its) assert.doesNotMatch(file, /\.test\.ts$/);
    const all = its.flatMap((file) => area.mutations(readFileSync(join(root, file), 'utf8')));
    assert.ok(all.length > 5, area.name);
    const tests = files.filter((file) => file.endsWith('.test.ts') && !leftOut.files.test(file));
    if (area.tests !== undefined)
      assert.ok(
        tests.some((file) => area.tests?.test(file)),
        area.name,
      );
    for (const generator of area.generators) assert.ok(files.includes(generator), generator);
  }
  const claimed = areas.flatMap((area) => filesOf(area, files));
  assert.equal(new Set(claimed).size, claimed.length, 'no file in two areas');
  const shipped = files.filter((file) => /^exporter\/.*(?<!\.test)\.ts$/.test(file));
  const inNone = shipped.filter((file) => !claimed.includes(file));
  assert.deepEqual(inNone, [], 'nothing of the exporter is in none');
});

test('choosing: what could not be parsed is not chosen', () => {
  const area = { ...areaOf('a'), isValid: (text: string) => !text.includes('true') };
  const left = [...choose([area], Object.keys(texts), read, createRandom(1))];
  assert.deepEqual(left.map(({ file, start }) => `${file}:${lineOf(read(file), start)}`).sort(), [
    'a/one.ts:2',
    'a/two.ts:1',
  ]);
});

/** V8's report on a function with a block in it, by how often each ran. */
const report = (counts: readonly number[]) => ({
  result: [
    {
      url: 'file:///tree/a/one.ts',
      functions: [
        { ranges: [{ startOffset: 0, endOffset: 100, count: 1 }] },
        {
          ranges: [
            { startOffset: 10, endOffset: 50, count: counts[0] ?? 0 },
            { startOffset: 20, endOffset: 30, count: counts[1] ?? 0 },
          ],
        },
      ],
    },
    { url: 'node:fs', functions: [{ ranges: [{ startOffset: 0, endOffset: 9, count: 1 }] }] },
  ],
});

test('coverage: the narrowest range around a place decides, in any of the processes', () => {
  const once = coverageFrom([report([1, 0])], '/tree');
  assert.deepEqual(Object.keys(once), ['a/one.ts']);
  const at = (coverage: typeof once, offset: number) => ran(coverage, 'a/one.ts', offset);
  assert.deepEqual(
    [5, 15, 25, 45].map((offset) => at(once, offset)),
    [true, true, false, true],
  );
  assert.equal(ran(once, 'a/two.ts', 5), false);
  assert.equal(at(coverageFrom([report([1, 0]), report([1, 1])], '/tree'), 25), true);
});

test('imports: of imports, dynamic ones, and what is started as a process or a thread', () => {
  const files: Readonly<Record<string, string>> = {
    'a.test.ts': "import { b } from './b.ts';\nconst m = new URL('main.ts', import.meta.url);",
    'b.ts': "import type { C } from './sub/c.ts';\nawait import('./lazy.ts');",
    'sub/c.ts': "import { b } from '../b.ts';\nconst w = `c-worker${extname(file)}`;",
    'sub/c-worker.ts': "import x from 'package';",
    'lazy.ts': '',
    'main.ts': "import './only-main.ts';\nimport { y } from './only-main.ts';",
    'only-main.ts': '',
  };
  const { imported, started } = closureOf('a.test.ts', (file) => files[file]);
  assert.deepEqual(Object.fromEntries(imported), {
    'a.test.ts': 0,
    'b.ts': 1,
    'sub/c.ts': 2,
    'lazy.ts': 2,
  });
  assert.deepEqual(Object.fromEntries(started), {
    'main.ts': 1,
    'only-main.ts': 2,
    'sub/c-worker.ts': 3,
  });
});

test('options: what is wrong is said, areas stand for all of theirs', () => {
  const usual = { minutes: 15, seed: 1, jobs: 1, areas, all: false, far: false };
  assert.deepEqual(readOptions([]), usual);
  assert.equal(readOptions(['--help']), undefined);
  const named = readOptions(['--area', 'exporter/http/access', '--area=exporter'])?.areas;
  assert.deepEqual(new Set(named), new Set(areasNamed('exporter')));
  assert.throws(() => readOptions(['--area', 'exprter']), /--area: no area "exprter"; there are /);
  assert.throws(() => readOptions(['--minutes', 'x']), /--minutes: expected a number from 0\.1/);
  assert.throws(() => readOptions(['--jobs=0']), /--jobs: expected a number from 1/);
  assert.throws(() => readOptions(['--speed']), /--speed/);
});

test('report: what was noticed of all, rounded down, timeouts counted', () => {
  const table = createTable();
  for (const verdict of ['killed', 'survived', 'timed out'] as const) table.add('web', verdict);
  table.add('asynq', 'refused');
  assert.equal(
    table.text(),
    `| area | mutants | killed | refused | timed out | survived | noticed |
| --- | --- | --- | --- | --- | --- | --- |
| web | 3 | 1 | 0 | 1 | 1 | 66 % |
| asynq | 1 | 0 | 1 | 0 | 0 | 100 % |
| **sum** | 4 | 1 | 1 | 1 | 1 | 75 % |
`,
  );
});
