/** Some answers and some not: a node of a cluster that is frozen, one that is no cluster to us. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRedisAddress } from '../redis/address.ts';
import { createRedisClient, type RedisClient, type RedisCommand } from '../redis/client.ts';
import { asynqRig, type Rig, scrape, startCollector } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator, fakeServer } from '../../tools/rig/asynq-simulator.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

/** A client whose commands on some keys get an Error, as the cluster's gives it. */
function failing(
  t: TestContext,
  { server }: Rig,
  errorFor: (command: RedisCommand) => string | undefined,
): RedisClient {
  const client = createRedisClient(parseRedisAddress(server.url), { buffers: true });
  t.after(() => client.close());
  return {
    ...client,
    async send(commands, signal) {
      const replies = await client.send(commands, signal);
      return replies.map((reply, i) => {
        const command = commands[i];
        const text = command === undefined ? undefined : errorFor(command);
        return text === undefined ? reply : new Error(text);
      });
    },
  };
}

const silent = 'redis://10.0.0.2:6379: no answer within 2000 ms';
const place = (server: { host: string; pid: number; id: string }) =>
  `{${server.host}:${server.pid}:${server.id}}`;

test('a node with the heartbeat of a server is frozen: no queue is said to have no consumers', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  const [served, other] = [fakeServer(['here']), { ...fakeServer(['here', 'there']), pid: 2 }];
  for (const queue of ['here', 'there', 'nowhere']) await app.enqueue(queue);
  const id = await app.dequeue('there');
  const work = { taskId: id, queue: 'there', taskType: 'job', startSeconds: Date.now() / 1000 - 9 };
  await app.heartbeat(served);
  await app.heartbeat(other, [work]);
  let frozen = false;
  const client = failing(t, rig, (command) =>
    frozen && String(command[1]).includes(place(other)) ? silent : undefined,
  );
  const collector = startCollector(t, { url: rig.server.url, client });
  const whole = await scrape(collector);
  assert.equal(whole.value('asynq_queue_consumers', 'there'), 1);
  assert.equal(whole.value('asynq_queue_consumers', 'nowhere'), 0);
  assert.equal(whole.value('asynq_queue_busy_workers', 'there'), 1);
  frozen = true;
  const { value, error } = await scrape(collector);
  assert.match(error ?? '', /no answer within 2000 ms/);
  assert.equal(value('asynq_up'), 1);
  for (const queue of ['here', 'there', 'nowhere']) {
    for (const name of [
      'consumers',
      'consumer_concurrency',
      'busy_workers',
      'oldest_active_seconds',
    ])
      assert.ok(Number.isNaN(value(`asynq_queue_${name}`, queue)), `${name} of ${queue}`);
    assert.ok((value('asynq_queue_tasks', queue, 'pending') ?? -1) >= 0, 'its node answers');
  }
  for (const status of ['new', 'active', 'stopped', 'closed'])
    assert.ok(Number.isNaN(value('asynq_servers', status)));
  assert.equal(value('asynq_server_concurrency', `${served.host}:${served.pid}`), 4);
  assert.ok(Number.isNaN(value('asynq_server_concurrency', `${other.host}:2`)));
  assert.ok((value('asynq_server_last_heartbeat_timestamp_seconds', `${other.host}:2`) ?? 0) > 0);
  assert.equal(collector.report?.().checks?.[0]?.state, 'partial');
});

test('the node with the list of servers is frozen: the servers of before, without numbers', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.enqueue('default');
  await app.heartbeat(fakeServer(['default']));
  let frozen = false;
  const client = failing(t, rig, ([, key]) =>
    frozen && key === 'asynq:servers' ? silent : undefined,
  );
  const collector = startCollector(t, { url: rig.server.url, client });
  await scrape(collector);
  frozen = true;
  const { value } = await scrape(collector);
  assert.ok(Number.isNaN(value('asynq_servers_expired')));
  assert.ok(Number.isNaN(value('asynq_server_busy_workers', 'vm:10511')));
  assert.ok(Number.isNaN(value('asynq_queue_consumers', 'default')));
  assert.equal(value('asynq_queue_size', 'default'), 1);
});

test('a heartbeat that does not decode: served queues keep their number, none is said to have none', async (t) => {
  const { redis, scrape } = await asynqRig(t);
  const app = asynqSimulator(redis);
  await app.enqueue('served');
  await app.enqueue('unserved');
  await app.heartbeat(fakeServer(['served']));
  const broken = `{vm:7:${randomUUID()}}`;
  await redis.set(`asynq:servers:${broken}`, Buffer.from('0a02766d108f', 'hex'));
  await redis.zadd('asynq:servers', 9_999_999_999, `asynq:servers:${broken}`);
  const { value, error } = await scrape();
  assert.match(error ?? '', /decode: protobuf: a number is cut off at byte 6 of 6: 0a02766d108f/);
  assert.equal(value('asynq_queue_consumers', 'served'), 1);
  assert.ok(Number.isNaN(value('asynq_queue_consumers', 'unserved')));
  assert.ok(Number.isNaN(value('asynq_server_concurrency', 'vm:7')));
  assert.equal(value('asynq_servers', 'active'), 1);
});

test('a node of a cluster given as a single server is told as what it is', async (t) => {
  const rig = await asynqRig(t);
  const app = asynqSimulator(rig.redis);
  await app.enqueue('here');
  await app.enqueue('there');
  const elsewhere = (keys: RegExp) =>
    startCollector(t, {
      url: rig.server.url,
      client: failing(t, rig, ([, key]) =>
        keys.test(String(key)) ? 'MOVED 3999 10.0.0.3:6379' : undefined,
      ),
    });
  for (const keys of [/^asynq:queues$/, /^asynq:\{/, /^asynq:\{there/]) {
    const collector = elsewhere(keys);
    const { value, error } = await scrape(collector);
    const wanted =
      /this is a node of a cluster: its address is redis\+cluster:\/\/HOST:PORT .*MOVED/;
    assert.match(error ?? '', wanted);
    assert.match(collector.report?.().checks?.[0]?.reason ?? '', wanted);
    assert.match(JSON.stringify(collector.report?.().findings), wanted);
    assert.ok((value('asynq_errors_total', 'moved') ?? 0) > 0);
  }
});

test('a collection that is always late: one scrape waits for it, none after that', async (t) => {
  const rig = await asynqRig(t);
  await asynqSimulator(rig.redis).enqueue('default');
  const client = createRedisClient(parseRedisAddress(rig.server.url), { buffers: true });
  t.after(() => client.close());
  const collector = startCollector(t, {
    url: rig.server.url,
    client: {
      ...client,
      async send(commands, signal) {
        await sleep(600);
        return client.send(commands, signal);
      },
    },
  });
  const first = stopwatch();
  await scrape(collector);
  assert.ok(first.ms() > 600, 'the first one waits for what it may get');
  const scrapesAtOnce = async () => {
    const watch = stopwatch();
    await scrape(collector);
    watch.within(300, 'a scrape while the same collection is under way');
  };
  await scrapesAtOnce();
  await until('it is read', async () => (await scrape(collector)).value('asynq_up') === 1);
  for (let i = 0; i < 4; i += 1) {
    await sleep(800);
    await scrapesAtOnce();
  }
  assert.equal((await scrape(collector)).value('asynq_queue_size', 'default'), 1);
});
