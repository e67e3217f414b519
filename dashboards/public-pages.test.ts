/**
 * Other people's pages on the exporter that ships: a real redis-server with something in it, the
 * built exporter, a Prometheus that scrapes it. Needs `npm run build` before.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Redis } from 'ioredis';
import { startExporter } from '../exporter/testing/exporter-process.ts';
import { startRedis, until } from '../exporter/testing/redis-server.ts';
import { startPrometheus } from './testing/prometheus.ts';
import { filledIn, redisDashboard763 } from './testing/public-queries.ts';

test('dashboard 763 of Grafana finds everything it asks for', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'public-pages-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const redis = await startRedis(t, { args: ['--maxmemory', '100mb'] });
  const client = new Redis(redis.url);
  t.after(() => client.disconnect());
  const exporter = await startExporter(t, ['--redis-url', redis.url]);
  const prometheus = await startPrometheus(
    directory,
    5,
    `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: stealwatch
    static_configs: [{ targets: ['127.0.0.1:${exporter.port}'] }]
`,
  );
  t.after(() => prometheus.stop());
  const missing = async () => {
    await client.set('key', 'value', 'EX', 100);
    await client.get('key');
    await client.get('nothing');
    const empty: string[] = [];
    for (const query of redisDashboard763) {
      const series = await prometheus.instant(filledIn(query), Date.now() / 1000);
      const values = series.flatMap(({ points }) => points.map(([, value]) => value));
      if (!values.some(Number.isFinite)) empty.push(query);
    }
    return empty;
  };
  await until('every query has data', async () => (await missing()).length === 0, 20).catch(
    async () => assert.deepEqual(await missing(), []),
  );
});
