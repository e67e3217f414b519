/**
 * The README's commands with the npm that Node 18 and 20 bring, 10.8.2: it does not put the Node we
 * bring along into the PATH of scripts, and the Node they bring cannot run TypeScript.
 */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';

const npmVersion = '10.8.2';
const project = join(import.meta.dirname, '..');
const { scripts, version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
  readonly version: string;
};

/** Which registry and where it keeps things is the machine's; nothing else of npm's is inherited. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      /^npm_config_(registry|cache)$|^HOME$|proxy$/i.test(name) || !/^npm_|^NODE_/i.test(name),
  ),
);

type Run = (program: string, args: readonly string[]) => SpawnSyncReturns<string>;

function runner(cwd: string, path: string): Run {
  const options = { cwd, encoding: 'utf8', env: { ...inherited, PATH: path } } as const;
  return (program, args) => spawnSync(program, args, { ...options, timeout: 120_000 });
}

/** Says that it is Node 20, and refuses what Node 20 cannot do: to run TypeScript, by itself or as tests. */
const oldNode = `#!/bin/sh
case $1 in
  --version) echo v20.20.2 ;;
  *.ts | --test) echo 'ERR_UNKNOWN_FILE_EXTENSION: Unknown file extension ".ts"' >&2; exit 1 ;;
  *) exec '${process.execPath}' "$@" ;;
esac
`;

interface Machine {
  readonly run: Run;
  /** A copy of what is to be tried, nothing installed. */
  readonly copy: string;
}

function withOldNode(t: TestContext): Machine {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-npm-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const copy = join(root, 'copy');
  const left = new Set(['node_modules', '.git', 'dist']);
  cpSync(project, copy, {
    recursive: true,
    filter: (from) => !left.has(relative(project, from)),
  });
  const bin = join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'node'), oldNode, { mode: 0o755 });
  const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return { copy, run: runner(copy, `${bin}:${system}`) };
}

/** The path of npm's program, or undefined when the test was skipped: no registry, none cached. */
function fetchNpm(t: TestContext, copy: string): string | undefined {
  const home = join(copy, '..', 'npm');
  mkdirSync(home);
  const run = runner(home, process.env['PATH'] ?? '');
  const pack = [
    'pack',
    '--silent',
    '--prefer-offline',
    '--fetch-retries=0',
    '--fetch-timeout=20000',
    `npm@${npmVersion}`,
  ];
  const packed = run('npm', pack);
  if (packed.status !== 0) {
    const why = packed.stderr.trim().split('\n').at(-1);
    t.skip(`npm ${npmVersion} cannot be had: ${packed.error?.message ?? why}`);
    return undefined;
  }
  assert.equal(run('tar', ['xzf', packed.stdout.trim()]).status, 0);
  return join(home, 'package', 'bin', 'npm-cli.js');
}

const onlyLine = ({ stderr }: SpawnSyncReturns<string>) => stderr.trim().split('\n');

test(`npm ${npmVersion} under Node 20: npm ci, npm start and npm test find the Node they brought`, async (t) => {
  const { run, copy } = withOldNode(t);
  const cli = fetchNpm(t, copy);
  if (cli === undefined) return;
  writeFileSync(join(copy, '..', 'bin', 'npm'), `#!/bin/sh\nexec node '${cli}' "$@"\n`, {
    mode: 0o755,
  });
  assert.equal(run('npm', ['--version']).stdout, `${npmVersion}\n`);
  const install = run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund']);
  assert.equal(install.status, 0, install.stderr);
  const start = run('npm', ['--silent', 'start', '--', '--version']);
  assert.deepEqual([start.stdout, start.stderr], [`stealwatch ${version}\n`, '']);
  // What npm test is made of, shortest of each kind.
  const docs = run('npm', ['run', '--silent', 'docs', '--', '--check']);
  assert.equal(docs.status, 0, docs.stderr);
  const one = run('npm', ['run', '--silent', 'test:only', '--', 'exporter/duration.test.ts']);
  assert.match(one.stdout, /^[1-9]\d* passed, 0 failed, 0 skipped$/m, one.stderr);

  rmSync(join(copy, 'node_modules', `node-linux-${process.arch}`), { recursive: true });
  const without = run('exporter/stealwatch', ['--version']);
  assert.equal(without.status, 1);
  assert.match(
    without.stderr,
    /^stealwatch needs Node\.js 24 or newer and found v20\.20\.2: .+\n$/,
  );
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
  const { copy } = withOldNode(t);
  const run = runner(copy, process.env['PATH'] ?? '');
  const build = run('npm', ['run', '--silent', 'build']);
  assert.equal(build.status, 1);
  assert.match(
    onlyLine(build).join('\n'),
    /^The build needs the development packages, run npm ci --include=dev: .+$/,
  );
  const tests = run('npm', ['run', '--silent', 'pretest']);
  assert.equal(tests.status, 1);
  assert.deepEqual(onlyLine(tests), [
    'The tests need all packages: run npm ci --include=dev --include=optional.',
  ]);
});
