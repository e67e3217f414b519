/** The process as the sources run it: how it starts, refuses to start, and ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '../tools/rig/redis-server.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
/** Nothing that this machine has, so that nothing of it matters. */
const nothing = ['--procfs=/nonexistent', '--sysfs=/nonexistent', '--kmsg=/nonexistent'];

function start(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal) as Promise<
    number | NodeJS.Signals
  >;
  return { child, output, ended };
}

test('main: --version prints and ends well', async (t) => {
  const { output, ended } = start(t, ['--version']);
  assert.equal(await ended, 0);
  assert.match(output.stdout, /^stealwatch \S+\n$/);
  assert.equal(output.stderr, '');
});

test('main: a wrong configuration is told with every problem, and ends with 2', async (t) => {
  const { output, ended } = start(t, ['--lisen', '--steal-threshold=2']);
  assert.equal(await ended, 2);
  assert.equal(output.stdout, '');
  assert.match(output.stderr, /^stealwatch cannot start:\n {2}\S.*\n {2}\S.*\n$/);
});

test('main: a port that is taken ends it with 1, though background clocks run', async (t) => {
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const { output, ended } = start(t, [...nothing, `--listen=127.0.0.1:${port}`, '--canary=4']);
  assert.equal(await ended, 1);
  assert.match(output.stderr, new RegExp(`^stealwatch: .*EADDRINUSE.*${port}\\n$`));
});

test('main: a web configuration that is not there ends it with 1 before it listens', async (t) => {
  const port = await freePort();
  const file = '/nonexistent/web.yml';
  const { output, ended } = start(t, [`--listen=127.0.0.1:${port}`, `--web-config-file=${file}`]);
  assert.equal(await ended, 1);
  assert.match(output.stderr, /^stealwatch: cannot start:\n {2}\/nonexistent\/web\.yml: /);
  assert.doesNotMatch(output.stdout, /listening/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`main: ${signal} ends it with 0 and says so`, async (t) => {
    const port = await freePort();
    const { child, output, ended } = start(t, [...nothing, `--listen=127.0.0.1:${port}`]);
    await until('it listens', () => output.stdout.includes('"listening"'));
    assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
    child.kill(signal);
    assert.equal(await ended, 0);
    assert.match(output.stdout, new RegExp(`"signal":"${signal}".*"ending"`));
  });
}
