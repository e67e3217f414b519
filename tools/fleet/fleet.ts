/**
 * Rules over a fleet: a real Prometheus scrapes simulated hosts and evaluates the rules that ship.
 *
 *   npm run bench:fleet -- [--hosts 1000] [--interval 15] [--minutes 5] [--history 60] [--slo-days N]
 *
 * Every host answers with the recorded /metrics of exporter/golden/metrics.txt, its counters
 * counting. History is there from the start (promtool tsdb create-blocks-from), so the windows are
 * full: an hour of what the alerts read, six hours of SLO slices, and their quarters of 28 days,
 * which make 90,000 samples a host. Prints how long each group and each rule took, as Prometheus
 * itself says; of a group with a longer interval than the bench, how long its rules take as queries.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { shippedSpec } from '../../alerts/slo/shipped.ts';
import { retentionDays } from '../../alerts/thresholds.ts';
import { askGroups, printGroups, type Seen, watchGroups } from './report.ts';
import { hostLabels, readSeries, type Series, valueOf } from './series.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '15' },
    minutes: { type: 'string', default: '5' },
    history: { type: 'string', default: '60' },
    'slo-days': { type: 'string', default: String(shippedSpec().periodDays) },
    prometheus: { type: 'string', default: 'prometheus' },
    promtool: { type: 'string', default: 'promtool' },
  },
});
const [hosts, interval, minutes] = [values.hosts, values.interval, values.minutes].map(Number) as [
  number,
  number,
  number,
];
const sloDays = Number(values['slo-days']);
const historyMinutes = Number(values.history);
const rules = 'alerts/generated';
const directory = mkdtempSync(join(tmpdir(), 'stealwatch-fleet-'));
const all = readSeries('exporter/golden/metrics.txt');

/** Only what a rule reads: the rest of an hour for 1,000 hosts would be 3 GB of text. */
function usedByRules(): Series[] {
  const text = readdirSync(rules)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => readFileSync(join(rules, file), 'utf8'))
    .join('\n');
  return all.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(text));
}

/** One sample every `step` seconds, of every host. */
interface Past {
  readonly name: string;
  readonly labels: string;
  readonly hours: number;
  readonly step: number;
  valueAt(host: number, seconds: number): number;
}

const wallClock = ['host', 'redis_availability'];
const ofEvents = ['steal', 'redis_latency'];

/** What the SLO rules would have recorded: slices for the short windows, quarters for the long. */
function sloPast(): Past[] {
  if (sloDays === 0) return [];
  const every = [...wallClock, ...ofEvents];
  const past: Past[] = [];
  const add = (name: string, slos: readonly string[], hours: number, more = '') => {
    const step = name.endsWith('15s') ? 15 : 900;
    const valueAt = (_: number, seconds: number) =>
      name.startsWith('slo:observed') ? seconds : step / 15;
    for (const slo of slos)
      past.push({ name, labels: `slo="${slo}"${more}`, hours, step, valueAt });
  };
  add('slo:good:slice15s', every, 6);
  add('slo:total:slice15s', ofEvents, 6);
  add('slo:known:slice15s', every, 1);
  const period = sloDays * 24;
  add('slo:good:sum15m', every, period);
  add('slo:total:sum15m', ofEvents, period);
  add('slo:known:sum15m', every, period);
  add('slo:recorded:sum15m', wallClock, period);
  add('slo:observed:min15m', every, period);
  add('slo:bad_seconds:sum15m', every, period, ',cause="unknown"');
  add('slo:bad_seconds:sum15m', ['host'], period, ',cause="host_cpu"');
  return past;
}

function wholePast(): Past[] {
  const hours = historyMinutes / 60;
  const scraped = usedByRules().map((series) => ({
    name: series.name,
    labels: series.labels,
    hours,
    step: interval,
    valueAt: (host: number, seconds: number) => valueOf(series, host, seconds),
  }));
  const up: Past = { name: 'up', labels: '', hours, step: interval, valueAt: () => 1 };
  return [...scraped, up, ...sloPast()];
}

/** What of the history lies from `from` until `until`, as OpenMetrics. */
async function writePart(path: string, from: number, until: number, now: number): Promise<number> {
  const out = createWriteStream(path);
  let samples = 0;
  for (const past of wholePast()) {
    const begin = now - past.hours * 3600;
    const first = begin + Math.ceil(Math.max(0, from - begin) / past.step) * past.step;
    if (first >= until) continue;
    for (let host = 0; host < hosts; host++) {
      const labels = [hostLabels(host), past.labels].filter((part) => part !== '').join(',');
      let lines = '';
      for (let at = first; at < until; at += past.step) {
        lines += `${past.name}{${labels}} ${past.valueAt(host, at)} ${at}\n`;
        samples++;
      }
      if (!out.write(lines)) await once(out, 'drain');
    }
  }
  out.end('# EOF\n');
  await once(out, 'close');
  return samples;
}

/** promtool reads the whole of a file for every block: so a file for each block. */
const blockSeconds = 162 * 3600;

async function makeHistory(data: string, now: number): Promise<number> {
  const begin = now - Math.max(historyMinutes / 60, sloDays * 24) * 3600;
  const file = join(directory, 'history.txt');
  let samples = 0;
  for (let from = begin; from < now;) {
    const until = Math.min(now, (Math.floor(from / blockSeconds) + 1) * blockSeconds);
    samples += await writePart(file, from, until, now);
    const words = 'tsdb create-blocks-from openmetrics -q --max-block-duration=200h';
    execFileSync(values.promtool, [...words.split(' '), file, data]);
    rmSync(file);
    from = until;
  }
  return samples;
}

/** /metrics?host=N for every N. */
async function startHosts(): Promise<{ port: number; close: () => void }> {
  const server = createServer((request, response) => {
    const host = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('host'));
    const now = Date.now() / 1000;
    let body = '';
    for (const series of all) {
      body += `${series.name}${series.labels === '' ? '' : `{${series.labels}}`} ${valueOf(series, host, now)}\n`;
    }
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function configure(port: number): string {
  const targets = Array.from({ length: hosts }, (_, host) => {
    const labels = hostLabels(host).replaceAll('="', ': "').replaceAll('",', '", ');
    return `- {targets: ["127.0.0.1:${port}"], labels: {${labels}, __param_host: "${host}"}}`;
  });
  writeFileSync(join(directory, 'targets.yml'), `${targets.join('\n')}\n`);
  const path = join(directory, 'prometheus.yml');
  writeFileSync(
    path,
    `global: {scrape_interval: ${interval}s, scrape_timeout: ${Math.min(interval, 10)}s, evaluation_interval: ${interval}s}
rule_files: [${join(process.cwd(), rules)}/*.yml]
scrape_configs:
  - job_name: stealwatch
    file_sd_configs: [{files: [${join(directory, 'targets.yml')}]}]
`,
  );
  return path;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function main(): Promise<void> {
  const fleet = await startHosts();
  const config = configure(fleet.port);
  const now = Math.floor(Date.now() / 1000 / interval) * interval;
  const data = join(directory, 'data');
  const began = performance.now();
  const samples = await makeHistory(data, now);
  const took = (performance.now() - began) / 1000;
  console.log(
    `${hosts} hosts of ${all.length} series every ${interval} s; ${samples} samples of history, made in ${took.toFixed(0)} s`,
  );
  const port = fleet.port + 1;
  const prometheus = spawn(
    values.prometheus,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--storage.tsdb.retention.time=${retentionDays}d`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  try {
    const seen: Seen = new Map();
    const until = Date.now() + minutes * 60_000;
    while (Date.now() < until && prometheus.exitCode === null) {
      await sleep(1000);
      await watchGroups(`http://127.0.0.1:${port}`, seen).catch(() => undefined);
    }
    await askGroups(`http://127.0.0.1:${port}`, seen);
    const status = readFileSync(`/proc/${prometheus.pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${prometheus.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpu = (Number(fields[11]) + Number(fields[12])) / 100 / (minutes * 60);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const metric = (name: string) =>
      new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(metrics)?.[1];
    printGroups(seen);
    console.log(
      `\nPrometheus: ${/VmRSS:\s+(\d+)/.exec(status)?.[1]} kB resident, ${cpu.toFixed(2)} cores, ${metric('prometheus_tsdb_head_series')} series in the head`,
    );
    console.log(
      `Machine: ${cpus().length} cores (${cpus()[0]?.model}), load ${loadavg()
        .map((l) => l.toFixed(1))
        .join(' ')}`,
    );
  } finally {
    await end(prometheus);
    fleet.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
