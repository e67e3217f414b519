import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../exporter/measure/clock.ts';
import { hungTaskDetectorCollector } from '../../exporter/collectors/hung-task-detector.ts';
import { hungTasksCollector } from '../../exporter/collectors/hung-tasks.ts';
import type { Collector } from '../../exporter/core/collector.ts';
import { createPseudoFs } from '../../exporter/procfs/reader.ts';
import {
  freezeRedisForReal,
  lockFile,
  processState,
  whyNoFrozenFilesystem,
} from './frozen-filesystem.ts';
import { until } from './redis-server.ts';

const sysctls = ['hung_task_timeout_secs', 'hung_task_warnings'].map(
  (name) => `/proc/sys/kernel/${name}`,
);
const settingsNow = () => sysctls.map((file) => readFileSync(file, 'utf8').trim());

/** The machine's own settings: read while nobody has changed them, waiting for that if need be. */
function settings(): string[] {
  return execFileSync('flock', [lockFile, 'cat', ...sysctls], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

async function values(collector: Collector): Promise<Record<string, number>> {
  const families = await collector.collect(AbortSignal.timeout(5000));
  return Object.fromEntries(
    families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => [
        [metric.name, ...Object.values(labels)].join(' '),
        Number(value),
      ]),
    ),
  );
}

/** What a PING gets within half a second; undefined when nothing comes. */
async function ping(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    return await Promise.race([
      new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data)))),
      sleep(500, undefined),
    ]);
  } finally {
    socket.destroy();
  }
}

test('a real hang: the kernel reports redis-server, counted once as a file system', async (t) => {
  const own = whyNoFrozenFilesystem() === undefined ? settings() : [];
  const redis = await freezeRedisForReal(t, { hungTaskTimeoutSeconds: 5 });
  if (redis === undefined) return;
  assert.deepEqual(settingsNow(), ['5', '-1']);
  const sources = { procfs: createPseudoFs('/proc'), sysfs: createPseudoFs('/sys') };
  const config = { kmsg: '/dev/kmsg', kmsgUserspace: false };
  const log = hungTasksCollector({ config, clock: systemClock, ...sources });
  const detector = hungTaskDetectorCollector(sources);
  t.after(() => Promise.all([log.close?.(), detector.close?.()]));
  const before = await values(detector);
  assert.equal((await values(log))['stealwatch_hung_tasks_total filesystem'], 0);
  assert.match((await ping(redis.port)) ?? '', /PONG/);

  await redis.freeze();
  assert.equal(await ping(redis.port), undefined);
  const ours = () => log.episodes().filter(({ pid, past }) => pid === redis.pid && !past);
  await until('two reports of redis-server', () => (ours()[0]?.reports ?? 0) >= 2, 30);

  const after = await values(log);
  assert.deepEqual(
    ours().map(({ comm, tgid, cause }) => [comm, tgid, cause]),
    [['redis-server', ours()[0]?.tgid, 'filesystem']],
    'one episode, however often it was reported',
  );
  const others = log.episodes().filter(({ pid, past, cause }) => {
    return pid !== redis.pid && !past && cause === 'filesystem';
  });
  assert.equal(after['stealwatch_hung_tasks_total filesystem'], 1 + others.length);
  assert.ok((after['stealwatch_hung_task_reports_total filesystem'] ?? 0) >= 2);
  assert.ok((after['stealwatch_hung_task_last_seconds'] ?? 0) >= 5);
  assert.equal(after['stealwatch_kmsg_lost_records_total'], 0);
  const text = (log.report?.().findings ?? []).map(({ text }) => text).join('\n');
  assert.match(text, new RegExp(`redis-server \\(pid ${redis.pid}\\) blocked for more than`));
  const count = 'stealwatch_hung_task_detections_total';
  const counted = (await values(detector))[count];
  if (before[count] !== undefined) assert.ok((counted ?? 0) >= before[count] + 2);
  assert.equal((await values(detector))['stealwatch_hung_task_warnings_left'], -1);

  await redis.thaw();
  assert.match((await ping(redis.port)) ?? '', /PONG/);
  await redis.restore();
  assert.equal(processState(redis.pid), undefined);
  assert.ok(!existsSync(redis.directory));
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(redis.directory));
  assert.deepEqual(settings(), own);
});

/** Stands in for a test: freezes, tells how to find what it made, and waits to be killed. */
const victim = `
import { readFileSync } from 'node:fs';
import { startFreezableRedis } from ${JSON.stringify(new URL('frozen-filesystem.ts', import.meta.url).href)};
const { pid, directory, freeze } = await startFreezableRedis({ hungTaskTimeoutSeconds: 77 });
await freeze();
process.stdout.write(JSON.stringify({ pid, directory }) + '\\n');
setTimeout(() => {}, 60_000);
`;

test('frozen file system: all is put back when the process that asked for it is killed', async (t) => {
  const obstacle = whyNoFrozenFilesystem();
  if (obstacle !== undefined) return t.skip(obstacle);
  const before = settings();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', victim], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  await until('the victim has frozen its Redis', () => output.includes('\n'), 60);
  const { pid, directory } = JSON.parse(output) as { pid: number; directory: string };
  assert.deepEqual(settingsNow(), ['77', '-1']);
  assert.equal(processState(pid), 'D');

  child.kill('SIGKILL');
  await until('redis-server has ended', () => processState(pid) === undefined, 20);
  await until('the directory is gone', () => !existsSync(dirname(directory)), 20);
  assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(directory));
  assert.deepEqual(settings(), before);
});
