/**
 * Other people's pages on the exporter that ships: a real redis-server with something in it, the
 * built exporter, a Prometheus that scrapes it. Needs `npm run build` before.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { loadCaptured } from '../tools/rig/asynq-data.ts';
import { startExporter } from '../tools/rig/exporter-process.ts';
import { type RedisServer, startRedis } from '../tools/rig/redis-server.ts';
import { startPrometheus } from '../tools/rig/prometheus.ts';
import { asynqmonMetricsPage, filledIn, redisDashboard763 } from './lint/public-queries.ts';

interface Page {
  readonly queries: readonly string[];
  readonly redis: RedisServer;
  readonly args: readonly string[];
  /** What goes on between two scrapes. */
  readonly work: () => Promise<unknown>;
}

/** Queries of a page that find nothing, once Prometheus has scraped for a while. */
async function findsNothing(
  t: TestContext,
  { queries, redis, args, work }: Page,
): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'public-pages-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const exporter = await startExporter(t, ['--redis-url', redis.url, ...args]);
  const prometheus = await startPrometheus(directory, 5, scrapeOf(exporter.port));
  t.after(() => prometheus.stop());
  const round = async () => {
    await work();
    const empty: string[] = [];
    for (const query of queries) {
      const series = await prometheus.instant(filledIn(query), Date.now() / 1000);
      const values = series.flatMap(({ points }) => points.map(([, value]) => value));
      if (!values.some(Number.isFinite)) empty.push(query);
    }
    return empty;
  };
  let empty = await round();
  for (let i = 0; i < 40 && empty.length > 0; i++) {
    await sleep(500);
    empty = await round();
  }
  return empty;
}

function scrapeOf(port: number): string {
  return `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: stealwatch
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
`;
}

async function connected(
  t: TestContext,
  args: readonly string[] = [],
): Promise<[RedisServer, Redis]> {
  const redis = await startRedis(t, { args });
  const client = new Redis(redis.url);
  t.after(() => client.disconnect());
  return [redis, client];
}

test('dashboard 763 of Grafana finds everything it asks for', async (t) => {
  const [redis, client] = await connected(t, ['--maxmemory', '100mb']);
  const work = async () => {
    await client.set('key', 'value', 'EX', 100);
    await client.get('key');
    await client.get('nothing');
  };
  const empty = await findsNothing(t, { queries: redisDashboard763, redis, args: [], work });
  assert.deepEqual(empty, []);
});

test('the metrics page of asynqmon finds everything it asks for', async (t) => {
  const [redis, client] = await connected(t);
  await loadCaptured(client, 'asynq-v0.26.0.json');
  const [queue] = await client.smembers('asynq:queues');
  const work = async () => {
    await client.incr(`asynq:{${queue}}:processed`);
    await client.incr(`asynq:{${queue}}:failed`);
  };
  const args = ['--asynq-memory'];
  const empty = await findsNothing(t, { queries: asynqmonMetricsPage, redis, args, work });
  assert.deepEqual(empty, []);
});
