/**
 * What watching costs: CPU per scrape, CPU of the background clocks, memory after 500 scrapes,
 * size of the answer. In the same run node_exporter and redis_exporter, which it replaces, and
 * what the packages it is built on cost without it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSecondsOf, memoryOf, startExporter } from '../rig/exporter-process.ts';
import { freePort, type Scope, startRedis, until } from '../rig/redis-server.ts';
import { inScope, mb, ms, table, timedGet } from './figures.ts';
import { median } from '../rig/quantile.ts';

const scrapes = 500;
const idleSeconds = 20;
const slices = 5;

interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await timedGet(url)).status === 200;
  } catch {
    return false;
  }
}

async function startPeer(
  scope: Scope,
  name: string,
  args: (port: number) => readonly string[],
): Promise<Subject | undefined> {
  const program = `/usr/bin/prometheus-${name}`;
  if (!existsSync(program)) return undefined;
  const port = await freePort();
  const child = spawn(program, args(port), { stdio: 'ignore' });
  scope.after(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}/metrics`;
  await until(`${name} serves`, () => answers(url));
  return { name, pid: child.pid ?? 0, url };
}

/** Under the flags of the launcher, which are what the comparison is about. */
async function startPackagesAlone(scope: Scope, redisUrl: string): Promise<Subject> {
  const launcher = readFileSync(new URL('../../exporter/stealwatch', import.meta.url), 'utf8');
  const flags = launcher.match(/(?<= )--(?!version)[a-z0-9-]+(?:=\d+)?/g) ?? [];
  const port = await freePort();
  const program = fileURLToPath(new URL('packages-alone.ts', import.meta.url));
  const child = spawn(process.execPath, [...flags, program], {
    stdio: 'ignore',
    env: { PORT: String(port), REDIS_URL: redisUrl },
  });
  scope.after(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}/metrics`;
  await until('the packages alone serve', () => answers(url));
  return { name: 'its packages alone', pid: child.pid ?? 0, url };
}

/**
 * Five times idle for 4 s, five times 100 scrapes, and the median of each: a virtual CPU has slow
 * seconds.
 */
async function measure({ name, pid, url }: Subject): Promise<string[]> {
  const idles: number[] = [];
  for (let i = 0; i < slices; i++) {
    const before = cpuSecondsOf(pid);
    await sleep((idleSeconds / slices) * 1000);
    idles.push((cpuSecondsOf(pid) - before) / (idleSeconds / slices));
  }
  const idle = median(idles);
  const costs: number[] = [];
  const seconds: number[] = [];
  for (let i = 0; i < slices; i++) {
    const before = cpuSecondsOf(pid);
    const began = performance.now();
    for (let n = 0; n < scrapes / slices; n++) {
      seconds.push((await timedGet(url, { 'accept-encoding': 'gzip' })).seconds);
    }
    const elapsed = (performance.now() - began) / 1000;
    costs.push((cpuSecondsOf(pid) - before - idle * elapsed) / (scrapes / slices));
  }
  const perScrape = median(costs);
  const { body } = await timedGet(url);
  return [
    name,
    `${(idle * 100).toFixed(2)} %`,
    ms(perScrape),
    ms(median(seconds)),
    mb(memoryOf(pid, 'VmRSS')),
    mb(memoryOf(pid, 'RssAnon')),
    String(body.match(/^[^#\n]/gm)?.length ?? 0),
    `${(body.length / 1000).toFixed(1)} kB`,
  ];
}

export async function benchCost(): Promise<void> {
  await inScope(async (scope) => {
    const redis = await startRedis(scope);
    const exporter = await startExporter(scope, ['--redis-url', redis.url]);
    const subjects = [
      { name: 'stealwatch', pid: exporter.pid, url: `${exporter.url}/metrics` },
      await startPackagesAlone(scope, redis.url),
      await startPeer(scope, 'node-exporter', (port) => [`--web.listen-address=127.0.0.1:${port}`]),
      await startPeer(scope, 'redis-exporter', (port) => [
        '-redis.addr',
        redis.url,
        '-web.listen-address',
        `127.0.0.1:${port}`,
      ]),
    ].filter((subject) => subject !== undefined);
    // One after the other, or they would be measured in each other's way.
    const rows: string[][] = [];
    for (const subject of subjects) rows.push(await measure(subject));
    console.log(
      table([
        ['process', 'CPU idle', 'CPU/scrape', 'scrape p50', 'RSS', 'anon', 'series', 'size'],
        ...rows,
      ]),
    );
  });
}
