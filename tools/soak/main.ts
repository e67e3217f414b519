/**
 * `npm run soak -- [--minutes M]`: a day (1,440 minutes unless told) of what a month brings, on a
 * real redis-server with Asynq data: freezes, restarts, refusals, scrapers that come and go. Prints
 * a line every five minutes, and what did not hold: a limit of judge.ts, a series that
 * went, a counter that went back, or memory, descriptors, threads that grew. Exit code 1 then.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { inScope, mb } from '../bench/figures.ts';
import { loadCaptured } from '../rig/asynq-data.ts';
import { type ExporterProcess, startExporter } from '../rig/exporter-process.ts';
import { type RedisServer, type Scope, startRedis } from '../rig/redis-server.ts';
import { startJudge } from '../rig/judge.ts';
import { continuity } from './continuity.ts';
import { growthOf } from './growth.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1440' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes: expected a number above 0, got ${values.minutes}`);
  process.exit(2);
}

/** More than this over the whole run is a leak: the process is 60 MB. */
const mostGrowth = { residentBytes: 6e6, descriptors: 5, threads: 1 } as const;
const sampleMs = 5000;
const reportEvery = 60;

interface Samples {
  readonly residentBytes: number[];
  readonly descriptors: number[];
  readonly threads: number[];
}

const countOf = (directory: string) => readdirSync(directory).length;

function sample(exporter: ExporterProcess, into: Samples): void {
  const { pid } = exporter;
  into.residentBytes.push(exporter.residentBytes());
  into.descriptors.push(countOf(`/proc/${pid}/fd`));
  into.threads.push(countOf(`/proc/${pid}/task`));
}

const seconds = (count: number) => sleep(count * 1000);

/** Somebody else's client, so that there is something to count. */
async function fill({ url }: RedisServer): Promise<void> {
  const redis = new Redis(url);
  await loadCaptured(redis, 'asynq-v0.26.0.json');
  await redis.quit();
}

/** Two minutes and a half, over and over. */
async function weather(scope: Scope, first: RedisServer, signal: AbortSignal): Promise<void> {
  let redis = first;
  const { port, directory } = first;
  while (!signal.aborted) {
    await seconds(40);
    redis.freeze();
    await seconds(35);
    redis.thaw();
    await seconds(30);
    await redis.stop();
    await seconds(12);
    redis = await startRedis(scope, { port, directory });
    await fill(redis);
    await seconds(20);
    const admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', 'changed');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await seconds(10);
    await admin.config('SET', 'requirepass', '');
    await admin.quit();
  }
}

await inScope(async (scope) => {
  const redis = await startRedis(scope);
  await fill(redis);
  const exporter = await startExporter(scope, ['--redis-url', redis.url]);
  // What only a second reading can know is there by then.
  await seconds(20);
  const judge = startJudge(exporter.url, exporter.pid, continuity());
  const ending = new AbortController();
  const storm = weather(scope, redis, ending.signal);
  let told = 0;
  const samples: Samples = { residentBytes: [], descriptors: [], threads: [] };
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    await sleep(sampleMs);
    sample(exporter, samples);
    for (const violation of judge.violations.slice(told)) {
      console.log(`${new Date().toISOString()} did not hold: ${violation}`);
    }
    told = judge.violations.length;
    if (samples.threads.length % reportEvery === 0) {
      const [resident = 0] = samples.residentBytes.slice(-1);
      console.log(
        `${new Date().toISOString()} resident ${mb(resident)}, ${samples.descriptors.at(-1)} descriptors, ` +
          `${samples.threads.at(-1)} threads, ${judge.violations.length} violations`,
      );
    }
  }
  await judge.stop();
  console.log(judge.summary());
  const violations = [...judge.violations];
  for (const key of ['residentBytes', 'descriptors', 'threads'] as const) {
    const growth = growthOf(samples[key]);
    console.log(`${key}: ${growth} more in the last quarter than in the second`);
    if (growth > mostGrowth[key]) violations.push(`${key} grew by ${growth}`);
  }
  for (const violation of violations) console.log(`did not hold: ${violation}`);
  process.exitCode = violations.length > 0 ? 1 : 0;
  ending.abort();
  await storm;
});
