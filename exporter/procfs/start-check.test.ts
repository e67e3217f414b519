import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { createPseudoFs } from './reader.ts';
import { startProblem } from './start-check.ts';

const proc = { stat: 'cpu  1\n', meminfo: 'x\n', 'pressure/io': '' };

test('start check: this machine, a made-up one and none at all are no reason not to start', async (t) => {
  const made = fixtureTree(t, proc);
  for (const [procfs, sysfs] of [
    ['/proc', '/sys'],
    [made, made],
    ['/nonexistent', '/nonexistent'],
    ['/etc/passwd', '/etc/passwd'],
  ] as const) {
    assert.equal(await startProblem({ procfs, sysfs }), undefined);
  }
});

test('start check: a pipe or a socket in the place of a file is told by its path', async (t) => {
  const root = fixtureTree(t, { ...proc, 'pressure/x': '' });
  const path = join(root, 'pressure/cpu');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  const expected = {
    text: `${path} is a pipe, a socket or a device, expected a file`,
    hangs: false,
  };
  assert.deepEqual(await startProblem({ procfs: root, sysfs: '/nonexistent' }), expected);

  const other = fixtureTree(t, proc);
  const server = createServer().listen(join(other, 'loadavg'));
  await once(server, 'listening');
  t.after(() => server.close());
  const problem = await startProblem({ procfs: other, sysfs: '/nonexistent' });
  assert.match(problem?.text ?? '', /loadavg is a pipe, a socket or a device/);
});

test('start check: what a container masks, as Docker does /proc/interrupts, stops nothing and is not there', async (t) => {
  const root = fixtureTree(t, proc);
  symlinkSync('/dev/null', join(root, 'interrupts'));
  assert.equal(await startProblem({ procfs: root, sysfs: '/nonexistent' }), undefined);
  const fs = createPseudoFs(root);
  assert.equal(fs.read('interrupts'), undefined);
  const file = fs.file('interrupts');
  assert.equal(file.read(), undefined);
  file.close();
  symlinkSync('/dev/tty', join(root, 'vmstat'));
  const problem = await startProblem({ procfs: root, sysfs: '/nonexistent' });
  assert.ok(problem === undefined || problem.text.includes('vmstat is a pipe'), problem?.text);
});

test('start check: a file that does not answer is told by its path, and does not keep us', async () => {
  const asked: string[] = [];
  const never = async (path: string) => {
    asked.push(path);
    return path.endsWith('/vmstat') ? new Promise<'file'>(() => undefined) : ('file' as const);
  };
  const problem = await startProblem(
    { procfs: '/p', sysfs: '/s' },
    { seconds: 0.05, kindOf: never },
  );
  assert.deepEqual(problem, { text: '/p/vmstat does not answer, waited 0.05 s', hangs: true });
  assert.equal(asked.at(-1), '/p/vmstat', 'one at a time');
});

test('start check: the process says so within 2 s, ends with 2, and never listens', async (t) => {
  const root = fixtureTree(t, proc);
  assert.equal(spawnSync('mkfifo', [join(root, 'loadavg')]).status, 0);
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, `--procfs=${root}`, '--listen=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 2);
  assert.match(stderr, /^stealwatch cannot start:\n {2}\S+\/loadavg is a pipe, /);
});

test('start check: a folder in the place of a file is for its collector to tell', async (t) => {
  const root = fixtureTree(t, { 'vmstat/x': '', 'loadavg/x': '', 'pressure/io/x': '' });
  assert.equal(await startProblem({ procfs: root, sysfs: root }), undefined);
});
