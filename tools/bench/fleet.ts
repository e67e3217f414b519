/**
 * What a fleet costs its watchers: samples, disk, memory, and which engine it takes, for 10 to 10,000
 * hosts. Measured here: the series of an exporter with Redis, one application and the canary, and how many
 * bytes Prometheus keeps of a sample. Taken over from a measurement that needs minutes: `measured`.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retentionDays } from '../../alerts/thresholds.ts';
import { startExporter } from '../rig/exporter-process.ts';
import { installedTools } from '../rig/prometheus-tools.ts';
import { type Scope, startRedis } from '../rig/redis-server.ts';
import { inTemporaryDirectory } from '../rig/temporary-root.ts';
import { inScope, table, timedGet } from './figures.ts';

/** `npm run bench:fleet -- --hosts 1000 --minutes 4` on two cores, Prometheus 2.42 (docs/scaling.md). */
const measured = {
  /** Series that rules record of a host, once the SLOs' quarters are there. */
  recordedSeries: 156,
  recordedSamplesPerSecond: 5,
  /** Resident, of Prometheus: 1 GB for 240,000 series. */
  bytesOfSeries: 4200,
  /** The longest of the groups that every scrape interval evaluates, and of those of 15 s, for each host. */
  groupSeconds: { eachScrape: 0.00149, each15s: 0.00298 },
} as const;

const sizes = [10, 200, 1000, 10_000];
const intervals = [2, 5, 15];
/** A group may take this share of its interval: what a busy machine doubles must still be in time. */
const share = 0.5;
/** Of one Prometheus, whatever its cores: what a machine of 8 GB holds with room for queries. */
const mostBytes = 5e9;

const samplesOf = (page: string) =>
  page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** Two pages of a real exporter, seconds apart: what stands still between them compresses well. */
async function pagesOf(scope: Scope): Promise<[string[], string[], number]> {
  const redis = await startRedis(scope);
  const app = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(app, 'listening');
  scope.after(() => void app.close());
  const { port } = app.address() as AddressInfo;
  const { url } = await startExporter(scope, [
    `--redis-url=${redis.url}`,
    `--app=shop=http://127.0.0.1:${port}/health`,
    '--canary=32',
  ]);
  const seconds = 10;
  await sleep(12_000);
  const first = samplesOf((await timedGet(`${url}/metrics`)).body);
  await sleep(seconds * 1000);
  return [first, samplesOf((await timedGet(`${url}/metrics`)).body), seconds];
}

const nameAndValue = (line: string): [string, number] => {
  const at = line.lastIndexOf(' ');
  return [line.slice(0, at), Number(line.slice(at + 1))];
};

/** Counters go on as they did, gauges go to and fro between what was read. */
function history(first: readonly string[], second: readonly string[], apart: number) {
  const before = new Map(first.map(nameAndValue));
  return second.map((line) => {
    const [name, value] = nameAndValue(line);
    const step = value - (before.get(name) ?? value);
    const counts = /(_total|_count|_sum|_bucket)(\{|$)/.test(name);
    return {
      name,
      at: (s: number, n: number) => (counts ? value + (step * s) / apart : value - step * (n % 2)),
    };
  });
}

const sizeOf = (path: string): number =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(path, name)))
    .filter((entry) => entry.isFile())
    .reduce((sum, { size }) => sum + size, 0);

/** Bytes of a block of two hours for each of its samples; `jitterMs` is how late scrapes are at most. */
function bytesPerSample(
  series: ReturnType<typeof history>,
  interval: number,
  jitterMs: number,
): number {
  return inTemporaryDirectory((directory) => {
    // A whole number of two hours, so that it is one block.
    const begin = Math.floor(Date.now() / 7_200_000) * 7200 - 14_400;
    const count = Math.floor(7200 / interval);
    const text = series.flatMap(({ name, at }) =>
      Array.from({ length: count }, (_, n) => {
        const late = (Math.sin(n * 12.9898) * 43758.5453) % 1;
        const time = begin + n * interval + (Math.abs(late) * jitterMs) / 1000;
        return `${name} ${at(n * interval, n)} ${time.toFixed(3)}\n`;
      }),
    );
    const file = join(directory, 'in.txt');
    writeFileSync(file, `${text.join('')}# EOF\n`);
    const words = 'tsdb create-blocks-from openmetrics -q';
    execFileSync(installedTools().promtool, [...words.split(' '), file, join(directory, 'data')]);
    return sizeOf(join(directory, 'data')) / (count * series.length);
  });
}

/** How many hosts one Prometheus takes: by the slower of its groups, and by its memory. */
function mostHosts(interval: number, series: number): number {
  const { eachScrape, each15s } = measured.groupSeconds;
  return Math.floor(
    Math.min(
      (share * interval) / eachScrape,
      (share * 15) / each15s,
      mostBytes / (measured.bytesOfSeries * (series + measured.recordedSeries)),
    ),
  );
}

function engineOf(hosts: number, interval: number, series: number): string {
  const watchers = Math.ceil(hosts / mostHosts(interval, series));
  if (watchers === 1) return 'Prometheus';
  return `${watchers} × Prometheus, VictoriaMetrics for the screens`;
}

const significant = (value: number) => Number(value.toPrecision(2)).toLocaleString('en');

interface Measured {
  /** Series in one scrape. */
  readonly series: number;
  /** With scrapes to the millisecond, and 100 ms late. */
  readonly bytes: readonly [even: number, late: number];
}

function rowsOf({ series, bytes }: Measured): string[][] {
  return sizes.flatMap((hosts) =>
    intervals.map((interval) => {
      const samples = hosts * (series / interval + measured.recordedSamplesPerSecond);
      const day = bytes.map((each) => (samples * 86_400 * each) / 1e9);
      const memory = (hosts * (series + measured.recordedSeries) * measured.bytesOfSeries) / 1e9;
      return [
        hosts.toLocaleString('en'),
        `${interval} s`,
        significant(samples),
        day.map(significant).join(' to '),
        day.map((gigabytes) => significant(gigabytes * retentionDays)).join(' to '),
        `${significant(Math.max(memory, 0.1))} GB`,
        engineOf(hosts, interval, series),
      ];
    }),
  );
}

export async function benchFleet(): Promise<void> {
  await inScope(async (scope) => {
    const [first, second, apart] = await pagesOf(scope);
    const series = history(first, second, apart);
    const bytes = [0, 100].map((jitter) => bytesPerSample(series, 15, jitter));
    console.log(
      `${series.length} series in a scrape; ${bytes.map((each) => each.toFixed(2)).join(' to ')} bytes a sample in a block of two hours`,
    );
    const [even = 0, late = 0] = bytes;
    const head = [
      'hosts',
      'interval',
      'samples/s',
      'GB a day',
      `GB, ${retentionDays} days`,
      'memory',
      'engine',
    ];
    console.log(table([head, ...rowsOf({ series: series.length, bytes: [even, late] })]));
    for (const interval of intervals) {
      console.log(
        `One Prometheus at ${interval} s: up to ${mostHosts(interval, series.length)} hosts`,
      );
    }
  });
}
