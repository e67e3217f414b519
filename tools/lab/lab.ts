/** What a scenario can do to the VPS and its host, and what it notes down while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientFigures, startClient } from './client.ts';
import type { Status } from '../../exporter/core/status.ts';
import { headers, webConfig } from './access.ts';
import type { Machine } from './machine.ts';
import type { Remains } from './remains.ts';

const keys = 30_000;
const valueBytes = 600;
const canaryMib = 8;

export interface Note {
  /** Unix time in seconds. */
  readonly at: number;
  readonly text: string;
}

export interface Lab {
  readonly machine: Machine;
  /** Move Redis's data set, or the canary's pool, to the host's swap. Resolves with its words. */
  pageOut(whose: 'redis' | 'canary'): Promise<string>;
  /** Random reads at this pace from now on, besides a PING a second. */
  read(everyMs: number): void;
  /** State letter and CPU of redis-server's main thread. */
  redisTask(): Promise<{ readonly state: string; readonly cpu: number }>;
  /** Wait until redis-server is in this state. */
  redisIs(state: string, seconds: number): Promise<void>;
  /** Wait until a touch of the canary has been waiting for this long. */
  canaryWaits(least: number, seconds: number): Promise<void>;
  /** End the VPS where it stands, and boot it again: only scenarios that say so. */
  reset(): Promise<void>;
  note(text: string): void;
  /** Note what the exporter says at this moment. */
  quote(): Promise<void>;
  wait(seconds: number): Promise<void>;
}

export interface Notebook {
  readonly notes: Note[];
  figures(): ClientFigures;
  close(): void;
}

export const exporter = '/opt/stealwatch/exporter/stealwatch';

/** The exporter's value of a series without labels, or with these; undefined if it has none. */
async function valueOf({ ports }: Machine, series: string): Promise<number | undefined> {
  const answer = await fetch(`http://127.0.0.1:${ports.exporter}/metrics`, {
    headers,
    signal: AbortSignal.timeout(20_000),
  }).catch(() => undefined);
  const lines = (await answer?.text().catch(() => undefined))?.split('\n') ?? [];
  const line = lines.find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

async function valueExceeds(
  machine: Machine,
  series: string,
  least: number,
  seconds: number,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(Number(await valueOf(machine, series)) > least)) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${series} > ${least}`);
    await sleep(2000);
  }
}

const redisAnswers = 'until redis-cli PING | grep -q PONG; do sleep 1; done';

/** A freshly booted VPS with a data set and the exporter, whose canary has begun to touch. */
export async function prepareVps(
  machine: Machine,
  cpu: string,
  remains: Remains | undefined,
): Promise<void> {
  const { vps } = machine;
  await machine.startVps(cpu);
  await vps.run(redisAnswers, 120);
  const answer = await vps.run(`redis-cli DEBUG POPULATE ${keys} key ${valueBytes}`, 240);
  if (!answer.endsWith('OK')) throw new Error(`no data set: ${answer}`);
  await remains?.follow();
  await vps.run(`echo '${webConfig}' > /tmp/web.yml`);
  vps.send(
    `${exporter} --listen 0.0.0.0:10190 --web-config-file /tmp/web.yml --canary=${canaryMib} > /tmp/exporter.log 2>&1 & echo $! > /tmp/exporter.pid`,
  );
  await valueExceeds(machine, 'stealwatch_cold_page_touch_seconds_count{age="2m"}', 0, 400);
}

const whereIs = {
  // The heap and the arenas of the allocator.
  redis: 'ranges $(cat /tmp/redis.pid) 4096',
  // A mapping of the pool's size and a little more for the allocator, or for a neighbour that the
  // kernel made one with it.
  canary: `ranges $(cat /tmp/exporter.pid) ${canaryMib * 1024} ${canaryMib * 1536}`,
} as const;

async function pageOut({ provider, vps }: Machine, whose: keyof typeof whereIs): Promise<string> {
  const ranges = (await vps.run(whereIs[whose], 120))
    .split('\n')
    .filter((line) => /^[0-9a-f]+ [0-9a-f]+$/.test(line));
  if (ranges.length === 0) throw new Error(`nothing of ${whose} was found in the VPS`);
  await provider.run('> /tmp/ranges');
  for (let i = 0; i < ranges.length; i += 50) {
    await provider.run(`echo '${ranges.slice(i, i + 50).join('\n')}' >> /tmp/ranges`);
  }
  return provider.run('pageout $(cat /tmp/vm.pid) < /tmp/ranges', 180);
}

export function createLab(
  machine: Machine,
  remains: Remains | undefined,
): { lab: Lab; notebook: Notebook } {
  const notes: Note[] = [];
  let client: Client = startClient(machine.ports.redis, keys, 1000);

  async function redisTask() {
    const stat = await machine.vps.run('cat /proc/$(cat /tmp/redis.pid)/stat', 60);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', cpu: Number(fields[36]) };
  }

  const lab: Lab = {
    machine,
    pageOut: (whose) => pageOut(machine, whose),
    read(everyMs) {
      client.close();
      client = startClient(machine.ports.redis, keys, everyMs);
    },
    redisTask,
    async redisIs(state, seconds) {
      const end = performance.now() + seconds * 1000;
      while ((await redisTask()).state !== state) {
        if (performance.now() > end) throw new Error(`redis-server is not in state ${state}`);
        await sleep(1000);
      }
    },
    canaryWaits: (least, seconds) =>
      valueExceeds(machine, 'stealwatch_cold_page_outstanding_seconds', least, seconds),
    async reset() {
      if (remains === undefined) throw new Error('the scenario does not say that it resets');
      lab.note('the VPS is reset');
      await machine.resetVps();
      await machine.vps.run(redisAnswers, 120);
      await remains.follow();
      lab.note('the VPS has booted again');
    },
    note(text) {
      notes.push({ at: Date.now() / 1000, text });
      process.stdout.write(`  ${new Date().toISOString().slice(11, 19)} ${text}\n`);
    },
    async quote() {
      const answer = await fetch(`http://127.0.0.1:${machine.ports.exporter}/status`, {
        headers,
        signal: AbortSignal.timeout(20_000),
      }).catch(() => undefined);
      const status = (await answer?.json().catch(() => undefined)) as Status | undefined;
      lab.note(status === undefined ? '`/status` did not answer' : `"${status.verdict.text}"`);
    },
    wait: (seconds) => sleep(seconds * 1000),
  };
  return { lab, notebook: { notes, figures: () => client.take(), close: () => client.close() } };
}
