/** A real Redis under SIGSTOP: what page and text say to type is typed as it stands, and ends it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { startRedis, until } from '../../../tools/rig/redis-server.ts';
import { redisProcessCollector } from '../../collectors/redis-process.ts';
import { reportsOf } from '../../core/status.ts';
import { systemClock } from '../../measure/clock.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { parseRedisAddress } from '../../redis/address.ts';
import { overviewOf } from './overview.ts';
import { textOf } from './text.ts';

test('page: what it says to type lets a Redis go on that was stopped', async (t) => {
  const redis = await startRedis(t);
  const collector = redisProcessCollector({
    config: { redis: parseRedisAddress(redis.url) },
    clock: systemClock,
    procfs: createPseudoFs('/proc'),
    sysfs: createPseudoFs('/sys'),
  });
  t.after(async () => collector.close?.());
  const overview = () =>
    overviewOf({ reports: reportsOf([collector]), version: '1', incidents: [], wall: 0 });
  await until('it is found', () => collector.report?.().signals?.[0]?.supported === true);

  redis.freeze();
  t.after(() => redis.thaw());
  await until('it is stopped', () => overview().state === 'bad');
  const { next, headline } = overview();
  assert.ok(headline.text.startsWith(`redis-server (pid ${redis.pid}) is stopped`));
  if (next?.command === undefined) {
    // Of a container's own processes nobody knows by which pid the machine has them.
    assert.match(next?.text ?? '', new RegExp(`is pid ${redis.pid} where this exporter runs$`));
    return;
  }
  assert.ok(textOf(overview()).includes(`\n      ${next.command}\n`));
  const { status, stderr } = spawnSync('sh', ['-c', next.command], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  await until('it goes on', () => overview().state !== 'bad');
});
