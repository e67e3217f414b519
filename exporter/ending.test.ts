/** What signals do to the exporter as it ships. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test, type TestContext } from 'node:test';
import { cpuSecondsOf, launcher, startExporter } from '../tools/rig/exporter-process.ts';
import { until } from '../tools/rig/redis-server.ts';

/** Answers PING and nothing else, so that a scrape takes as long as it may. */
async function halfDeafRedis(t: TestContext): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      if (/PING/i.test(chunk.toString())) socket.write('+PONG\r\n');
    });
    t.after(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('SIGTERM: an answer under way is given, then the process ends with 0', async (t) => {
  const exporter = await startExporter(t, ['--redis-url', await halfDeafRedis(t)]);
  await until('Redis is up', async () => {
    const page = await (await fetch(`${exporter.url}/status`)).text();
    return page.includes('"state":"up"');
  });
  let answer = '';
  const socket = connect(exporter.port, '127.0.0.1');
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  t.after(() => socket.destroy());
  const idle = connect(exporter.port, '127.0.0.1');
  t.after(() => idle.destroy());
  await Promise.all([once(socket, 'connect'), once(idle, 'connect')]);
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(answer, '', 'the scrape is under way');
  process.kill(exporter.pid, 'SIGTERM');
  assert.equal(await exporter.ended, 0);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*stealwatch_build_info\{/);
  assert.match(answer, /stealwatch_collector_success\{collector="redis-info"\} 0\n/);
});

test('SIGUSR1 opens no inspector, SIGUSR2 and SIGHUP do not end it', async (t) => {
  const exporter = await startExporter(t);
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP'] as const) {
    process.kill(exporter.pid, signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await fetch(`${exporter.url}/livez`)).status, 200, signal);
  }
  assert.doesNotMatch(exporter.log(), /Debugger|inspector/i);
  await until('SIGHUP is told of', () => exporter.log().includes('"msg":"nothing to read again'));
});

/** Whether the process has a handler for SIGHUP, the first bit of them. */
const catchesHangup = (pid: number) =>
  /^SigCgt:.*[13579bdf]$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

test('SIGHUP, SIGUSR1 and SIGUSR2 do not end it while it is being loaded', async (t) => {
  const child = spawn(launcher, ['--listen', '127.0.0.1:0', '--without', 'asynq'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  while (!catchesHangup(pid)) await new Promise((resolve) => setTimeout(resolve, 2));
  const caughtAfter = cpuSecondsOf(pid);
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.kill(pid, signal);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  assert.match(line.toString(), /"listening"/);
  const loadedAfter = cpuSecondsOf(pid);
  assert.ok(
    caughtAfter < 0.8 * loadedAfter,
    `${caughtAfter} s of CPU, loaded after ${loadedAfter} s`,
  );
});
