import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { startScripted } from '../../tools/rig/scripted-redis.ts';
import { parseRedisAddress } from './address.ts';
import { createRedisClient } from './client.ts';
import type { RedisCommand } from './commands.ts';
import { safeMessage } from './safe-text.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

const patient = () => AbortSignal.timeout(10_000);

test('client: replies in order, a refused command as an Error in its place', async (t) => {
  const server = await startRedis(t);
  const client = createRedisClient(parseRedisAddress(`${server.url}/3`), { timeoutMs: 5000 });
  t.after(() => client.close());
  const [set, refused, list] = await client.send(
    [
      ['SET', 'k', 'é'],
      ['HGETALL', 'k'],
      ['CONFIG', 'GET', 'save'],
    ],
    patient(),
  );
  assert.equal(set, 'OK');
  assert.match(String(refused), /^Error: WRONGTYPE/);
  assert.deepEqual(list, ['save', '']);
  assert.match(String((await client.send([['INFO', 'keyspace']], patient()))[0]), /db3:keys=1/);
  const binary = createRedisClient(parseRedisAddress(`${server.url}/3`), { buffers: true });
  t.after(() => binary.close());
  assert.deepEqual(await binary.send([['GET', 'k']], patient()), [Buffer.from('é')]);
});

test('client: no password in any error', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', 'right-secret'] });
  for (const user of ['', 'someone']) {
    const address = parseRedisAddress(`redis://${user}:wrong-secret@127.0.0.1:${server.port}`);
    const client = createRedisClient(address);
    t.after(() => client.close());
    await assert.rejects(client.send([['PING']], patient()), (error: Error) => {
      assert.match(error.message, /^redis:\/\/127\.0\.0\.1:\d+: WRONGPASS/);
      assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /secret/);
      assert.equal(error.cause, undefined);
      return true;
    });
  }
  const repeated = new Error("ERR unknown command 'x', with args beginning with: 'a' 'p@ss'");
  const address = parseRedisAddress('redis://:p%40ss@h');
  assert.equal(safeMessage(repeated, address), "ERR unknown command 'x'");
  assert.equal(safeMessage(new Error('said p@ss'), address), 'said ***');
});

test('client: keeps its connection while Redis is frozen, and uses it again', async (t) => {
  const server = await startRedis(t);
  const client = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 1000 });
  t.after(() => client.close());
  const id = async () => (await client.send([['CLIENT', 'ID']], patient()))[0];
  const before = await id();
  server.freeze();
  await assert.rejects(id(), /redis:\/\/127\.0\.0\.1:\d+: no answer within 1000 ms/);
  // What would wait behind it is not sent, and does not wait.
  const watch = stopwatch();
  await assert.rejects(
    client.send([['PING']], patient()),
    /no answer within 800 ms to what was asked before/,
  );
  watch.within(100);
  server.thaw();
  await until('it answers again', async () => (await id().catch(() => undefined)) !== undefined);
  assert.equal(await id(), before);
});

test('client: says why it cannot connect, and connects once Redis is there', async (t) => {
  const server = await startRedis(t);
  const client = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 5000 });
  t.after(() => client.close());
  assert.deepEqual(await client.send([['PING']], patient()), ['PONG']);
  await server.stop();
  await assert.rejects(client.send([['PING']], patient()), /ECONNREFUSED|closed/);
  // How soon it is noticed that the old connection ended is the kernel's affair.
  await until('a new connection is refused', async () => {
    const error: unknown = await client
      .send([['PING']], patient())
      .catch((error: unknown) => error);
    return error instanceof Error && error.message.includes('ECONNREFUSED');
  });
  await startRedis(t, { port: server.port });
  assert.deepEqual(await client.send([['PING']], patient()), ['PONG']);
  await client.close();
  await assert.rejects(client.send([['PING']], patient()), /the client is closed/);
});

test('client: the first replies are told though the others never come', async (t) => {
  const server = await startScripted(t, ([name]) => (name === 'SLOWLOG' ? undefined : '+OK\r\n'));
  const client = createRedisClient(parseRedisAddress(server.url), { timeoutMs: 200 });
  t.after(() => client.close());
  const told: (readonly unknown[])[] = [];
  const first = { count: 2, tell: (replies: readonly unknown[]) => told.push(replies) };
  const ask = (commands: readonly RedisCommand[]) =>
    client.send(commands, patient(), 'short', first);
  assert.deepEqual(await ask([['INFO'], ['INFO'], ['PING']]), ['OK', 'OK', 'OK']);
  await assert.rejects(ask([['INFO'], ['TIME'], ['SLOWLOG'], ['PING']]), /within 200 ms/);
  assert.deepEqual(told, [
    ['OK', 'OK'],
    ['OK', 'OK'],
  ]);
});

test('client: a connection that alone is dead is replaced', async (t) => {
  // The first connection is one whose packets vanish; every later one works.
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const dead = connections === 1;
    socket.on('error', () => socket.destroy());
    socket.on('data', () => dead || socket.write('+PONG\r\n'));
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const client = createRedisClient(parseRedisAddress(`redis://127.0.0.1:${port}`), {
    timeoutMs: 200,
  });
  t.after(async () => {
    await client.close();
    server.close();
  });
  const errors = new Set<string>();
  const ping = () =>
    client.send([['PING']], patient()).catch((error: unknown) => errors.add(String(error)));
  const began = performance.now();
  await until('a new connection', async () => Array.isArray(await ping()), 20);
  assert.equal(connections, 2);
  assert.deepEqual(
    [...errors].map((error) => error.replace(/.*\d: /, '')),
    ['no answer within 200 ms', 'no answer within 800 ms to what was asked before'],
  );
  // Not before: a Redis that the probe has not yet found frozen must not get a second one.
  assert.ok(performance.now() - began > 9000);
});

test('redis client: a password that is a word of Redis does not give itself away by a hole', () => {
  const said = "NOPERM this user has no permissions to run the 'info' command or its subcommand";
  for (const password of ['p', 'info', 'user', 'permissions', 'permissions1', 'NOPERM']) {
    assert.equal(safeMessage(said, { ...parseRedisAddress('redis://h'), password }), said);
  }
  const short = { ...parseRedisAddress('redis://h'), password: 'xy' };
  assert.equal(safeMessage('proxy said xy and "xy"', short), 'proxy said *** and "***"');
});
