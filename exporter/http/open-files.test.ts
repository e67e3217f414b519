import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { limitsWithin } from './open-files.ts';
import { freePort, until } from '../../tools/rig/redis-server.ts';

test('open files: connections fit below the limit, and few are told', () => {
  const told: string[] = [];
  const few = (message: string) => void told.push(message);
  assert.equal(limitsWithin(1024, few).connections, 968);
  assert.equal(limitsWithin(1e6, few).connections, 1000);
  assert.equal(limitsWithin(1e6, few).perAddress, 250);
  assert.equal(limitsWithin(Infinity, few).connections, 1000);
  assert.deepEqual(told, []);
  assert.equal(limitsWithin(100, few).connections, 44);
  assert.equal(limitsWithin(100, few).perAddress, 44);
  assert.equal(limitsWithin(60, few).connections, 4);
  assert.match(told.at(-1) ?? '', /ulimit -n.*4 connections/);
  for (const files of [0, 30, 59]) {
    assert.throws(
      () => limitsWithin(files, few),
      new Error(
        `${files} files may be open (ulimit -n); expected at least 60, and 256 for a crowd`,
      ),
    );
  }
});

const launcher = fileURLToPath(new URL('../stealwatch', import.meta.url));

async function startWithin(t: TestContext, files: number) {
  const port = await freePort();
  const command = `ulimit -n ${files}; exec ${launcher} --listen 127.0.0.1:${port}`;
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, port, output: () => output };
}

test('open files: with too few it says so and ends, with few it serves beside a crowd', async (t) => {
  const none = await startWithin(t, 30);
  assert.deepEqual(await once(none.child, 'exit'), [1, null]);
  assert.match(none.output(), /30 files may be open \(ulimit -n\)/);

  const { port, output } = await startWithin(t, 60);
  await until('it listens', () => output().includes('"listening"'));
  assert.match(output(), /few files may be open/);
  const crowd = Array.from({ length: 60 }, () => connect(port, '127.0.0.1'));
  for (const socket of crowd) socket.on('error', () => undefined);
  t.after(() => crowd.forEach((socket) => socket.destroy()));
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    assert.equal(answer.status, 200);
    await answer.text();
  }
});
