/** What `npx stealwatch` gets: the package is made, installed into an empty directory, and run. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Packed, packageProblems } from './release/package.ts';
import { freePort, until } from './rig/redis-server.ts';

function temporary(t: TestContext, name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `stealwatch-${name}-`));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const npm = (args: readonly string[], cwd: string) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test('npm package: packed, installed into an empty directory, run', async (t) => {
  const [packed, empty] = [temporary(t, 'pack'), temporary(t, 'empty')];
  // The build that tests run on is there already; building it again would pull it from under them.
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', packed];
  const [made] = JSON.parse(npm(pack, process.cwd())) as Packed[];
  assert.ok(made !== undefined);
  assert.deepEqual(packageProblems(made, readdirSync('dist')), []);

  // Nothing but itself: everything it needs is in the bundle. Node comes from the PATH here.
  const install = ['install', '--offline', '--omit=optional', '--no-audit', '--no-fund'];
  npm([...install, join(packed, made.filename)], empty);
  const program = join(empty, 'node_modules', '.bin', 'stealwatch');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(
    execFileSync(program, ['--version'], { encoding: 'utf8' }),
    `stealwatch ${version}\n`,
  );

  const port = await freePort();
  const child = spawn(program, ['--listen', `127.0.0.1:${port}`], { cwd: empty, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await until('the installed package answers', async () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      (response) => response.ok,
      () => false,
    ),
  );
});
