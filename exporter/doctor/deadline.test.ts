/** The command as it ships, while what it asks stands still: an answer within 3 s, and an end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { freezeRedisForReal } from '../../tools/rig/frozen-filesystem.ts';
import { startExporter } from '../../tools/rig/exporter-process.ts';
import { startOwner } from '../../tools/rig/owner.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { type Stopwatch, stopwatch } from '../../tools/rig/waited.ts';
import type { Result } from './check.ts';

const launcher = join(import.meta.dirname, '..', 'stealwatch');

interface Ran {
  readonly results: readonly Result[];
  readonly code: number | null;
  readonly said: string;
  /** From the start of Node to its last word, and to its end. */
  readonly seconds: { readonly words: number; readonly end: number };
  readonly watch: Stopwatch;
}

async function doctor(argv: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const watch = stopwatch();
  const child = spawn(launcher, ['doctor', '--json', ...argv], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, said, words] = ['', '', 0];
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    words = watch.ms() / 1000;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const { results } = JSON.parse(text) as { results: Result[] };
  return { results, code, said, seconds: { words, end: watch.ms() / 1000 }, watch };
}

const stateOf = ({ results }: Ran, id: string) => results.find((one) => one.id === id)?.state;
const reasonOf = ({ results }: Ran, id: string) => results.find((one) => one.id === id)?.reason;

/** 3 s are its own and the start of Node, and as much again where the disk is slow. */
const longest = 6;

function inTime(t: TestContext, ran: Ran): void {
  t.diagnostic(
    `${ran.seconds.words.toFixed(2)} s to the last word, ${ran.seconds.end.toFixed(2)} s to the end`,
  );
  ran.watch.within(longest * 1000, 'doctor');
}

test('doctor: beside a frozen Redis and its exporter', async (t) => {
  const redis = await startRedis(t);
  const exporter = await startExporter(t, ['--redis-url', redis.url]);
  const argv = ['--redis-url', redis.url, '--exporter', exporter.url];
  const before = await doctor(argv);
  inTime(t, before);
  assert.equal(stateOf(before, 'redis'), 'pass');
  assert.equal(stateOf(before, 'exporter'), 'pass');
  redis.freeze();
  await until('the exporter has seen it', async () => {
    const answer = await fetch(`${exporter.url}/status`);
    return answer.status === 503;
  });
  const frozen = await doctor(argv);
  inTime(t, frozen);
  assert.equal(frozen.code, 2);
  assert.match(reasonOf(frozen, 'redis') ?? '', /no answer within/);
  assert.equal(stateOf(frozen, 'exporter'), 'pass', reasonOf(frozen, 'exporter'));
  assert.equal(stateOf(frozen, 'outside-monitoring'), 'fail', 'only this machine asks');
  assert.equal(stateOf(frozen, 'rdb-save-points'), 'cannot_see');
});

test('doctor: where everything accepts and nothing answers', async (t) => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ran = await doctor([], {
    REDIS_URL: `redis://:s3cret@${place}`,
    STEALWATCH_LISTEN: place,
    STEALWATCH_ALERTMANAGER_URL: `http://ann:s3cret@${place}/`,
  });
  inTime(t, ran);
  for (const id of ['redis', 'exporter', 'alert-route']) {
    assert.equal(stateOf(ran, id), 'fail', reasonOf(ran, id));
    assert.match(reasonOf(ran, id) ?? '', /no answer within/);
  }
  assert.doesNotMatch(JSON.stringify(ran.results), /s3cret/);
});

test('doctor: where the name of Redis is looked up in vain', async (t) => {
  const ran = await doctor(['--redis-url', 'redis://redis.invalid:6379']);
  inTime(t, ran);
  assert.equal(stateOf(ran, 'redis'), 'fail', reasonOf(ran, 'redis'));
});

test('doctor: pipes in the place of its files', async (t) => {
  const root = fixtureTree(t, { 'etc/x': '', 'proc/x': '', 'sys/x': '', 'dev/x': '' });
  for (const path of [
    'etc/machine-id',
    'etc/default',
    'proc/interrupts',
    'sys/kernel',
    'dev/kmsg',
  ]) {
    execFileSync('mkfifo', [join(root, path)]);
  }
  const ran = await doctor(['--root', root]);
  inTime(t, ran);
  assert.match(reasonOf(ran, 'journal') ?? '', /machine-id: it is no regular file/);
  assert.match(reasonOf(ran, 'hung-task-budget') ?? '', /is a pipe, a socket or a device/);
});

test('doctor: its files on a file system that is frozen, and Redis in D state', async (t) => {
  const redis = await freezeRedisForReal(t);
  if (redis === undefined) return;
  for (const path of ['proc', 'sys', 'etc/sysstat', 'var/log']) {
    execFileSync('mkdir', ['-p', join(redis.directory, path)]);
  }
  execFileSync('cp', ['/proc/meminfo', join(redis.directory, 'proc')]);
  await redis.freeze();
  const ran = await doctor(['--root', redis.directory, '--redis-url', redis.url]);
  inTime(t, ran);
  assert.equal(stateOf(ran, 'redis'), 'fail', reasonOf(ran, 'redis'));
  assert.match(reasonOf(ran, 'redis') ?? '', /no answer within/);
  await redis.thaw();
});

const silent = join(import.meta.dirname, '..', '..', 'tools', 'rig', 'silent-filesystem.sh');
const noFuse =
  process.getuid?.() === 0 && existsSync('/dev/fuse') ? false : 'needs root and /dev/fuse';

test(
  'doctor: logs on a disk that answers nobody, and the rest of the machine',
  { skip: noFuse },
  async (t) => {
    const root = fixtureTree(t, {
      'etc/machine-id': `${'0'.repeat(32)}\n`,
      'etc/sysstat/sysstat': 'SADC_OPTIONS="-S DISK,INT"\n',
      'var/log/x': '',
    });
    const owner = await startOwner(silent, [join(root, 'var/log')], 'a silent file system', 20);
    // Not in t.after: the folder is removed there, by whoever would wait for it.
    let ran: Ran;
    try {
      ran = await doctor(['--root', root]);
    } finally {
      await owner.release();
    }
    inTime(t, ran);
    assert.match(
      reasonOf(ran, 'journal') ?? '',
      /^\/var\/log\/\S+ does not answer, waited 1\.5 s$/,
    );
    assert.equal(stateOf(ran, 'sysstat-interrupts'), 'pass', reasonOf(ran, 'sysstat-interrupts'));
    assert.equal(
      stateOf(ran, 'container-pids-limit'),
      'pass',
      reasonOf(ran, 'container-pids-limit'),
    );
    assert.equal(ran.code, 2, 'its own code, and not that of a signal');
    assert.match(ran.said, /A thread of this command waits for \/var\/log\/\S/);
  },
);
