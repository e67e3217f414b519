/** A Redis that runs and refuses: by which word is told in the log, on /status and to the collector, never as a 0. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { logChanges } from '../log/change-log.ts';
import { systemClock } from '../measure/clock.ts';
import { type Family, isIncomplete } from '../core/collector.ts';
import { redisInfoCollector } from '../collectors/redis-info.ts';
import { redisProbeCollector } from '../collectors/redis-probe.ts';
import { reportsOf, statusOf } from '../core/status.ts';
import { writer } from '../../tools/rig/asynq-rig.ts';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { array, bulk, startScripted } from '../../tools/rig/scripted-redis.ts';
import { parseRedisAddress } from './address.ts';
import { watchAnswers } from './answers.ts';
import { openRedis } from './open.ts';
import { createRedisProbe } from './probe.ts';

interface Line {
  readonly check: string;
  readonly code?: string;
  readonly reason: string;
}

interface Watched {
  readonly logged: Line[];
  readonly check: () => { ok: boolean; code?: string | undefined; reason: string };
  /** Sends a question of somebody who reads keys. */
  readonly readKey: () => Promise<unknown>;
  /** What INFO and the rest gave, and why not all. */
  readonly info: () => Promise<{ families: readonly Family[]; problem: string }>;
  readonly up: () => Promise<unknown>;
}

const signal = () => AbortSignal.timeout(5000);

function watch(t: TestContext, url: string): Watched {
  const address = parseRedisAddress(url);
  const config = { redis: address };
  const probe = createRedisProbe(address, systemClock);
  t.after(probe.hold());
  const client = watchAnswers(openRedis(address, { buffers: true }), systemClock);
  const prober = redisProbeCollector({ config, clock: systemClock, redis: probe, client });
  const asker = redisInfoCollector({ config, redis: probe, client });
  t.after(() => asker.close?.());
  const status = () => statusOf(reportsOf([prober]));
  const logged: Line[] = [];
  const note = (fields: object) => void logged.push(fields as Line);
  t.after(logChanges(status, systemClock, { info: note, warn: note }));
  return {
    logged,
    check: () => {
      const found = status().checks.find(({ name }) => name === 'redis');
      assert.ok(found);
      return found;
    },
    readKey: () => client.send([['GET', 'a']], signal()).catch((error: unknown) => error),
    async info() {
      try {
        return { families: await asker.collect(signal()), problem: '' };
      } catch (error) {
        assert.ok(error instanceof Error && isIncomplete(error), String(error));
        return { families: error.families, problem: error.message };
      }
    },
    async up() {
      const families = await prober.collect(signal());
      return families.find(({ metric }) => metric.name === 'redis_up')?.samples[0]?.value;
    },
  };
}

/** What was something before, and is not known now, is not 0. */
function assertNoZero(before: readonly Family[], after: readonly Family[]): void {
  for (const { metric, samples } of before) {
    const now = after.find((family) => family.metric === metric);
    for (const [i, { value }] of samples.entries()) {
      if (value === 0 || metric.name === 'redis_uptime_in_seconds') continue;
      assert.notEqual(now?.samples[i]?.value ?? 0, 0, metric.name);
    }
  }
}

async function refuses(word: string, { logged, check, up }: Watched): Promise<void> {
  await until(`refused with ${word}`, () => check().code === word);
  assert.equal(check().ok, false);
  assert.ok(check().reason.includes(`"${word} `), check().reason);
  assert.equal(await up(), 0);
  await until(`${word} is logged`, () => logged.some(({ code }) => code === word));
  const line = logged.find(({ check, code }) => check === 'redis' && code === word);
  assert.ok(line?.reason.includes(`"${word} `), line?.reason);
}

test('refusing: a replica that lost its master and serves no stale data', async (t) => {
  const port = await freePort();
  const replica = await startRedis(t);
  const watched = watch(t, replica.url);
  await until('up', () => watched.check().ok);
  const { families } = await watched.info();
  const redis = writer(t, replica.port);
  await redis.call('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
  await redis.call('REPLICAOF', '127.0.0.1', String(port));
  await refuses('MASTERDOWN', watched);
  await watched.readKey();
  assert.doesNotMatch(watched.check().reason, /answers PING, /);
  const now = await watched.info();
  assert.equal(now.problem, '', 'INFO is answered');
  assertNoZero(families, now.families);
});

test('refusing: a script that blocks it', async (t) => {
  const server = await startRedis(t, { args: ['--lua-time-limit', '50'] });
  const watched = watch(t, server.url);
  await until('up', () => watched.check().ok);
  const { families } = await watched.info();
  const killer = writer(t, server.port);
  await killer.ping();
  const script = writer(t, server.port).call('EVAL', 'while true do end', '0');
  const ended = script.catch((error: unknown) => String(error));
  await refuses('BUSY', watched);
  const now = await watched.info();
  assert.match(now.problem, /not asked: the probe says error/);
  assertNoZero(families, now.families);
  await killer.call('SCRIPT', 'KILL');
  assert.match(String(await ended), /killed/i);
});

test('refusing: a save that failed', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-gone-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const server = await startRedis(t, { directory });
  const watched = watch(t, server.url);
  await until('up', () => watched.check().ok);
  const { families } = await watched.info();
  const redis = writer(t, server.port);
  rmSync(directory, { recursive: true });
  await redis.call('CONFIG', 'SET', 'save', '3600 1');
  await redis.call('SET', 'a', '1');
  await redis.call('BGSAVE');
  await refuses('MISCONF', watched);
  const now = await watched.info();
  assert.equal(now.problem, '', 'INFO is answered');
  assertNoZero(
    families.filter(({ metric }) => !metric.name.startsWith('redis_rdb_last_bgsave')),
    now.families,
  );
});

test('refusing: one trouble after the other is a line for each', async (t) => {
  let said = '-MISCONF Redis is configured to save RDB snapshots\r\n';
  const peer = await startScripted(t, () => said);
  const watched = watch(t, peer.url);
  await refuses('MISCONF', watched);
  said = '-NOREPLICAS Not enough good replicas to write.\r\n';
  await refuses('NOREPLICAS', watched);
  const { problem } = await watched.info();
  assert.match(problem, /NOREPLICAS/, 'what is refused for that is no missing right');
  assert.deepEqual(
    watched.logged.filter(({ check }) => check === 'redis').map(({ code }) => code),
    ['MISCONF', 'NOREPLICAS'],
  );
});

for (const text of [
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
  'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.',
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
]) {
  const [word = ''] = text.split(' ');
  test(`refusing: ${word} behind something that answers PING itself`, async (t) => {
    const peer = await startScripted(t, ([name = '']) =>
      name.toUpperCase() === 'PING' ? '+PONG\r\n' : `-${text}\r\n`,
    );
    const watched = watch(t, peer.url);
    await until('up', () => watched.check().ok);
    await watched.readKey();
    const { ok, code, reason } = watched.check();
    assert.deepEqual({ ok, code }, { ok: false, code: word });
    assert.ok(reason.includes(`"${word} `), reason);
    assert.doesNotMatch(reason, /proxy/);
    const { problem, families } = await watched.info();
    assert.match(problem, new RegExp(word));
    assert.deepEqual(families, []);
  });
}

test('refusing: part of what is asked, and the words for it', async (t) => {
  let refused = false;
  const answers: Readonly<Record<string, string>> = {
    PING: '+PONG\r\n',
    'CONFIG GET save': array(bulk('save'), bulk('3600 1')),
    'SLOWLOG LEN': ':3\r\n',
    'SLOWLOG GET 1': array(),
    'LATENCY LATEST': array(),
    INFO: bulk('# Server\r\nrun_id:1\r\n'),
    'INFO commandstats': bulk('# Commandstats\r\ncmdstat_get:calls=4,usec=9\r\n'),
  };
  const peer = await startScripted(t, (command) => {
    const name = command.join(' ');
    const answer = answers[name] ?? '-ERR unknown command\r\n';
    return refused && !['PING', 'INFO'].includes(name) ? '-LOADING loading\r\n' : answer;
  });
  const watched = watch(t, peer.url);
  await until('up', () => watched.check().ok);
  const before = await watched.info();
  refused = true;
  const after = await watched.info();
  assert.match(after.problem, /LOADING/);
  const value = (name: string) =>
    after.families.find(({ metric }) => metric.name === name)?.samples[0]?.value;
  assert.deepEqual(
    ['redis_rdb_save_enabled', 'redis_slowlog_length', 'redis_commands_total'].map(value),
    [Number.NaN, Number.NaN, 4],
  );
  assertNoZero(before.families, after.families);
});
