/** The whole of it on a tree of two files: real processes, real tests, real coverage. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Area } from './areas.ts';
import { createBaselines } from './baseline.ts';
import { createJudge } from './judge.ts';
import { run } from './run.ts';
import { typescriptMutations } from './typescript.ts';

const source = `export function double(a: number): number {
  return a * 2;
}
export function unused(a: number): number {
  return a + 1;
}
`;
const tests = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { double } from './code.ts';
test('doubles', () => assert.equal(double(2), 4));
`;

function temporary(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-judge-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

const mutant = (from: string, to: string) => {
  const start = source.indexOf(from);
  const end = start + from.length;
  return { operator: 'test', start, end, replacement: to, file: 'code.ts', area: 'code' };
};

const area: Area = {
  name: 'code',
  files: /^code\.ts$/,
  mutations: typescriptMutations,
  isValid: () => true,
  generators: [],
};

test('judge: what the test notices is killed, what it does not execute survives', async (t) => {
  const tree = { 'code.ts': source, 'code.test.ts': tests, 'broken.test.ts': `${tests}throw 1;` };
  const [unharmed, harmed, cache] = [tree, tree, {}].map((files) => temporary(t, files));
  assert.ok(unharmed !== undefined && harmed !== undefined && cache !== undefined);
  const files = Object.keys(tree);
  const told: string[] = [];
  const judgeOf = () =>
    createJudge({
      areas: [area],
      files,
      baselines: createBaselines(unharmed, files, cache),
      directory: harmed,
      far: false,
      told: (file) => told.push(file),
    });
  const judge = judgeOf();
  assert.deepEqual(await judge.judge(mutant('*', '/')), { verdict: 'killed', tests: 1 });
  // 2 * 2 is 2 + 2: executed, and not noticed.
  assert.deepEqual(await judge.judge(mutant('*', '+')), { verdict: 'survived', tests: 1 });
  assert.deepEqual(await judge.judge(mutant('+', '-')), { verdict: 'survived', tests: 0 });
  assert.deepEqual(told, ['broken.test.ts'], 'a test that fails anyway notices nothing');
  assert.equal(readFileSync(join(harmed, 'code.ts'), 'utf8'), source, 'mended again');
  // The next run knows from the cache what the test executes.
  rmSync(join(unharmed, 'code.test.ts'));
  writeFileSync(join(unharmed, 'code.test.ts'), tests);
  assert.deepEqual(await judgeOf().judge(mutant('*', '/')), { verdict: 'killed', tests: 1 });
});

test('judge: what imports the mistake by way of others, elsewhere, is asked only if wanted', async (t) => {
  const tree = {
    'code.ts': source,
    'far.ts': "export { double } from './code.ts';\n",
    'further.ts': "export { double } from './far.ts';\n",
    'another/room/far.test.ts': tests.replace('./code.ts', '../../further.ts'),
  };
  const [unharmed, harmed, cache] = [tree, tree, {}].map((files) => temporary(t, files));
  assert.ok(unharmed !== undefined && harmed !== undefined && cache !== undefined);
  const files = Object.keys(tree);
  const baselines = createBaselines(unharmed, files, cache);
  const what = { areas: [area], files, baselines, directory: harmed, told: assert.fail };
  const asked = (far: boolean) => createJudge({ ...what, far }).judge(mutant('*', '/'));
  assert.deepEqual(await asked(false), { verdict: 'survived', tests: 0 });
  assert.deepEqual(await asked(true), { verdict: 'killed', tests: 1 });
});

test('judge: of a file of many tests only those are asked that are about the mistake', async (t) => {
  const other = "test('other', () => assert.equal(double(3), 6));\n";
  const tree = { 'code.ts': source, 'code.test.ts': tests + other };
  const [unharmed, harmed, cache] = [tree, tree, {}].map((files) => temporary(t, files));
  assert.ok(unharmed !== undefined && harmed !== undefined && cache !== undefined);
  const files = Object.keys(tree);
  const baselines = createBaselines(unharmed, files, cache);
  const what = { files, baselines, directory: harmed, far: false, told: assert.fail };
  const asked = (names: string) =>
    createJudge({ ...what, areas: [{ ...area, namesOf: () => names }] }).judge(mutant('*', '+'));
  assert.deepEqual(await asked('^doubles$'), { verdict: 'survived', tests: 1 });
  assert.deepEqual(await asked('^other$'), { verdict: 'killed', tests: 1 });
});

test('run: at its deadline a program ends, with all that it started', async (t) => {
  const directory = temporary(t, {});
  const late = join(directory, 'late');
  const child = `setTimeout(() => require('fs').writeFileSync(${JSON.stringify(late)}, ''), 1500)`;
  const parent = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}]); for (;;);`;
  const ending = await run({ directory, args: ['-e', parent], deadlineMs: 500 });
  assert.equal(ending, 'timed out');
  await new Promise((resolve) => setTimeout(resolve, 1800));
  assert.equal(existsSync(late), false);
});

test('run: the first failure in the output is enough', async (t) => {
  const directory = temporary(t, {});
  const args = ['-e', "console.log('not ok 1 - x'); setInterval(() => {}, 1000)"];
  const ending = await run({ directory, args, deadlineMs: 60_000, failsOn: /^not ok/m });
  assert.equal(ending, 'failed');
});
