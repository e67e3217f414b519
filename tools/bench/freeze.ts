/**
 * What a frozen Redis does to a scrape: this exporter and redis_exporter side by side, on the
 * same redis-server, in the same run. Redis is frozen with SIGSTOP: TCP accepts, nothing answers.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { startExporter } from '../rig/exporter-process.ts';
import { freePort, type RedisServer, type Scope, startRedis, until } from '../rig/redis-server.ts';
import { inScope, ms, table, timedGet, timings } from './figures.ts';
import { median, quantile } from '../rig/quantile.ts';

const redisExporter = '/usr/bin/prometheus-redis-exporter';

/** Port of a redis_exporter that watches the same Redis, or undefined where it is not installed. */
async function startPeer(scope: Scope, redis: RedisServer): Promise<number | undefined> {
  if (!existsSync(redisExporter)) return undefined;
  const port = await freePort();
  const child = spawn(
    redisExporter,
    ['-redis.addr', redis.url, '-web.listen-address', `127.0.0.1:${port}`],
    { stdio: 'ignore' },
  );
  scope.after(() => void child.kill('SIGKILL'));
  await until('redis_exporter serves', async () => {
    try {
      return (await timedGet(`http://127.0.0.1:${port}/metrics`)).status === 200;
    } catch {
      return false;
    }
  });
  return port;
}

const seriesCount = (text: string) => text.match(/^[^#\n]/gm)?.length ?? 0;

async function secondsUntil(condition: () => Promise<boolean>): Promise<number> {
  const began = performance.now();
  await until('the exporter noticed', condition, 30);
  return (performance.now() - began) / 1000;
}

function row(name: string, before: readonly number[], during: readonly number[]): string[] {
  if (before.length === 0) return [name, 'not installed'];
  return [
    name,
    ms(median(before)),
    ms(quantile(before, 0.99)),
    ms(median(during)),
    ms(quantile(during, 0.99)),
    (median(during) / median(before)).toFixed(2),
  ];
}

export async function benchFreeze(): Promise<void> {
  await inScope(async (scope) => {
    const redis = await startRedis(scope);
    const exporter = await startExporter(scope, ['--redis-url', redis.url]);
    const metrics = `${exporter.url}/metrics`;
    const peer = await startPeer(scope, redis);
    const state = async (word: string) =>
      (await timedGet(metrics)).body.includes(`redis_state{state="${word}"} 1`);
    const status = async (code: number) =>
      (await timedGet(`${exporter.url}/status`)).status === code;
    await until('Redis is up', () => state('up'));

    await timings(metrics, 50);
    const healthy = await timings(metrics, 400);
    const healthySeries = seriesCount((await timedGet(metrics)).body);
    const peerHealthy =
      peer === undefined ? [] : await timings(`http://127.0.0.1:${peer}/metrics`, 50);

    redis.freeze();
    const seen = secondsUntil(() => state('frozen'));
    const refused = secondsUntil(() => status(503));
    const [seenSeconds, statusSeconds] = await Promise.all([seen, refused]);
    const frozen = await timings(metrics, 400);
    const began = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => timedGet(metrics)));
    const fifty = (performance.now() - began) / 1000;
    const frozenSeries = seriesCount((await timedGet(metrics)).body);
    const peerFrozen =
      peer === undefined ? [] : await timings(`http://127.0.0.1:${peer}/metrics`, 1);
    redis.thaw();
    const recovery = await secondsUntil(() => state('up'));

    console.log(
      table([
        ['scrape of', 'healthy p50', 'p99', 'frozen p50', 'p99', 'frozen/healthy'],
        row('stealwatch', healthy, frozen),
        row('redis_exporter', peerHealthy, peerFrozen),
      ]),
    );
    console.log(`
state frozen after     ${seenSeconds.toFixed(2)} s
/status 503 after      ${statusSeconds.toFixed(2)} s
50 scrapes at once     ${ms(fifty)}
series before, during  ${healthySeries}, ${frozenSeries}
recovery seen after    ${recovery.toFixed(2)} s`);
  });
}
