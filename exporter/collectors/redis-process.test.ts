import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type Clock, manualClock, systemClock } from '../measure/clock.ts';
import { type Collector, type Family, isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { fibTrieText, tcpText } from '../../tools/rig/network-files.ts';
import { freezeRedisForReal } from '../../tools/rig/frozen-filesystem.ts';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { writeStalledRedis } from '../../tools/rig/stalled-redis.ts';
import { processFiles } from '../../tools/rig/task-files.ts';
import { blockedTasksCollector } from './blocked-tasks.ts';
import { redisProcessCollector, type RedisProcessOptions } from './redis-process.ts';

interface Wanted extends Pick<RedisProcessOptions, 'processIdHint' | 'resolve'> {
  readonly procfs?: string;
  readonly sysfs?: string;
  readonly clock?: Clock;
}

function start(t: TestContext, url: string, wanted: Wanted = {}): Collector {
  const { procfs = '/proc', sysfs = '/sys', clock = systemClock, ...rest } = wanted;
  const collector = redisProcessCollector({
    config: { redis: parseRedisAddress(url) },
    clock,
    procfs: createPseudoFs(procfs),
    sysfs: createPseudoFs(sysfs),
    ...rest,
  });
  t.after(async () => collector.close?.());
  return collector;
}

/** Families by name; a one-hot or labelled one as a record, another as its number. */
async function read(collector: Collector): Promise<Record<string, unknown>> {
  const families = await collector.collect(AbortSignal.timeout(5000));
  return Object.fromEntries(
    families.map(({ metric, samples }) => {
      const [label] = metric.labels;
      const entries = samples.map(({ labels, value }) => [labels[label ?? ''], value]);
      return [metric.name, label === undefined ? samples[0]?.value : Object.fromEntries(entries)];
    }),
  );
}

async function stateOf(collector: Collector): Promise<string | undefined> {
  const states = Object.entries((await read(collector))['redis_process_state'] ?? {});
  return states.find(([, value]) => value === 1)?.[0];
}

const texts = (collector: Collector) =>
  (collector.report?.().findings ?? []).map(({ severity, text }) => `${severity}: ${text}`);
const signalOf = (collector: Collector) => collector.report?.().signals?.[0];

const notBlocked = { host_page_in: 0, disk: 0, filesystem: 0, lock: 0, other: 0, unknown: 0 };

function connected(t: TestContext, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
    t.after(() => socket.destroy());
  });
}

test('redis process: a real one sleeps, is stopped while connections queue up, and is gone', async (t) => {
  const redis = await startRedis(t);
  const collector = start(t, redis.url);
  const healthy = await read(collector);
  // Running for moments, but asleep most of the time.
  await until('it sleeps', async () => (await stateOf(collector)) === 'S');
  assert.deepEqual(healthy['redis_process_blocked_seconds'], notBlocked);
  assert.equal(healthy['redis_listen_queue_length'], 0);
  assert.equal(signalOf(collector)?.supported, true);
  assert.deepEqual(texts(collector), []);
  assert.deepEqual(collector.report?.().second, { redis_stopped: 0 });
  assert.equal(collector.report?.().stopped, undefined);

  redis.freeze();
  await until('it is stopped', async () => (await stateOf(collector)) === 'T');
  for (let i = 0; i < 3; i += 1) await connected(t, redis.port);
  assert.equal((await read(collector))['redis_listen_queue_length'], 3);
  await until('the page says so', () => texts(collector).length > 0);
  assert.match(texts(collector)[0] ?? '', /^bad: redis-server \(pid \d+\) is stopped, by SIGSTOP/);
  const { by, pid } = collector.report?.().stopped ?? {};
  assert.deepEqual({ by, pid }, { by: 'signal', pid: redis.pid });
  assert.deepEqual(collector.report?.().second, { redis_stopped: 1 });
  assert.match(
    collector.report?.().stopped?.text ?? '',
    /^redis-server \(pid \d+\) was stopped, by/,
  );
  await until('its time is counted', () => (collector.report?.().stopped?.seconds ?? 0) > 1);

  redis.thaw();
  await until('it is not stopped', () => collector.report?.().stopped === undefined);
  await until(
    'the queue is accepted',
    async () => (await read(collector))['redis_listen_queue_length'] === 0,
  );

  const names = Object.keys(await read(collector));
  await redis.stop();
  await until('it is gone', async () => (await stateOf(collector)) === 'gone');
  const gone = await read(collector);
  assert.deepEqual(Object.keys(gone), names);
  assert.equal(gone['redis_listen_queue_length'], NaN);
  assert.match(texts(collector)[0] ?? '', /has ended, and no other has taken its place\.$/);

  await startRedis(t, { port: redis.port });
  await until('its successor is followed', async () => (await stateOf(collector)) === 'S');
  assert.equal((await read(collector))['redis_listen_queue_length'], 0);
});

test('redis process: a real one in pid and network namespaces of its own, published', async (t) => {
  const isolate = ['--pid', '--net', '--fork', '--kill-child', '--mount-proc'];
  const allowed = spawnSync('unshare', [...isolate, 'true']);
  if (allowed.status !== 0) {
    t.skip('needs unshare and the right to make pid and network namespaces');
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-redis-'));
  // Known by a pid that no other Redis in a namespace of this machine has, of another run neither.
  const processId = process.pid;
  const numbered = 'echo $(($0 - 1)) > /proc/sys/kernel/ns_last_pid; "$@" & wait';
  const server = ['redis-server', '--port', '6379', '--bind', '0.0.0.0', '--save', '', '--dir'];
  const child = spawn(
    'unshare',
    [...isolate, 'sh', '-c', numbered, String(processId), ...server, directory],
    { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } },
  );
  // What Docker does with a published port: a proxy of root's listens on the host.
  const proxy = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    proxy.close();
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  let collector = start(t, `redis://127.0.0.1:${port}`);
  await until('it is found', async () => {
    await collector.close?.();
    collector = start(t, `redis://127.0.0.1:${port}`, { processIdHint: () => processId });
    return (await read(collector))['redis_listen_queue_length'] === 0;
  });
  await until('it sleeps', async () => (await stateOf(collector)) === 'S');
});

/** A control group of our own under the pids controller of version 1 or 2, if we may make one. */
function ownCgroup(t: TestContext): string | undefined {
  for (const mount of ['/sys/fs/cgroup/pids', '/sys/fs/cgroup']) {
    const folder = join(mount, `stealwatch-test-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    t.after(async () => {
      await until('the control group is empty and removed', () => {
        try {
          rmdirSync(folder);
          return true;
        } catch {
          return false;
        }
      });
    });
    if (readdirSync(folder).includes('pids.current')) return folder;
  }
  return undefined;
}

test('redis process: tasks of a real control group', async (t) => {
  const redis = await startRedis(t);
  const folder = ownCgroup(t);
  if (folder === undefined) {
    t.skip('needs the right to make a control group, and the pids controller');
    return;
  }
  writeFileSync(join(folder, 'cgroup.procs'), String(redis.pid));
  const collector = start(t, redis.url);
  const threads = readdirSync(`/proc/${redis.pid}/task`).length;
  assert.equal((await read(collector))['redis_process_tasks'], threads);
  assert.equal(Number(readFileSync(join(folder, 'pids.current'), 'utf8')), threads);
});

test('redis process: blocked by its host, threads and all, without a finding of its own', async (t) => {
  const root = fixtureTree(t, network(160, 6379));
  writeStalledRedis(root, 'before');
  const clock = manualClock();
  const collector = start(t, 'redis://127.0.0.1', { procfs: root, clock });
  clock.advance(5);
  assert.equal(await stateOf(collector), 'S');
  writeStalledRedis(root, 'stalled');
  clock.advance(1);
  clock.advance(41);
  assert.deepEqual(await read(collector), {
    redis_process_state: { R: 0, S: 0, D: 1, T: 0, Z: 0, gone: 0 },
    redis_process_blocked_seconds: { ...notBlocked, host_page_in: 41 },
    redis_listen_queue_length: 4,
  });
  assert.deepEqual(texts(collector), []);
  writeStalledRedis(root, 'healed');
  const healed = await read(collector);
  assert.deepEqual(healed['redis_process_blocked_seconds'], notBlocked);
});

/** The network of a Redis with four connections waiting, in our own namespace. */
function network(pid: number, port: number): Record<string, string> {
  const tcp = tcpText([{ port, queued: 4, uid: 0, inode: 11 }]);
  const fib = fibTrieText(['127.0.0.1']);
  return {
    'self/net/tcp': tcp,
    'self/net/fib_trie': fib,
    [`${pid}/net/tcp`]: tcp,
    [`${pid}/net/fib_trie`]: fib,
  };
}

test('redis process: a reused pid is another process, and a successor is found within seconds', async (t) => {
  const redis = { comm: 'redis-server', state: 'S', startTicks: 500 };
  const root = fixtureTree(t, { ...network(300, 6379), ...processFiles(300, redis) });
  const clock = manualClock();
  const collector = start(t, 'redis://127.0.0.1', { procfs: root, clock });
  assert.equal(await stateOf(collector), 'S');
  writeTree(root, processFiles(300, { comm: 'bash', startTicks: 900 }));
  clock.advance(1);
  assert.equal(await stateOf(collector), 'gone');
  clock.advance(5);
  assert.equal(await stateOf(collector), 'gone');
  writeTree(root, { ...network(310, 6379), ...processFiles(310, { ...redis, startTicks: 950 }) });
  clock.advance(3);
  assert.equal(await stateOf(collector), 'S');
  assert.match(signalOf(collector)?.reason ?? '', /pid is 310/);
});

const series = (families: readonly Family[]) =>
  families.flatMap(({ metric, samples }) => samples.map(({ labels }) => [metric.name, labels]));

test('redis process: what cannot be understood is a failure, and no series goes away', async (t) => {
  const redis = { comm: 'redis-server' };
  const root = fixtureTree(t, { ...network(300, 6379), ...processFiles(300, redis) });
  const clock = manualClock();
  const collector = start(t, 'redis://127.0.0.1', { procfs: root, clock });
  const whole = await collector.collect(AbortSignal.timeout(1000));
  writeTree(root, { '300/stat': 'rubbish' });
  clock.advance(1);
  await assert.rejects(read(collector), (error: Error) => {
    assert.match(error.message, /stat of a task: unexpected text "rubbish"/);
    assert.ok(isIncomplete(error));
    assert.deepEqual(series(error.families), series(whole));
    for (const { metric, samples } of error.families) {
      const known = metric.name === 'redis_listen_queue_length';
      for (const { value } of samples) assert.equal(value, known ? 4 : NaN, metric.name);
    }
    return true;
  });
  writeTree(root, processFiles(300, redis));
  clock.advance(1);
  assert.equal(await stateOf(collector), 'S');
});

test('redis process: a control group that cannot be read takes nothing else away', async (t) => {
  const root = fixtureTree(t, {
    ...network(300, 6379),
    ...processFiles(300, { comm: 'redis-server' }),
    '300/cgroup': '0::/docker/3f2a\n',
  });
  const sysfs = fixtureTree(t, { 'fs/cgroup/docker/3f2a/pids.current': 'max\n' });
  const collector = start(t, 'redis://127.0.0.1', { procfs: root, sysfs, clock: manualClock() });
  await assert.rejects(read(collector), (error: Error) => {
    assert.match(error.message, /pids\.current: unexpected text "max\\n"/);
    assert.ok(isIncomplete(error));
    const values = error.families.flatMap(({ samples }) => samples.map(({ value }) => value));
    assert.ok(values.length > 10 && values.every((value) => !Number.isNaN(value)));
    return true;
  });
});

test('redis process: whoever holds it, and whose pid it has, is told apart', async (t) => {
  const redis = { comm: 'redis-server' };
  const files = { ...network(300, 6379), ...processFiles(300, redis) };
  const stoppedIn = (state: string, more: Record<string, string> = {}) => {
    const root = fixtureTree(t, { ...files, ...more });
    const clock = manualClock();
    const collector = start(t, 'redis://127.0.0.1', { procfs: root, clock });
    clock.advance(1);
    writeTree(root, processFiles(300, { ...redis, state }));
    clock.advance(1);
    const { stopped } = collector.report?.() ?? {};
    return [stopped?.by, stopped?.seenFrom, texts(collector)[0]?.replace(/^.*? is /, '')];
  };
  const kthreadd = processFiles(2, { comm: 'kthreadd' });
  assert.deepEqual(stoppedIn('T', kthreadd), [
    'signal',
    'container',
    'stopped, by SIGSTOP or its like, and answers nothing until it gets SIGCONT.',
  ]);
  assert.deepEqual(stoppedIn('t'), [
    'debugger',
    'part',
    'held by a debugger, and answers nothing until that lets it go.',
  ]);
  assert.deepEqual(stoppedIn('S'), [undefined, undefined, undefined]);
});

test('redis process: a pile of health checks in its container is worth a word', async (t) => {
  const root = fixtureTree(t, {
    ...network(300, 6379),
    ...processFiles(300, { comm: 'valkey-server' }),
    '300/cgroup': '0::/docker/3f2a\n',
  });
  const sysfs = fixtureTree(t, { 'fs/cgroup/docker/3f2a/pids.current': '6100\n' });
  const collector = start(t, 'redis://127.0.0.1', { procfs: root, sysfs, clock: manualClock() });
  assert.equal((await read(collector))['redis_process_tasks'], 6100);
  assert.match(
    texts(collector)[0] ?? '',
    /^warning: 6100 processes and threads are in the container/,
  );
});

test('redis process: on another machine it is absent, and why is said', async (t) => {
  const root = fixtureTree(t, {
    ...network(300, 6379),
    ...processFiles(300, { comm: 'redis-server' }),
  });
  const clock = manualClock();
  const collector = start(t, 'redis://192.0.2.7', { procfs: root, clock });
  assert.deepEqual(await read(collector), {});
  const signal = signalOf(collector);
  assert.equal(signal?.supported, false);
  assert.match(signal.reason, /serves redis:\/\/192\.0\.2\.7:6379: it is another machine's/);
});

test('redis process: a name is resolved in the background, one question at a time', async (t) => {
  const root = fixtureTree(t, {
    ...network(300, 6379),
    ...processFiles(300, { comm: 'redis-server' }),
  });
  const clock = manualClock();
  let questions = 0;
  const answer = Promise.withResolvers<readonly string[]>();
  const resolve = () => {
    questions += 1;
    return answer.promise;
  };
  const collector = start(t, 'redis://redis.example', { procfs: root, clock, resolve });
  clock.advance(60);
  assert.equal(questions, 1);
  assert.match(signalOf(collector)?.reason ?? '', /name of the Redis host has not been resolved/);
  answer.resolve(['127.0.0.1']);
  await new Promise((done) => setImmediate(done));
  clock.advance(1);
  assert.equal(await stateOf(collector), 'S');
});

test('redis process: really blocked on a frozen file system, and what the page says of it', async (t) => {
  const redis = await freezeRedisForReal(t);
  if (redis === undefined) return;
  const collector = start(t, redis.url);
  const tasks = blockedTasksCollector({ procfs: createPseudoFs('/proc'), clock: systemClock });
  t.after(async () => tasks.close?.());
  await until('it is not blocked yet', async () => (await stateOf(collector)) !== 'D');
  await redis.freeze();
  const blocked = async () => {
    const byReason = (await read(collector))['redis_process_blocked_seconds'];
    return Object.entries(byReason ?? {}).filter(([, seconds]) => Number(seconds) > 2);
  };
  await until('it has been blocked for over two seconds', async () => {
    return (await blocked()).length > 0;
  });
  assert.equal(await stateOf(collector), 'D');
  // Where the kernel hides what others wait for, the reason is unknown.
  assert.match(String((await blocked())[0]?.[0]), /^(?:filesystem|unknown)$/);
  assert.deepEqual(texts(collector), []);
  await until('the page tells of it', () =>
    texts(tasks).some((text) =>
      /^bad: redis-server has been blocked in the kernel for [\d.]+ s/.test(text),
    ),
  );
  await redis.thaw();
  await until('it is free again', async () => (await stateOf(collector)) === 'S');
  assert.deepEqual((await read(collector))['redis_process_blocked_seconds'], notBlocked);
});
