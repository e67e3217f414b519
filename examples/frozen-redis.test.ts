/**
 * The example services beside a real redis-server that is frozen: what docs/your-application.md says of
 * them, and of the same services with the defaults of their libraries.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { buildGo, type Built } from '../tools/rig/asynq-program.ts';
import { freePort, type RedisServer, startRedis, until } from '../tools/rig/redis-server.ts';

const folder = (name: string) => join(import.meta.dirname, name);

/** Installed once for each lock file, in the temp folder: nothing appears in the tree. */
async function installNode(): Promise<Built> {
  const source = folder('node-service');
  const hash = createHash('sha256');
  for (const file of ['main.mjs', 'package-lock.json'])
    hash.update(readFileSync(join(source, file)));
  const whole = join(tmpdir(), `stealwatch-shop-${hash.digest('hex').slice(0, 16)}`);
  const program = join(whole, 'main.mjs');
  if (existsSync(program)) return { program };
  const half = mkdtempSync(join(tmpdir(), 'stealwatch-shop-'));
  for (const file of ['main.mjs', 'package.json', 'package-lock.json']) {
    cpSync(join(source, file), join(half, file));
  }
  try {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', args, { cwd: half, timeout: 240_000 });
  } catch (error) {
    return { missing: `npm cannot install it here: ${String(error).slice(0, 200)}` };
  }
  renameSync(half, whole);
  return { program };
}

interface Shop {
  readonly name: string;
  readonly built: Built;
  readonly command: (program: string, redis: RedisServer, port: number) => readonly string[];
  readonly cart: string;
}

const shops: readonly Shop[] = [
  {
    name: 'Go',
    built: await buildGo(folder('go-service'), 'go-shop'),
    command: (program, redis, port) => [
      program,
      `-redis=127.0.0.1:${redis.port}`,
      `-listen=127.0.0.1:${port}`,
    ],
    cart: '/cart/1',
  },
  {
    name: 'Node',
    built: await installNode(),
    command: (program, redis, port) => [
      process.execPath,
      program,
      `--redis=127.0.0.1:${redis.port}`,
      `--listen=${port}`,
    ],
    cart: '/cart',
  },
];

interface Started {
  /** Status of one answer, and how long it took. */
  readonly get: (path: string) => Promise<{ readonly status: number; readonly seconds: number }>;
  readonly order: () => Promise<{ readonly status: number; readonly seconds: number }>;
}

function launch(t: TestContext, command: readonly string[], port: number): Started {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: 'ignore' });
  t.after(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, method: string) => {
    const began = performance.now();
    const { status } = await fetch(url + path, { method, signal: AbortSignal.timeout(5000) });
    return { status, seconds: (performance.now() - began) / 1000 };
  };
  const get = (path: string) => ask(path, 'GET');
  return { get, order: () => ask('/orders', 'POST') };
}

/** Of its health; undefined while nobody listens yet. */
const healthOf = ({ get }: Started) =>
  get('/health').then(
    ({ status }) => status,
    () => undefined,
  );

async function start(t: TestContext, command: readonly string[], port: number): Promise<Started> {
  const shop = launch(t, command, port);
  await until('the shop answers', async () => (await healthOf(shop)) === 200);
  return shop;
}

async function secondsUntil(what: string, condition: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await until(what, condition, 20);
  return (performance.now() - began) / 1000;
}

/** Of several: the machine of a test has other things to do as well. */
async function quickest(times: number, ask: () => Promise<{ status: number; seconds: number }>) {
  const answers = [];
  for (let i = 0; i < times; i += 1) answers.push(await ask());
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503]);
  return Math.min(...answers.map(({ seconds }) => seconds));
}

for (const { name, built, command, cart } of shops) {
  const skip = 'missing' in built ? built.missing : false;

  test(
    `${name} service: says it, refuses at once, and is back after the thaw`,
    { skip },
    async (t) => {
      if ('missing' in built) return;
      const [redis, port] = [await startRedis(t), await freePort()];
      const { get, order } = await start(t, command(built.program, redis, port), port);
      assert.equal((await get(cart)).status, 200);
      assert.equal((await order()).status, 202);

      redis.freeze();
      const told = await secondsUntil('503', async () => (await get('/health')).status === 503);
      await sleep(3000);
      const refused = await quickest(8, () => get(cart));
      const refusedOrder = await quickest(8, order);
      redis.thaw();
      const back = await secondsUntil('200', async () => (await get('/health')).status === 200);
      assert.equal((await get(cart)).status, 200);
      assert.equal((await order()).status, 202);

      const text = `health 503 after ${told.toFixed(1)} s, a cart refused in ${(refused * 1000).toFixed(0)} ms, an order in ${(refusedOrder * 1000).toFixed(0)} ms, back after ${back.toFixed(1)} s`;
      t.diagnostic(text);
      assert.ok(told < 3, text);
      assert.ok(refused < 0.05 && refusedOrder < 0.05, text);
      assert.ok(back < 5, text);
    },
  );

  test(`${name} service: started beside a frozen Redis it is never well`, { skip }, async (t) => {
    if ('missing' in built) return;
    const [redis, port] = [await startRedis(t), await freePort()];
    redis.freeze();
    const shop = launch(t, command(built.program, redis, port), port);
    const said = new Set<number>();
    await until('it answers', async () => {
      const status = await healthOf(shop);
      if (status !== undefined) said.add(status);
      return status !== undefined;
    });
    for (const end = performance.now() + 2000; performance.now() < end; await sleep(20)) {
      const status = await healthOf(shop);
      if (status !== undefined) said.add(status);
    }
    redis.thaw();
    await until('200', async () => (await healthOf(shop)) === 200);
    assert.deepEqual([...said], [503]);
  });

  test(`${name} service: one key of another type stops nobody else`, { skip }, async (t) => {
    if ('missing' in built) return;
    const [redis, port] = [await startRedis(t), await freePort()];
    const { get } = await start(t, command(built.program, redis, port), port);
    await promisify(execFile)('redis-cli', ['-p', String(redis.port), 'LPUSH', 'cart:1', 'x']);
    const answers = await Promise.all(Array.from({ length: 20 }, () => get(cart)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [503]);
    assert.equal((await get('/health')).status, 200);
  });

  test(`${name} service with the defaults: healthy, and its callers wait`, { skip }, async (t) => {
    if ('missing' in built) return;
    const [redis, port] = [await startRedis(t), await freePort()];
    const flag = name === 'Go' ? '-defaults' : '--defaults';
    const { get } = await start(t, [...command(built.program, redis, port), flag], port);
    assert.equal((await get(cart)).status, 200);
    redis.freeze();
    await sleep(1000);
    assert.equal((await get('/health')).status, 200, 'it lies');
    const began = performance.now();
    const status = await get(cart).then(
      (answer) => String(answer.status),
      () => 'no answer',
    );
    const seconds = (performance.now() - began) / 1000;
    t.diagnostic(`${status} after ${seconds.toFixed(1)} s`);
    assert.ok(seconds > 2.5, `${seconds} s`);
    redis.thaw();
  });
}
