/** The README's commands with an older npm and Node, and with packages left out. */
import assert from 'node:assert/strict';
import type { SpawnSyncReturns } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { copyOfProject, olderNpm, olderNpmVersion } from './older-npm.ts';

const { scripts, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly version: string;
};

function temporary(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-npm-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

const fails = ({ status, stderr }: SpawnSyncReturns<string>, said: RegExp) => {
  assert.equal(status, 1);
  assert.match(stderr, said);
};

test(`npm ${olderNpmVersion} under Node 20: npm ci, npm start and npm test find the Node they brought`, (t) => {
  const root = temporary(t);
  const copy = copyOfProject(root);
  const older = olderNpm(root, copy);
  if (typeof older === 'string') {
    t.skip(older);
    return;
  }
  const { run } = older;
  assert.equal(run('npm', '--version').stdout, `${olderNpmVersion}\n`);
  const install = run('npm', 'ci', '--prefer-offline', '--no-audit', '--no-fund');
  assert.equal(install.status, 0, install.stderr);
  const start = run('npm', '--silent', 'start', '--', '--version');
  assert.deepEqual([start.stdout, start.stderr], [`stealwatch ${version}\n`, '']);
  // What npm test is made of, the shortest of each kind.
  const generated = run('npm', 'run', '--silent', 'generate', '--', '--check');
  assert.equal(generated.status, 0, generated.stderr);
  const one = run('npm', 'run', '--silent', 'test:only', '--', 'exporter/measure/duration.test.ts');
  assert.match(one.stdout, /^[1-9]\d* passed, 0 failed, 0 skipped$/m, one.stderr);

  const brought = join(copy.directory, 'node_modules', `node-linux-${process.arch}`);
  rmSync(brought, { recursive: true });
  const needs = /^stealwatch needs Node\.js 24 or newer and found v20\.20\.2: .+\n$/;
  fails(run('exporter/stealwatch', '--version'), needs);
  fails(run('npm', 'run', '--silent', 'build'), needs);
});

test('npm: a script that needs Node begins with the search for it', () => {
  const needing = Object.entries(scripts).filter(([, text]) =>
    /\b(node|tsc|ox\w+|knip)\b/.test(text),
  );
  assert.ok(needing.length > 10);
  for (const [name, text] of needing) {
    assert.match(text, /^(npm run --silent build && )?\. exporter\/use-node\.sh && /, name);
  }
});

test('npm: what was left out by --omit is named in one line', (t) => {
  const { run } = copyOfProject(temporary(t));
  fails(
    run('npm', 'run', '--silent', 'build'),
    /^The build needs the development packages, run npm ci --include=dev: .+\n$/,
  );
  fails(
    run('npm', 'run', '--silent', 'pretest'),
    /^The tests need all packages: run npm ci --include=dev --include=optional\.\n$/,
  );
});
