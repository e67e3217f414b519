import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { redisInfoCollector } from '../collectors/redis-info.ts';
import { writer } from '../../tools/rig/asynq-rig.ts';
import { startRedis, until } from '../../tools/rig/redis-server.ts';
import { parseRedisAddress } from './address.ts';
import { infoFieldFamilies } from './info-fields.ts';
import { parseInfo } from './info.ts';
import { createRedisProbe } from './probe.ts';
import { linkFindings } from './replication-fields.ts';

const names = [
  'redis_master_link_up',
  'redis_master_last_io_seconds_ago',
  'redis_master_link_down_since_seconds',
  'redis_master_sync_in_progress',
] as const;

function watch(t: TestContext, url: string) {
  const redis = parseRedisAddress(url);
  const probe = createRedisProbe(redis, systemClock);
  t.after(probe.hold());
  const collector = redisInfoCollector({ config: { redis }, redis: probe });
  t.after(() => collector.close?.());
  return {
    async values() {
      const families = await collector.collect(AbortSignal.timeout(5000));
      return names.map(
        (name) => families.find(({ metric }) => metric.name === name)?.samples[0]?.value,
      );
    },
    said: () => (collector.report?.().findings ?? []).map(({ text }) => text).join(' '),
  };
}

test('replication: a replica says how it stands with its master, and a master has nothing to say', async (t) => {
  const master = await startRedis(t);
  const replica = await startRedis(t, {
    args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
  });
  const watched = watch(t, replica.url);
  await until('the link is up', async () => (await watched.values())[0] === 1);
  const [, lastIo, , sync] = await watched.values();
  assert.ok(typeof lastIo === 'number' && lastIo >= 0 && lastIo < 60);
  assert.equal(sync, 0);
  assert.equal(watched.said(), '');
  assert.deepEqual(
    await watch(t, master.url).values(),
    names.map(() => undefined),
  );
  await master.stop();
  await until('the link is down', async () => (await watched.values())[0] === 0);
  const [, silent, since] = await watched.values();
  assert.ok(Number.isNaN(silent), 'not known, and not 0');
  assert.ok(typeof since === 'number' && since >= 0);
  assert.match(
    watched.said(),
    new RegExp(`no link to its master 127\\.0\\.0\\.1:${master.port} for \\d+ s: `),
  );
  await writer(t, replica.port).call('REPLICAOF', 'NO', 'ONE');
  await until('it is a master', async () => Number.isNaN((await watched.values())[0]));
  assert.equal(watched.said(), '');
});

/** What is made of these lines of a replica. */
function read(...lines: string[]) {
  const problems: string[] = [];
  const info = parseInfo(['# Replication', 'role:slave', ...lines].join('\r\n'));
  const families = infoFieldFamilies(info, ({ message }) => problems.push(message));
  const values = names.map(
    (name) => families.find(({ metric }) => metric.name === name)?.samples[0]?.value,
  );
  return { values, problems, said: linkFindings(info).map(({ text }) => text) };
}

test('replication: a link that was never up, a copy under way, and words that Redis does not say', () => {
  const never = read(
    'master_link_status:down',
    'master_last_io_seconds_ago:-1',
    'master_link_down_since_seconds:-1',
    'master_sync_in_progress:0',
  );
  assert.deepEqual(never.values, [0, undefined, undefined, 0]);
  assert.match(never.said.join(), /no link to its master \?:\? since it was started/);
  const copying = read('master_link_status:down', 'master_sync_in_progress:1');
  assert.deepEqual(copying.values, [0, undefined, undefined, 1]);
  assert.match(copying.said.join(), /is copying its whole data set/);
  const odd = read('master_link_status:maybe\u001b', 'master_last_io_seconds_ago:soon');
  assert.deepEqual(odd.values, [Number.NaN, Number.NaN, undefined, undefined]);
  assert.deepEqual(odd.said, []);
  assert.equal(odd.problems.length, 2);
  assert.match(odd.problems[0] ?? '', /master_link_status is "maybe\\u001b", expected up or down/);
});
