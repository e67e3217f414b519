import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../measure/clock.ts';
import type { Collector, Family } from '../core/collector.ts';
import { isolate, type Outcome, startDeadline } from '../core/isolate.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { createRedisClient, type RedisCommand } from '../redis/client.ts';
import { createRedisProbe, type RedisProbe } from '../redis/probe.ts';
import { replicationFields } from '../redis/replication-fields.ts';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { array, bulk, startScripted } from '../../tools/rig/scripted-redis.ts';
import { fetchServersAdvice, serverNames, serverProgram } from '../../tools/rig/servers.ts';
import { redisInfoCollector } from './redis-info.ts';

interface Watching {
  readonly probe: RedisProbe;
  readonly collector: Collector;
  readonly pids: (number | undefined)[];
  readonly scrape: () => Promise<Outcome>;
}

function start(t: TestContext, url: string): Watching {
  const redis = parseRedisAddress(url);
  const probe = createRedisProbe(redis, systemClock);
  const pids: (number | undefined)[] = [];
  const collector = redisInfoCollector({
    config: { redis },
    redis: probe,
    noteProcessId: (pid) => pids.push(pid),
  });
  const isolated = isolate(collector, systemClock);
  const letGo = probe.hold();
  // The probe's timers and sockets keep no process alive; here they are what is waited for.
  const alive = setInterval(() => undefined, 1000);
  t.after(async () => {
    clearInterval(alive);
    letGo();
    await collector.close?.();
  });
  return { probe, collector, pids, scrape: () => isolated.run(startDeadline(5)) };
}

async function send(t: TestContext, url: string, ...commands: RedisCommand[]): Promise<void> {
  const client = createRedisClient(parseRedisAddress(url), { timeoutMs: 10_000 });
  t.after(() => client.close());
  await client.send(commands, AbortSignal.timeout(10_000));
}

function valueOf(families: readonly Family[], name: string, label?: string): unknown {
  return families
    .find(({ metric }) => metric.name === name)
    ?.samples.find(({ labels }) => label === undefined || Object.values(labels).includes(label))
    ?.value;
}

const seriesCount = (families: readonly Family[]) =>
  families.reduce((sum, { samples }) => sum + samples.length, 0);

const seriesOf = (families: readonly Family[]) =>
  families.flatMap(({ metric, samples }) =>
    samples.map(({ labels }) => `${metric.name}${JSON.stringify(labels)}`),
  );

/** What a master says nothing of. */
const ofReplicas = new Set(replicationFields.map(({ metric }) => metric.name));

for (const name of serverNames) {
  const program = serverProgram(name);
  const skip = program === undefined ? `no ${name} here; ${fetchServersAdvice}` : false;
  test(`redis-info: every family of a real ${name}`, { skip }, async (t) => {
    const server = await startRedis(t, {
      program: program ?? '',
      args: '--appendonly yes --slowlog-log-slower-than 0 --latency-monitor-threshold 1'.split(' '),
    });
    await send(t, `${server.url}/3`, ['SET', 'k', 'v', 'EX', 100], ['GET', 'no'], ['BGSAVE']);
    // A spike for LATENCY LATEST; DEBUG SLEEP is off by default.
    await send(t, server.url, ['EVAL', 'for i=1,3000000 do end', 0]);
    const { collector, scrape, pids, probe } = start(t, `${server.url}/3`);
    const { success, families, error } = await scrape();
    assert.equal(error, undefined);
    assert.ok(success);
    assert.deepEqual(
      families.map(({ metric }) => metric.name).sort(),
      collector.metrics
        .map((metric) => metric.name)
        .filter((metric) => !ofReplicas.has(metric))
        .sort(),
    );
    const value = (metric: string, label?: string) => valueOf(families, metric, label);
    assert.equal(value('redis_db_keys', 'db3'), 1);
    assert.equal(value('redis_db_keys_expiring', 'db3'), 1);
    assert.equal(value('redis_db_keys', 'db0'), 0);
    assert.equal(value('redis_rdb_save_enabled'), 0);
    assert.equal(value('redis_aof_enabled'), 1);
    assert.equal(value('redis_rdb_last_bgsave_status'), 1);
    assert.equal(value('redis_keyspace_misses_total'), 1);
    assert.equal(value('redis_commands_total', 'set'), 1);
    assert.equal(value('redis_restarts_total'), 0);
    assert.ok(Number(value('redis_latest_fork_seconds')) > 0);
    assert.ok(Number(value('redis_slowlog_length')) > 3);
    assert.ok(Number(value('redis_latency_spike_duration_seconds', 'command')) >= 0.001);
    assert.deepEqual(pids, [server.pid]);
    assert.deepEqual(collector.report?.().findings, []);
    assert.equal(probe.state(), 'up');
    t.diagnostic(
      `${name} ${JSON.stringify(families.find(({ metric }) => metric.name === 'redis_instance_info')?.samples[0]?.labels)}`,
    );
  });
}

test('redis-info: while Redis is frozen it is not asked, and no series goes away', async (t) => {
  const server = await startRedis(t, { args: ['--appendonly', 'yes'] });
  const { probe, scrape } = start(t, server.url);
  const before = await scrape();
  server.freeze();
  // Before the probe knows, one scrape runs into the deadline of its own.
  const surprised = await scrape();
  assert.match(surprised.error?.message ?? '', /no answer in the time the caller had/);
  assert.equal(seriesCount(surprised.families), seriesCount(before.families));
  await until('frozen', () => probe.state() === 'frozen');
  for (let i = 0; i < 20; i++) {
    const { success, families, durationSeconds, error } = await scrape();
    assert.equal(success, false);
    assert.equal(error?.message, 'not asked: the probe says frozen');
    assert.ok(durationSeconds < 0.5);
    assert.equal(seriesCount(families), seriesCount(before.families));
    assert.equal(valueOf(families, 'redis_connected_clients'), Number.NaN);
    assert.equal(valueOf(families, 'redis_instance_info'), 1);
    assert.equal(
      valueOf(families, 'redis_commands_processed_total'),
      valueOf(before.families, 'redis_commands_processed_total'),
    );
  }
  server.thaw();
  await until('asked again', async () => (await scrape()).success, 5);
});

test('redis-info: never connected, there is no family', async (t) => {
  const { scrape } = start(t, `redis://127.0.0.1:${await freePort()}`);
  const { success, families, error } = await scrape();
  assert.deepEqual([success, families], [false, []]);
  assert.equal(error?.message, 'not asked: the probe says refused');
});

test('redis-info: what an ACL forbids is absent, and NaN when it was there', async (t) => {
  const acl = ['--user', 'watcher', 'on', '>pw', '+ping', '+info', '+select'];
  const server = await startRedis(t, { args: acl });
  const { scrape } = start(t, `redis://watcher:pw@127.0.0.1:${server.port}/3`);
  const gated = ['redis_rdb_save_enabled', 'redis_slowlog_length', 'redis_latency_spike_last'];
  const first = await scrape();
  assert.ok(first.success, first.error?.message);
  assert.deepEqual(
    gated.filter((name) => first.families.some(({ metric }) => metric.name === name)),
    [],
  );
  assert.equal(valueOf(first.families, 'redis_up'), undefined);
  const allow = (rule: string) => send(t, server.url, ['ACL', 'SETUSER', 'watcher', rule]);
  await allow('+config|get');
  await send(t, server.url, ['CONFIG', 'SET', 'save', '3600 1']);
  assert.equal(valueOf((await scrape()).families, 'redis_rdb_save_enabled'), 1);
  await allow('-config|get');
  const after = await scrape();
  assert.ok(after.success);
  assert.equal(valueOf(after.families, 'redis_rdb_save_enabled'), Number.NaN);
});

test('redis-info: a restart is counted, a reset of the statistics is not', async (t) => {
  const server = await startRedis(t);
  const { probe, scrape } = start(t, server.url);
  const before = await scrape();
  await send(t, server.url, ['CONFIG', 'RESETSTAT']);
  const reset = await scrape();
  assert.equal(valueOf(reset.families, 'redis_restarts_total'), 0);
  const after = new Set(seriesOf(reset.families));
  assert.deepEqual(
    seriesOf(before.families).filter((series) => !after.has(series)),
    [],
  );
  await server.stop();
  await until('noticed', () => probe.state() === 'refused');
  assert.equal((await scrape()).success, false);
  await startRedis(t, { port: server.port });
  await until('up', () => probe.state() === 'up');
  assert.equal(valueOf((await scrape()).families, 'redis_restarts_total'), 1);
  assert.equal(valueOf((await scrape()).families, 'redis_restarts_total'), 1);
});

test('redis-info: a failed save is a finding', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-gone-'));
  const server = await startRedis(t, { directory });
  rmSync(directory, { recursive: true });
  const { collector, scrape } = start(t, server.url);
  await send(t, server.url, ['BGSAVE']);
  await until('failed', async () => {
    await sleep(100);
    return valueOf((await scrape()).families, 'redis_rdb_last_bgsave_status') === 0;
  });
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /^The last background save/);
});

test('redis-info: gauges that only grow keep their last value while Redis does not answer', async (t) => {
  const server = await startRedis(t, {
    args: '--appendonly yes --slowlog-log-slower-than 0'.split(' '),
  });
  const { probe, scrape } = start(t, server.url);
  const before = await scrape();
  const growing = ['redis_aof_delayed_fsync', 'redis_slowlog_last_id'];
  for (const name of growing) assert.ok(Number.isFinite(valueOf(before.families, name)), name);
  server.freeze();
  await until('frozen', () => probe.state() === 'frozen');
  const during = await scrape();
  assert.equal(during.success, false);
  for (const name of growing) {
    assert.equal(valueOf(during.families, name), valueOf(before.families, name), name);
  }
  assert.equal(valueOf(during.families, 'redis_aof_pending_bio_fsync'), Number.NaN);
  server.thaw();
});

interface Words {
  readonly info: string;
  readonly stats?: string;
  readonly slowlog?: string;
}

/** A Redis that says of itself what it is told to. */
async function startTeller(t: TestContext, words: () => Words): Promise<string> {
  const server = await startScripted(t, ([name, sub]) => {
    const { info, stats = '# Commandstats\r\n', slowlog = array() } = words();
    if (name === 'PING') return '+PONG\r\n';
    if (name === 'INFO') return bulk(sub === undefined ? info : stats);
    if (name === 'SLOWLOG') return sub === 'LEN' ? ':0\r\n' : slowlog;
    return array();
  });
  return server.url;
}

test('redis-info: an odd value fails the collector by name, and costs nothing else', async (t) => {
  let words: Words = {
    info: 'run_id:a\r\nprocess_id:1\r\nused_memory:10\r\nexpired_keys:7\r\nmaxmemory:1\r\n',
  };
  const { collector, pids, scrape } = start(t, await startTeller(t, () => words));
  assert.ok((await scrape()).success);
  words = {
    info: 'run_id:a\r\nprocess_id:x\r\nused_memory:lots\r\nexpired_keys:?\r\nmaxmemory:2\r\n',
    slowlog: '+odd\r\n',
  };
  const { success, families, error } = await scrape();
  assert.equal(success, false);
  assert.match(error?.message ?? '', /^INFO: process_id is "x", expected a number$/);
  const value = (name: string) => valueOf(families, name);
  assert.equal(value('redis_memory_used_bytes'), Number.NaN);
  assert.equal(value('redis_process_id'), Number.NaN);
  assert.equal(value('redis_slowlog_last_id'), 0);
  assert.equal(value('redis_expired_keys_total'), 7);
  assert.equal(value('redis_memory_max_bytes'), 2);
  assert.equal(value('redis_slowlog_length'), 0);
  assert.equal(value('redis_restarts_total'), 0);
  assert.deepEqual(pids, [1, undefined]);
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /process_id is "x"/);
  words = { info: 'used_memory:11\r\n' };
  const after = await scrape();
  assert.ok(after.success);
  assert.equal(valueOf(after.families, 'redis_memory_used_bytes'), 11);
  assert.deepEqual(collector.report?.().findings, []);
});

test('redis-info: a count of -1 is not given, or stays what it was', async (t) => {
  let rejected = -1;
  const url = await startTeller(t, () => ({ info: `rejected_connections:${rejected}\r\n` }));
  const { scrape } = start(t, url);
  const value = async () => valueOf((await scrape()).families, 'redis_rejected_connections_total');
  assert.equal(await value(), undefined);
  rejected = 3;
  assert.equal(await value(), 3);
  rejected = -1;
  assert.equal(await value(), 3);
});

test('redis-info: a Sentinel under redis:// has no keys, and is called what it is', async (t) => {
  const url = await startTeller(t, () => ({ info: '# Server\r\nredis_mode:sentinel\r\n' }));
  const { collector, scrape } = start(t, url);
  const { success, families, error } = await scrape();
  assert.deepEqual([success, families], [false, []]);
  assert.match(error?.message ?? '', /is a Sentinel, which holds no data: redis\+sentinel:\/\//);
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /is a Sentinel/);
});

test('redis-info: a slow log of 60 MB is not read', async (t) => {
  let slowlog = array();
  const url = await startTeller(t, () => ({ info: 'maxmemory:1\r\n', slowlog }));
  const { scrape } = start(t, url);
  assert.ok((await scrape()).success);
  slowlog = array(array(':1\r\n', ':2\r\n', ':3\r\n', array(bulk('x'.repeat(60 << 20)))));
  const { success, error, families } = await scrape();
  assert.equal(success, false);
  assert.match(error?.message ?? '', /a reply of over 4 MiB/);
  assert.equal(valueOf(families, 'redis_memory_max_bytes'), 1);
});

test('redis-info: what another process counted before is no increase', async (t) => {
  let info = '';
  const url = await startTeller(t, () => ({
    info,
    stats: '# Commandstats\r\ncmdstat_get:calls=5,usec=5\r\n',
  }));
  const { collector, scrape } = start(t, url);
  const tell = async (run: string, count: number, uptime: number) => {
    info = `run_id:${run}\r\nuptime_in_seconds:${uptime}\r\nrejected_connections:${count}\r\naof_delayed_fsync:${count}\r\n`;
    const { families, success, error } = await scrape();
    assert.ok(success, error?.message);
    const rejected = valueOf(families, 'redis_rejected_connections_total');
    assert.equal(valueOf(families, 'redis_aof_delayed_fsync'), rejected);
    assert.equal(valueOf(families, 'redis_commands_total', 'get'), 5);
    return rejected;
  };
  assert.equal(await tell('a', 2, 1000), 2);
  assert.equal(await tell('b', 40, 90_000), 2);
  assert.equal(await tell('b', 43, 90_000), 5);
  assert.deepEqual(collector.report?.().findings, []);
  assert.equal(await tell('a', 2, 1000), 5);
  assert.equal(await tell('b', 60, 90_000), 5);
  assert.match(collector.report?.().findings?.[0]?.text ?? '', /Several Redis processes answer/);
  // CONFIG RESETSTAT.
  assert.equal(await tell('b', 1, 90_000), 1);
});

const latency = (milliseconds: number) =>
  array(array(bulk('fork'), ':1700000000\r\n', `:${milliseconds}\r\n`, ':9\r\n'));

test('redis-info: numbers that cannot be are left out, and NaN where there was one', async (t) => {
  let info = 'used_memory:5\r\nlatest_fork_usec:-1\r\nrdb_last_bgsave_time_sec:-1\r\n';
  let milliseconds = 6;
  const { url } = await startScripted(t, ([name, sub]) => {
    if (name === 'PING') return '+PONG\r\n';
    if (name === 'INFO') return bulk(sub === undefined ? info : '# Commandstats\r\n');
    if (name === 'SLOWLOG') return sub === 'LEN' ? ':0\r\n' : array();
    return name === 'LATENCY' ? latency(milliseconds) : array();
  });
  const { scrape } = start(t, url);
  const first = await scrape();
  assert.ok(first.success);
  assert.equal(valueOf(first.families, 'redis_latest_fork_usec'), undefined);
  assert.equal(valueOf(first.families, 'redis_rdb_last_bgsave_duration_sec'), -1);
  for (const [text, error] of [
    ['used_memory:-5', /used_bytes would be -5/],
    ['used_memory:6\r\nlatest_fork_usec:-7', /latest_fork_usec would be -7/],
    [
      'used_memory:6\r\nused_memory_rss:18446744073709551616',
      /rss_bytes would be 18446744073709552000/,
    ],
  ] as const) {
    info = `${text}\r\n`;
    const now = await scrape();
    assert.equal(now.success, false);
    assert.match(now.error?.message ?? '', error);
    assert.ok(!(Number(valueOf(now.families, 'redis_memory_used_bytes')) < 0));
    assert.ok(!(Number(valueOf(now.families, 'redis_memory_used_rss_bytes')) > 0));
  }
  info = 'used_memory:5\r\n';
  milliseconds = -6;
  const odd = await scrape();
  assert.match(odd.error?.message ?? '', /LATENCY LATEST: unexpected reply .*-6/);
  assert.equal(valueOf(odd.families, 'redis_latency_spike_duration_seconds'), Number.NaN);
});

test('redis-info: a CONFIG that is never answered costs INFO nothing', async (t) => {
  const { url } = await startScripted(t, ([name]) => {
    if (name === 'PING') return '+PONG\r\n';
    return name === 'INFO' ? bulk('used_memory:5\r\n') : undefined;
  });
  const { scrape } = start(t, url);
  for (let i = 0; i < 3; i += 1) {
    const { success, families } = await scrape();
    assert.equal(success, false);
    assert.equal(valueOf(families, 'redis_memory_used_bytes'), 5);
  }
});

test('redis-info: INFO is odd while a CONFIG is never answered, and that ends one scrape', async (t) => {
  let info = bulk('used_memory:5\r\n');
  const { url } = await startScripted(t, ([name]) => {
    if (name === 'PING') return '+PONG\r\n';
    return name === 'INFO' ? info : undefined;
  });
  const { scrape } = start(t, url);
  assert.equal(valueOf((await scrape()).families, 'redis_memory_used_bytes'), 5);
  info = ':5\r\n';
  // Both fail, and nobody is left who hears of the second: that would end the process.
  assert.match((await scrape()).error?.message ?? '', /INFO: the reply is no text/);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  info = bulk('used_memory:6\r\n');
  assert.equal(valueOf((await scrape()).families, 'redis_memory_used_bytes'), 6);
});
