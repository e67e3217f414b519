/**
 * One run: the exporter as it ships, between a hostile Redis, a hostile /proc, a hostile kernel log
 * and hostile clients, held to its limits; then all is well again, and so must it be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startExporter } from '../rig/exporter-process.ts';
import { type Scope, until } from '../rig/redis-server.ts';
import { readPage } from '../rig/exposition.ts';
import { startJudge } from '../rig/judge.ts';
import { httpPlayer } from './http-player.ts';
import { kmsgPlayer } from './kmsg-player.ts';
import { procPlayer } from './proc-player.ts';
import { createRandom } from './random.ts';
import { redisPlayer } from './redis-player.ts';

export const sides = ['http', 'redis', 'proc', 'kmsg'] as const;
export type Side = (typeof sides)[number];

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Who plays badly; the others stay honest. */
  readonly only: readonly Side[];
}

export interface FuzzResult {
  readonly violations: readonly string[];
  readonly summary: string;
}

const stepMs = 100;
/** Searches for what is gone come every 10 to 30 s. */
const recoverySeconds = 45;

const shownOfLog = 4000;

/** The collectors that do not work, as /metrics has them. */
function failing(page: string): string[] {
  return [...readPage(page).samples]
    .filter(([key, value]) => key.startsWith('stealwatch_collector_success{') && value !== 1)
    .map(([key]) => key);
}

export async function fuzz(
  scope: Scope,
  { seed, seconds, only }: FuzzOptions,
): Promise<FuzzResult> {
  const random = createRandom(seed);
  const redis = await redisPlayer(random.fork());
  const proc = procPlayer(random.fork());
  const kmsg = kmsgPlayer(random.fork());
  scope.after(() => {
    for (const player of [redis, proc, kmsg]) player.close();
  });
  const exporter = await startExporter(scope, [
    `--redis-url=redis://:secret-of-the-fuzzer@127.0.0.1:${redis.port}/1`,
    `--procfs=${proc.procfs}`,
    `--sysfs=${proc.sysfs}`,
    `--kmsg=${kmsg.file}`,
  ]);
  const http = httpPlayer(exporter.port, random.fork());
  const page = async () => (await fetch(`${exporter.url}/metrics`)).text();
  const players = [http, redis, proc, kmsg].filter(({ name }) =>
    (only as readonly string[]).includes(name),
  );
  await until('every collector works', async () => failing(await page()).length === 0, 30);

  const judge = startJudge(exporter.url, exporter.pid);
  scope.after(async () => {
    http.close();
    await judge.stop();
  });
  /** How and with what words, if it did. */
  const ended: string[] = [];
  void exporter.ended.then((how) =>
    ended.push(`the exporter ended, ${how}: ${exporter.log().slice(-shownOfLog)}`),
  );
  for (const player of players) player.start();
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && ended.length === 0) {
    for (const player of players) player.step();
    await sleep(stepMs);
  }
  for (const player of players) player.calm();
  if (ended.length > 0) {
    return { violations: [...ended, ...judge.violations], summary: judge.summary() };
  }

  const violations: string[] = [];
  await until(
    'every collector works again',
    async () => failing(await page()).length === 0,
    recoverySeconds,
  ).catch(async () => {
    violations.push(`${recoverySeconds} s later: ${failing(await page()).join(' ')}`);
  });
  await judge.stop();
  if (/secret-of-the-fuzzer/.test(exporter.log() + (await page())))
    violations.push('a password is shown');
  return { violations: [...judge.violations, ...violations], summary: judge.summary() };
}
