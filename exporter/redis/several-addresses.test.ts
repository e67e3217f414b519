/** A name that stands for several servers, in another order at each look-up. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { freePort, startRedis, until } from '../../tools/rig/redis-server.ts';
import { parseRedisAddress } from './address.ts';
import { openRedis } from './open.ts';
import { createRedisProbe } from './probe.ts';

test('probe and collectors meet the same of several servers behind one name', async (t) => {
  const port = await freePort();
  const hosts = ['127.0.0.2', '127.0.0.3'] as const;
  const servers = await Promise.all(
    hosts.map((host) => startRedis(t, { port, args: ['--bind', host] })),
  );
  let turn = 0;
  const lookup = (_name: string, _options: object, done: (...args: unknown[]) => void) => {
    turn += 1;
    const order = turn % 2 === 0 ? hosts : hosts.toReversed();
    setImmediate(
      done,
      null,
      order.map((address) => ({ address, family: 4 })),
    );
  };
  mock.method(dns, 'lookup', lookup);
  syncBuiltinESMExports();
  t.after(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });
  for (const url of [`redis://several.test:${port}`, `redis+cluster://several.test:${port}`]) {
    const address = parseRedisAddress(url);
    const probe = createRedisProbe(address, systemClock);
    t.after(probe.hold());
    await probe.judged(AbortSignal.timeout(5000));
    for (let i = 0; i < 4; i += 1) {
      const client = openRedis(address);
      const [info] = await client.send([['INFO', 'server']], AbortSignal.timeout(5000));
      await client.close();
      assert.match(String(info), new RegExp(`process_id:${servers[0]?.pid}\r`));
    }
    servers[0]?.freeze();
    await until('the probe is of the same', () => probe.state() === 'frozen');
    servers[0]?.thaw();
    await until('it answers', () => probe.state() === 'up');
  }
  assert.ok(turn >= 10);
});
