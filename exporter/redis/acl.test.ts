/**
 * The users that the documents hand out, read from the documents: each may do all that is done
 * in its name, and Redis's own log of refusals stays empty.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import type { Collector } from '../core/collector.ts';
import { asynqCollector } from '../collectors/asynq.ts';
import { redisInfoCollector } from '../collectors/redis-info.ts';
import { loadCaptured } from '../../tools/rig/asynq-data.ts';
import { scrape, writer } from '../../tools/rig/asynq-rig.ts';
import { asynqSimulator } from '../../tools/rig/asynq-simulator.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { parseRedisAddress } from './address.ts';
import { createRedisProbe } from './probe.ts';

const folder = new URL('../../docs/', import.meta.url);

interface DocumentedUser {
  readonly document: string;
  readonly rules: readonly string[];
}

/** Each `ACL SETUSER` in a document, over as many lines as it has there. */
function documentedUsers(): DocumentedUser[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .flatMap((document) => {
      const text = readFileSync(new URL(document, folder), 'utf8');
      return [...text.matchAll(/^ACL SETUSER stealwatch ([^`]*?)\n(?:```|ACL|\n)/gm)].map(
        ([, rules = '']) => ({
          document,
          rules: rules
            .replace(/\(.*\)/, '')
            .trim()
            .split(/\s+/),
        }),
      );
    });
}

async function startWatching(t: TestContext, url: string): Promise<readonly Collector[]> {
  const redis = parseRedisAddress(url);
  const probe = createRedisProbe(redis, systemClock);
  t.after(probe.hold());
  const config = { redis, asynqQueues: [], asynqInterval: 5, asynqMemory: false };
  const asynq = asynqCollector({ config, clock: systemClock, redis: probe });
  const info = redisInfoCollector({ config, redis: probe });
  t.after(() => Promise.all([asynq.close?.(), info.close?.()]));
  await until('the probe has its answer', () => probe.answers());
  return [asynq, info];
}

const users = documentedUsers();

test('acl: there are documents that hand out a user', () => {
  assert.deepEqual([...new Set(users.map(({ document }) => document))].toSorted(), [
    'asynq.md',
    'install-compose.md',
  ]);
});

for (const { document, rules } of users) {
  const whole = rules.includes('+info');
  test(`acl: ${document}${whole ? '' : ', Asynq alone'}: nothing is refused`, async (t) => {
    const server = await startRedis(t);
    const redis = writer(t, server.port);
    await loadCaptured(redis, 'asynq-v0.26.0.json');
    const app = asynqSimulator(redis);
    await app.addToGroup('default', 'g');
    await app.stage('default', 'g');
    await app.addToGroup('default', 'g');
    await app.schedule('low', -60);
    const words = rules.map((rule) => rule.replace('PASSWORD', 'pw'));
    await redis.call('ACL', 'SETUSER', 'stealwatch', ...words);
    const watching = await startWatching(t, `redis://stealwatch:pw@127.0.0.1:${server.port}`);
    for (const collector of whole ? watching : watching.slice(0, 1)) {
      for (let i = 0; i < 2; i += 1) {
        const { error, families } = await scrape(collector);
        assert.equal(error, undefined, collector.name);
        const unread = families.filter(({ samples }) =>
          samples.every(({ value }) => Number.isNaN(value)),
        );
        const names = unread.map(({ metric }) => metric.name);
        assert.deepEqual(
          names.filter((name) => name.startsWith('asynq_')),
          [],
        );
      }
    }
    assert.deepEqual(await redis.call('ACL', 'LOG'), []);
  });
}
