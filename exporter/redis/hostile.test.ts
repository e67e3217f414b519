/** A peer that means no good, or a bug in somebody's client: it costs who asked, and little. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { bulk, startScripted } from '../../tools/rig/scripted-redis.ts';
import { parseRedisAddress } from './address.ts';
import { createRedisClient, type RedisClient, type RedisClientOptions } from './client.ts';

const patient = () => AbortSignal.timeout(10_000);

function clientOf(t: TestContext, url: string, options: RedisClientOptions = {}): RedisClient {
  const client = createRedisClient(parseRedisAddress(url), { timeoutMs: 3000, ...options });
  t.after(() => client.close());
  return client;
}

/** Writes until the other side has gone. */
function pour(socket: Socket, head: string): void {
  socket.write(head);
  const piece = Buffer.alloc(1 << 20, 'x');
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

test('hostile: a reply over its bounds ends the connection, and fails who asked alone', async (t) => {
  const heads: Record<string, string> = {
    HUGE: '$536870912\r\n',
    LINE: '+',
    ARRAY: '*2147483647\r\n',
    BULK: `$${20 << 20}\r\n`,
  };
  const server = await startScripted(t, ([name = ''], socket) => {
    const head = heads[name];
    if (head === undefined) return bulk('well');
    pour(socket, head);
    return undefined;
  });
  const client = clientOf(t, server.url);
  const before = process.memoryUsage().rss;
  for (const name of Object.keys(heads)) {
    const large = client.send([[name]], patient());
    // Asked while the other is under way.
    const small = client.send([['INFO']], patient(), 'short');
    await assert.rejects(large, /a reply of over 16 MiB|a line of over 16384 bytes/, name);
    assert.deepEqual(await small, ['well'], name);
  }
  assert.ok(process.memoryUsage().rss - before < 100 << 20);
  await until('the connections have ended', () => server.open() === 1);
});

test('hostile: depth cannot be hidden where two readers do not agree on the end of a line', async (t) => {
  const deep = '*1\r\n'.repeat(1 << 20);
  // What one reader takes for a bulk string, another reads as arrays in arrays.
  const heads = [`$${deep.length}\n`, `$${deep.length}\rx\n`, `+x\r$${deep.length}\n`, '*1\n'];
  const server = await startScripted(t, ([, head]) =>
    head === undefined ? bulk('well') : `${heads[Number(head)]}${deep}\r\n`,
  );
  const client = clientOf(t, server.url);
  for (const i of heads.keys()) {
    await assert.rejects(client.send([['DEEP', i]], patient()), /a line that is none/);
  }
  assert.deepEqual(await client.send([['INFO']], patient()), ['well']);
});

test('hostile: what is no reply, or comes unasked, ends the connection in its own words', async (t) => {
  const server = await startScripted(t, ([name], socket) => {
    if (name === 'PUSH') return '>2\r\n+message\r\n+x\r\n';
    if (name === 'TWICE') return '+OK\r\n+OK\r\n';
    if (name === 'FULL') socket.end('-ERR max number of clients reached\r\n');
    return name === 'PING' ? '+PONG\r\n' : undefined;
  });
  const client = clientOf(t, server.url);
  await assert.rejects(client.send([['PUSH']], patient()), /no reply of Redis: ">2/);
  assert.deepEqual(await client.send([['TWICE']], patient()), ['OK']);
  assert.deepEqual(await client.send([['PING']], patient()), ['PONG']);
  await assert.rejects(client.send([['FULL'], ['PING']], patient()), /max number of clients/);
});

test('hostile: a question that is never answered waits alone, and no more than two connections', async (t) => {
  const server = await startScripted(t, ([name]) => (name === 'INFO' ? bulk('well') : undefined));
  const client = clientOf(t, server.url, { timeoutMs: 500 });
  const info = () => client.send([['INFO']], patient(), 'short');
  const bad = () => client.send([['SSCAN']], patient()).catch((error: unknown) => String(error));
  assert.deepEqual(await info(), ['well']);
  await bad();
  await until(
    'INFO is answered again',
    async () => (await info().catch(() => [])).length === 1,
    20,
  );
  for (let i = 0; i < 5; i += 1) {
    const refused = bad();
    assert.deepEqual(await info(), ['well']);
    assert.match(String(await refused), /no answer within/);
  }
  assert.ok(server.open() <= 2);
  assert.equal(server.accepted(), 3);
});

test('hostile: one connection for all that ask, and one again after it has died', async (t) => {
  let dead = true;
  const server = await startScripted(t, () => (dead ? undefined : bulk('well')));
  const client = clientOf(t, server.url, { timeoutMs: 300 });
  const both = () =>
    Promise.allSettled([
      client.send([['INFO']], patient(), 'short'),
      client.send([['SSCAN']], patient()),
    ]);
  await both();
  assert.equal(server.open(), 1);
  await sleep(10_000);
  dead = false;
  await until('both are answered', async () =>
    (await both()).every(({ status }) => status === 'fulfilled'),
  );
  await both();
  await until('by one connection', () => server.open() === 1);
});

test('client: a short question goes before long ones that wait', async (t) => {
  const server = await startScripted(t, () => bulk('x'));
  const client = clientOf(t, server.url);
  await Promise.all([
    ...[1, 2, 3].map((i) => client.send([['LONG', i]], patient())),
    client.send([['SHORT']], patient(), 'short'),
  ]);
  assert.deepEqual(server.commands, ['LONG 1', 'SHORT', 'LONG 2', 'LONG 3']);
});

test('client: a database that is not given, in Redis\u2019s words', async (t) => {
  const server = await startRedis(t, {
    args: ['--user', 'sw', 'on', '>pw', '~*', '+@all', '-select'],
  });
  const node = await startRedis(t, { args: ['--cluster-enabled', 'yes'] });
  const cases: [string, RegExp][] = [
    [`${server.url}/99`, /DB index is out of range/],
    [`redis://sw:pw@127.0.0.1:${server.port}/1`, /NOPERM/],
    [`${node.url}/1`, /SELECT is not allowed in cluster mode/],
  ];
  for (const [url, message] of cases) {
    for (const name of ['DBSIZE', 'PING']) {
      await assert.rejects(clientOf(t, url).send([[name]], patient()), message);
    }
  }
  const [size] = await clientOf(t, `${server.url}/15`).send([['DBSIZE']], patient());
  assert.equal(size, 0);
});

test('client: Redis before 6 is given the password alone', async (t) => {
  const known = new WeakSet<Socket>();
  const server = await startScripted(t, ([name, ...args], socket) => {
    if (name !== 'AUTH')
      return known.has(socket) ? '+OK\r\n' : '-NOAUTH Authentication required.\r\n';
    if (args.length !== 1) return "-ERR wrong number of arguments for 'auth' command\r\n";
    if (args[0] !== 'right') return '-ERR invalid password\r\n';
    known.add(socket);
    return '+OK\r\n';
  });
  const at = `127.0.0.1:${server.port}`;
  assert.deepEqual(await clientOf(t, `redis://u:right@${at}/1`).send([['X']], patient()), ['OK']);
  assert.deepEqual(server.commands, ['AUTH u right', 'AUTH right', 'SELECT 1', 'X']);
  await assert.rejects(
    clientOf(t, `redis://u:wrong@${at}`).send([['X']], patient()),
    /invalid password/,
  );
});

test('client: nothing listens, and nobody is kept waiting', async (t) => {
  const client = clientOf(t, `redis://127.0.0.1:${await freePort()}`);
  await assert.rejects(client.send([['PING']], patient()), /ECONNREFUSED/);
});
