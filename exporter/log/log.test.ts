import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { manualClock } from '../measure/clock.ts';
import { createLogDestination, type Write } from './log.ts';
import { freePort, until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

type Result = number | 'ENOSPC' | 'EPIPE' | 'EAGAIN' | 'all';

/** A file that takes as much of each write as it is told, in turn, and then everything. */
function file(results: Result[]) {
  let text = '';
  const write: Write = (bytes, done) => {
    setImmediate(() => {
      const result = results.shift() ?? 'all';
      if (typeof result === 'string' && result !== 'all') {
        done(Object.assign(new Error(result), { code: result }), 0);
        return;
      }
      const written = result === 'all' ? bytes.length : Math.min(result, bytes.length);
      text += bytes.subarray(0, written).toString();
      done(null, written);
    });
  };
  return { write, lines: () => text.split('\n'), text: () => text };
}

const line = (n: number) => `{"msg":"${n}"}\n`;

test('log: lines in order, however little a write takes', async () => {
  const { write, text } = file([1, 3, 'EAGAIN', 2, 'all']);
  const destination = createLogDestination(write, manualClock());
  const sent = [1, 2, 3, 4].map(line);
  for (const one of sent) destination.write(one);
  await destination.settled();
  assert.equal(text(), sent.join(''));
  assert.equal(destination.dropped(), 0);
  assert.equal(destination.problem(), undefined);
});

test('log: a full disk loses lines, counts them and says so when it takes them again', async () => {
  const clock = manualClock();
  // Nine bytes, a line of eleven cut, then nothing three times.
  const { write, lines } = file([9, 'ENOSPC', 'ENOSPC', 'ENOSPC']);
  const destination = createLogDestination(write, clock);
  for (const n of [1, 2, 3]) {
    destination.write(line(n));
    await destination.settled();
    clock.advance(10);
  }
  assert.equal(destination.dropped(), 3);
  assert.deepEqual(destination.problem(), { reason: 'ENOSPC', sinceSeconds: 30 });
  destination.write(line(4));
  await destination.settled();
  assert.equal(destination.problem(), undefined);
  const [half, notice = '', last] = lines();
  assert.equal(half, '{"msg":"1', 'what was cut stands on a line of its own');
  const { dropped, error, level } = JSON.parse(notice) as Record<string, unknown>;
  assert.deepEqual([dropped, error, level], [3, 'ENOSPC', 40]);
  assert.equal(`${last}\n`, line(4));
  destination.write(line(5));
  await destination.settled();
  assert.deepEqual(lines().slice(3), [line(5).trim(), ''], 'said once');
  assert.equal(destination.dropped(), 3);
});

test('log: where nobody takes them, what waits is bounded and nothing waits for it', async () => {
  let taken = 0;
  const destination = createLogDestination((bytes) => (taken += bytes.length), manualClock());
  for (let n = 0; n < 10_000; n++) destination.write(line(n));
  assert.ok(taken < 100, 'one write under way');
  assert.ok(destination.dropped() > 4000, String(destination.dropped()));
  assert.match(destination.problem()?.reason ?? '', /not taken fast enough/);
});

const launcher = fileURLToPath(new URL('../stealwatch', import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

async function start(t: TestContext, stdout: number): Promise<Started> {
  const port = await freePort();
  const child = spawn(launcher, ['--listen', `127.0.0.1:${port}`], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', stdout, 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await until(
    'it answers',
    async () => (await fetch(`${url}/livez`).catch(() => undefined))?.ok === true,
  );
  return { child, url };
}

async function endsOnTerm({ child }: Started): Promise<void> {
  const watch = stopwatch();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  watch.within(4000, 'SIGTERM ends it');
}

async function dropped(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^stealwatch_log_lines_dropped_total (\d+)$/m.exec(text)?.[1]);
}

test('log: standard output is full, or closed: it serves on and ends on SIGTERM', async (t) => {
  const full = openSync('/dev/full', 'w');
  t.after(() => closeSync(full));
  const started = await start(t, full);
  await until('lost lines are counted', async () => (await dropped(started.url)) > 0);
  const status = await (await fetch(`${started.url}/status`)).text();
  assert.match(status, /Log lines are being lost: ENOSPC/);
  await endsOnTerm(started);
});

test('log: standard output is a pipe that is full and nobody reads', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const pipe = openSync(path, constants.O_WRONLY);
  t.after(() => [both, pipe].forEach((fd) => closeSync(fd)));
  const kilobyte = Buffer.alloc(1024, 'x\n');
  assert.throws(() => {
    for (;;) writeSync(both, kilobyte);
  }, /EAGAIN/);
  const started = await start(t, pipe);
  for (let i = 0; i < 3; i++) assert.equal((await fetch(`${started.url}/metrics`)).status, 200);
  await endsOnTerm(started);
});

test('log: a pipe that is closed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-log-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = openSync(path, constants.O_WRONLY);
  t.after(() => closeSync(pipe));
  const started = await start(t, pipe);
  await until('a line came', () => readSync(reader, Buffer.alloc(9)) > 0);
  closeSync(reader);
  started.child.kill('SIGHUP');
  await until('the line is lost', async () => (await dropped(started.url)) >= 1);
  await endsOnTerm(started);
});
