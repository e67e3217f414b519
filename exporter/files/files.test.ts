import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { composeFile, filledIn } from '../../tools/rig/compose.ts';
import { launcher } from '../../tools/rig/exporter-process.ts';
import { installedTools, run } from '../../tools/rig/prometheus-tools.ts';
import { temporaryRoot } from '../../tools/rig/temporary-root.ts';
import { files } from './command.ts';
import { filesIn, shippedFiles } from './shipped.ts';

async function typed(...argv: string[]) {
  let said = '';
  const add = (text: string) => void (said += text);
  const code = await files({ argv, env: {}, print: add, complain: add });
  return { code, said };
}

test('files: what the documents name is there, and nothing that is ours alone', () => {
  const paths = Object.keys(shippedFiles());
  for (const path of [
    'alerts/generated/host.yml',
    'alerts/alertmanager/templates/stealwatch.tmpl',
    'dashboards/generated/stealwatch-freeze.json',
    'dashboards/provisioning/dashboards/stealwatch.yml',
    'deploy/stealwatch.service',
    'deploy/stealwatch.slice',
    'deploy/compose.agent.yml',
    'deploy/prometheus/prometheus.yml',
    'targets/agents.yml.example',
  ]) {
    assert.ok(paths.includes(path), path);
  }
  for (const path of paths) assert.doesNotMatch(path, /\.test\.ts$|^\.env$|^secrets|agents\.yml$/);
  assert.deepEqual(
    paths.filter((path) => path.startsWith('alerts/generated/')),
    globSync('alerts/generated/*.yml').sort(),
  );
});

test('files: what a file mounts or reads beside it is written too', () => {
  const paths = Object.keys(shippedFiles());
  for (const [name, { volumes = [] }] of Object.entries(filledIn({}).services)) {
    for (const source of volumes.map((volume) => volume.split(':')[0] ?? '')) {
      if (!/^\.\/(?!secrets)/.test(source)) continue;
      const inside = source.slice(2);
      assert.ok(
        paths.some((path) => path === inside || path.startsWith(`${inside}/`)),
        `${name}: ${source}`,
      );
    }
  }
});

test('files: written whole, again is nothing, and over nobody without --force', async (t) => {
  const root = temporaryRoot(t);
  const directory = join(root, 'not', 'there yet');
  const first = await typed(directory);
  assert.equal(first.code, 0, first.said);
  const shipped = shippedFiles();
  for (const [path, text] of Object.entries(shipped)) {
    assert.equal(readFileSync(join(directory, path), 'utf8'), text, path);
    assert.ok(first.said.includes(`  ${path}\n`), path);
    const executable = path.endsWith('.sh') ? 0o755 : 0o644;
    assert.equal(statSync(join(directory, path)).mode & 0o777, executable, path);
  }
  const beside = allBelow(directory).filter(([path]) => /\.(?:new|old)$/.test(path ?? ''));
  assert.deepEqual(beside, []);
  assert.match((await typed(directory)).said, /^All is there in /);

  const mine = join(directory, 'alerts/alertmanager/alertmanager.yml');
  const lost = join(directory, 'docker-compose.yml');
  writeFileSync(mine, 'mine');
  execFileSync('rm', [lost]);
  const refused = await typed(directory);
  assert.equal(refused.code, 1);
  assert.match(
    refused.said,
    /nothing is written.*\n {2}alerts\/alertmanager\/alertmanager\.yml\n$/,
  );
  assert.equal(readFileSync(mine, 'utf8'), 'mine');
  assert.ok(!existsSync(lost), 'all or nothing');
  assert.equal((await typed('--force', directory)).code, 0);
  assert.equal(readFileSync(mine, 'utf8'), shipped['alerts/alertmanager/alertmanager.yml']);
  assert.ok(existsSync(lost));
});

test("files: a link is somebody else's, and what it leads to stays", async (t) => {
  const root = temporaryRoot(t);
  const elsewhere = join(root, 'elsewhere');
  writeFileSync(elsewhere, 'mine');
  symlinkSync(elsewhere, join(root, 'docker-compose.yml'));
  assert.equal((await typed(root)).code, 1);
  assert.equal((await typed(root, '--force')).code, 0);
  assert.equal(readFileSync(elsewhere, 'utf8'), 'mine');
});

test('files: where no folder can be made it ends, and says so', () => {
  // A process of its own: what this is about is an end that does not come.
  const { status, stderr } = spawnSync(launcher, ['files', '/proc/none/below'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /^stealwatch files: \/proc\/none\S+: ENOENT: no such file or directory, mkdir '\/proc\/none'; nothing is written\n$/,
  );
});

/** Whatever lies below a folder, with its text. */
const allBelow = (folder: string) =>
  globSync('**', { cwd: folder })
    .sort()
    .map((path) => {
      const found = lstatSync(join(folder, path));
      return [path, found.isFile() ? readFileSync(join(folder, path), 'utf8') : ''];
    });

test('files: a disk that is full half way keeps nothing of it', (t) => {
  const root = temporaryRoot(t);
  writeFileSync(join(root, 'mine'), 'mine');
  const before = allBelow(root);
  // No file over 8 kB: the first ones are written, a dashboard is not.
  const script = 'ulimit -f 16; exec "$0" files "$1"';
  const { status, stderr } = spawnSync('sh', ['-c', script, launcher, join(root, 'a', 'b')], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /^stealwatch files: \S+\/a\/b\/\S+: EFBIG: file too large, write; nothing is written\n$/,
  );
  assert.deepEqual(allBelow(root), before);
});

test('files: what cannot be put into its place leaves all as it was', async (t) => {
  const root = temporaryRoot(t);
  assert.equal((await typed(root)).code, 0);
  writeFileSync(join(root, '.env.example'), 'mine');
  execFileSync('rm', [join(root, 'docker-compose.yml')]);
  const last = join(root, 'targets/agents.yml.example');
  execFileSync('rm', [last]);
  mkdirSync(join(last, 'in it'), { recursive: true });
  const before = allBelow(root);
  const { code, said } = await typed('--force', root);
  assert.equal(code, 1);
  assert.match(
    said,
    /targets\/agents\.yml\.example: a folder is in its place; nothing is written\n$/,
  );
  assert.deepEqual(allBelow(root), before);
});

test('files: what cannot be is said in one line', async (t) => {
  const root = temporaryRoot(t);
  writeFileSync(join(root, 'file'), '');
  mkdirSync(join(root, 'taken', '.env.example'), { recursive: true });
  for (const [argv, code, says] of [
    [[], 2, /^stealwatch files: expected one folder to write to/],
    [['a', 'b'], 2, /expected one folder/],
    [
      ['--frobnicate', 'a'],
      2,
      /^stealwatch files: Unknown option '--frobnicate'; --help says more\.\n$/,
    ],
    [[join(root, 'file')], 1, /^stealwatch files: ENOTDIR/],
    [[join(root, 'taken')], 1, /nothing is written[^]*\n {2}\.env\.example\n$/],
    [['--help'], 0, /^stealwatch files: what belongs beside/],
  ] as const) {
    const { code: ended, said } = await typed(...argv);
    assert.equal(ended, code, said);
    assert.match(said, says);
  }
});

test('files: the bundle has what the sources have, and its programs read it', (t) => {
  const directory = join(temporaryRoot(t), 'out');
  const { status, stderr } = spawnSync(launcher, ['files', directory], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  for (const [path, text] of Object.entries(filesIn(process.cwd()))) {
    assert.equal(readFileSync(join(directory, path), 'utf8'), text, path);
  }
  const { promtool, amtool } = installedTools();
  const rules = globSync('alerts/generated/*.yml', { cwd: directory });
  const checked = run(promtool, ['check', 'rules', ...rules.map((path) => join(directory, path))]);
  assert.equal(checked.code, 0, checked.text);
  const rendered = join(directory, 'rendered.yml');
  execFileSync(join(directory, 'alerts/alertmanager/start.sh'), ['--render', rendered], {
    env: { PATH: process.env['PATH'], HEARTBEAT_URL: 'https://hc.example/x' },
    stdio: 'pipe',
  });
  const alertmanager = run(amtool, ['check-config', rendered]);
  assert.equal(alertmanager.code, 0, alertmanager.text);
  // Nothing can be built there.
  const compose = composeFile(join(directory, 'docker-compose.yml'));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const [name, service] of Object.entries(compose.services))
    assert.ok(!('build' in service), name);
  assert.equal(compose.services['exporter']?.image, `ghcr.io/stealwatch/stealwatch:${version}`);
});
