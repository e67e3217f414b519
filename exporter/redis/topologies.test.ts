/** A cluster of three masters and a Sentinel with a master and a replica, all real. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { scrape, startCollector, writer } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator } from '../../tools/rig/asynq-simulator.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { parseTargets } from '../config/values.ts';
import { createTargets } from '../http/probe-targets.ts';
import { freePort, type RedisServer, startRedis, until } from '../../tools/rig/redis-server.ts';
import { parseRedisAddress } from './address.ts';
import { openRedis } from './open.ts';
import { createRedisProbe } from './probe.ts';
import { slotCount, slotOf } from './slots.ts';

test('slots: the same as Redis computes', async (t) => {
  const server = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
  const client = openRedis(parseRedisAddress(server.url));
  t.after(() => client.close());
  const keys = [
    '',
    'a',
    '123456789',
    '{tag}x',
    '{}x',
    'a{b}c{d}',
    'asynq:{odd{}:name}:pending',
    'asynq:{}x}:pending',
    '{é',
  ];
  const signal = AbortSignal.timeout(5000);
  const slots = await client.send(
    keys.map((key) => ['CLUSTER', 'KEYSLOT', key] as const),
    signal,
  );
  assert.deepEqual(
    keys.map((key) => slotOf(key)),
    slots,
  );
});

/** Which of three masters has the key. */
const holder = (key: string) => Math.floor(slotOf(key) / Math.ceil(slotCount / 3));

/** Three masters that share the slots, without redis-cli. */
async function startCluster(t: TestContext): Promise<RedisServer[]> {
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3; i += 1) {
    servers.push(
      await startRedis(t, {
        args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '60000'],
      }),
    );
  }
  const share = Math.ceil(slotCount / 3);
  for (const [i, { port }] of servers.entries()) {
    const redis = writer(t, port);
    const last = Math.min(slotCount, (i + 1) * share) - 1;
    await redis.call('CLUSTER', 'ADDSLOTSRANGE', i * share, last);
    await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    const [first] = servers;
    if (i > 0 && first !== undefined) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first.port);
  }
  for (const { port } of servers) {
    const redis = writer(t, port);
    await until('the cluster is whole', async () => {
      const info = String(await redis.call('CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  }
  return servers;
}

test('cluster: queues on every node, and a frozen node costs its own queues only', async (t) => {
  const servers = await startCluster(t);
  const ports = servers.map(({ port }) => port);
  const { Cluster } = await import('ioredis');
  const redis = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
  t.after(() => redis.disconnect());
  const queues = Array.from({ length: 12 }, (_, i) => `queue ${i}`);
  for (const queue of queues) {
    await redis.sadd('asynq:queues', queue);
    await redis.lpush(`asynq:{${queue}}:pending`, 'id');
    await redis.hset(`asynq:{${queue}}:t:id`, 'pending_since', `${Date.now() - 5000}000000`);
    await redis.set(`asynq:{${queue}}:processed`, 7);
  }
  const url = `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  const collector = startCollector(t, { url });
  const { value } = await scrape(collector);
  assert.equal(value('asynq_up'), 1);
  for (const queue of queues) {
    assert.equal(value('asynq_queue_size', queue), 1);
    assert.equal(value('asynq_tasks_processed_total', queue), 7);
    assert.ok((value('asynq_queue_latency_seconds', queue) ?? 0) >= 5);
  }
  // A node that holds queues, but not the list of them.
  const victim =
    queues.map((queue) => holder(`{${queue}}`)).find((node) => node !== holder('asynq:queues')) ??
    0;
  servers[victim]?.freeze();
  await until('the nodes that answer are told from the one that does not', async () => {
    const partial = await scrape(collector);
    if (partial.value('asynq_up') !== 1) return false;
    return queues.every(
      (queue) =>
        Number.isNaN(partial.value('asynq_queue_size', queue)) ===
          (holder(`{${queue}}`) === victim) &&
        partial.value('asynq_tasks_processed_total', queue) === 7,
    );
  });
  servers[victim]?.thaw();
});

async function startSentinel(t: TestContext, masterPort: number): Promise<number> {
  const port = await freePort();
  const directory = fixtureTree(t, {});
  const file = join(directory, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      `dir ${directory}`,
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
      'sentinel down-after-milliseconds mymaster 1000',
      'sentinel failover-timeout mymaster 5000',
    ].join('\n'),
  );
  const child = spawn('redis-server', [file, '--sentinel'], {
    stdio: 'ignore',
    env: { ...process.env, LC_ALL: 'C' },
  });
  t.after(() => void child.kill('SIGKILL'));
  const redis = writer(t, port);
  await until('the Sentinel knows the replica', async () => {
    try {
      const replicas = (await redis.call('SENTINEL', 'replicas', 'mymaster')) as unknown[];
      return replicas.length === 1;
    } catch {
      return false;
    }
  });
  return port;
}

test('sentinel: collector and probe follow the master through a failover', async (t) => {
  const master = await startRedis(t);
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
  const app = asynqSimulator(writer(t, master.port));
  await app.enqueue('default');
  const second = writer(t, replica.port);
  await until('the replica has the task', async () => (await second.dbsize()) >= 3);
  const port = await startSentinel(t, master.port);
  const url = `redis+sentinel://127.0.0.1:${await freePort()},127.0.0.1:${port}/mymaster`;
  const probe = createRedisProbe(parseRedisAddress(url), systemClock);
  t.after(probe.hold());
  await probe.judged(AbortSignal.timeout(10_000));
  const collector = startCollector(t, { url, health: probe });
  await until('the first collection', async () => {
    const { value } = await scrape(collector);
    return value('asynq_queue_size', 'default') === 1;
  });
  assert.equal(probe.state(), 'up');
  // The same as a target of /probe, in a list with another: the URL has commas too.
  const targets = createTargets(parseTargets(`ha=${url},old=${master.url}`), systemClock);
  t.after(() => targets.close());
  const succeeded = async (name: string) =>
    (await targets.probe(name, 2))?.find(({ metric }) => metric.name === 'probe_success')
      ?.samples[0]?.value;
  await until('both targets are up', async () =>
    (await Promise.all(['ha', 'old'].map(succeeded))).every((value) => value === 1),
  );
  // Frozen, not gone: the old master would still be there, and answer nobody.
  master.freeze();
  await until(
    'the replica is master',
    async () => (await second.info('replication')).includes('role:master'),
    30,
  );
  await second.lpush('asynq:{default}:pending', 'another');
  await until(
    'the new master is collected from',
    async () =>
      probe.answers() && (await scrape(collector)).value('asynq_queue_size', 'default') === 2,
    30,
  );
  await until('the target follows', async () => (await succeeded('ha')) === 1, 30);
  assert.equal(await succeeded('old'), 0);
});
