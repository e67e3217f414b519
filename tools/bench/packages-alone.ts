/**
 * The packages that the exporter is built on, and nothing of its own: Koa answers, ioredis asks
 * for one INFO, prom-client renders 250 gauges whose values have changed, gzip. What a scrape
 * costs before anybody has looked at the machine. PORT and REDIS_URL come from the benchmark.
 */
import { Router } from '@koa/router';
import { Redis } from 'ioredis';
import Koa from 'koa';
import { Gauge, Registry } from 'prom-client';
import { gzipSync } from 'node:zlib';

const metrics = 50;
const seriesOfEach = 5;

const registry = new Registry();
const gauges = Array.from({ length: metrics }, (_, i) => {
  return new Gauge({
    name: `bench_${i}`,
    help: 'As long as a help text of ours usually is, with its source.',
    labelNames: ['label'],
    registers: [registry],
  });
});
const redis = new Redis(process.env['REDIS_URL'] ?? '');
let scrapes = 0;

const router = new Router();
router.get('/metrics', async (ctx) => {
  scrapes += 1;
  await redis.info();
  for (const gauge of gauges) {
    for (let i = 0; i < seriesOfEach; i += 1) gauge.set({ label: `value-${i}` }, scrapes + i);
  }
  ctx.type = registry.contentType;
  const text = await registry.metrics();
  const gzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
  if (gzipped) ctx.set('Content-Encoding', 'gzip');
  ctx.body = gzipped ? gzipSync(text, { level: 1 }) : text;
});

const koa = new Koa();
koa.use(router.routes());
koa.listen(Number(process.env['PORT']), '127.0.0.1');
