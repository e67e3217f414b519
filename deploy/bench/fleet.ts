/**
 * Rules over a fleet: a real Prometheus scrapes simulated hosts and evaluates the rules that ship.
 *
 *   node deploy/bench/fleet.ts [--hosts 1000] [--interval 15] [--minutes 4] [--history 60] [--slo-days 0]
 *
 * Every host answers with the recorded /metrics of exporter/golden/metrics.txt, its counters
 * counting. An hour of history is there from the start (promtool tsdb create-blocks-from), so the
 * windows of alerts are full. Those of the SLOs look back for 28 days: --slo-days 28 fills them, with
 * few hosts, for it is 1.9 million samples a host. Prints how long each group took, from Prometheus' own /metrics.
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
import { hostLabels, readSeries, type Series, valueOf } from './series.ts';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '15' },
    minutes: { type: 'string', default: '4' },
    history: { type: 'string', default: '60' },
    'slo-days': { type: 'string', default: '0' },
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

async function writeHistory(path: string, endSeconds: number): Promise<number> {
  const out = createWriteStream(path);
  let samples = 0;
  const up: Series = { name: 'up', labels: '', value: 1, type: 'gauge' };
  for (const series of [...usedByRules(), up]) {
    for (let host = 0; host < hosts; host++) {
      const labels = [hostLabels(host), series.labels].filter((part) => part !== '').join(',');
      let lines = '';
      for (let at = endSeconds - historyMinutes * 60; at < endSeconds; at += interval) {
        const value = series.name === 'up' ? 1 : valueOf(series, host, at);
        lines += `${series.name}{${labels}} ${value} ${at}\n`;
        samples++;
      }
      if (!out.write(lines)) await once(out, 'drain');
    }
  }
  for (const name of sloDays > 0 ? ['known', 'good', 'total'] : []) {
    for (const slo of ['host', 'steal', 'redis_availability', 'redis_latency']) {
      for (let host = 0; host < hosts; host++) {
        const labels = `${hostLabels(host)},slo="${slo}"`;
        let lines = '';
        for (let at = endSeconds - sloDays * 86_400; at < endSeconds; at += 15) {
          lines += `slo:${name}:slice15s{${labels}} 1 ${at}\n`;
          samples++;
        }
        if (!out.write(lines)) await once(out, 'drain');
      }
    }
  }
  out.end('# EOF\n');
  await once(out, 'close');
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

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly lastError?: string;
  readonly evaluationTime: number;
}

interface Group {
  readonly name: string;
  readonly interval: number;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly rules: readonly Rule[];
}

/** Every evaluation of a group once, by the time at which it began. */
type Seen = Map<string, Map<string, Group>>;

async function watchGroups(url: string, seen: Seen): Promise<void> {
  const response = await fetch(`${url}/api/v1/rules`);
  const { data } = (await response.json()) as { data: { groups: Group[] } };
  for (const group of data.groups) {
    if (group.lastEvaluation.startsWith('0001')) continue;
    const evaluations = seen.get(group.name) ?? new Map<string, Group>();
    seen.set(group.name, evaluations.set(group.lastEvaluation, group));
  }
}

/** Without the first: it runs while Prometheus still reads its own files. */
function measured(evaluations: ReadonlyMap<string, Group>): Group[] {
  const all = [...evaluations.values()];
  return (all.length > 1 ? all.slice(1) : all).sort((a, b) => a.evaluationTime - b.evaluationTime);
}

function printGroups(seen: Seen): void {
  console.log('\n| group | rules | interval, s | evaluations | median, s | longest, s |');
  console.log('|---|---|---|---|---|---|');
  const rules: Rule[] = [];
  let cores = 0;
  for (const evaluations of seen.values()) {
    const sorted = measured(evaluations);
    const [median, longest] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
    if (median === undefined || longest === undefined) continue;
    const { name, interval } = median;
    cores += median.evaluationTime / interval;
    rules.push(...median.rules);
    const late = longest.evaluationTime > interval ? ' LATE' : '';
    const failed = longest.rules.find(({ health }) => health === 'err')?.lastError ?? '';
    console.log(
      `| ${name} | ${median.rules.length} | ${interval} | ${sorted.length} | ${median.evaluationTime.toFixed(2)} | ${longest.evaluationTime.toFixed(2)}${late} ${failed} |`,
    );
  }
  console.log(`\nAll groups: ${(cores * 100).toFixed(0)} % of one thread.`);
  rules.sort((a, b) => b.evaluationTime - a.evaluationTime);
  for (const { name, evaluationTime, query } of rules.slice(0, 6)) {
    console.log(
      `  ${evaluationTime.toFixed(2)} s ${name}: ${query.replaceAll(/\s+/g, ' ').slice(0, 140)}`,
    );
  }
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
  const history = join(directory, 'history.txt');
  const samples = await writeHistory(history, now);
  const data = join(directory, 'data');
  const began = performance.now();
  // A pass through the file for every block: weeks of data go into a few large ones.
  const blocks = sloDays > 0 ? '--max-block-duration=200h' : '--max-block-duration=2h';
  execFileSync(values.promtool, [
    'tsdb',
    'create-blocks-from',
    'openmetrics',
    '-q',
    blocks,
    history,
    data,
  ]);
  rmSync(history);
  const took = (performance.now() - began) / 1000;
  console.log(
    `${hosts} hosts of ${all.length} series every ${interval} s; ${samples} samples of history, blocks made in ${took.toFixed(0)} s`,
  );
  const port = fleet.port + 1;
  const prometheus = spawn(
    values.prometheus,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--storage.tsdb.retention.time=35d',
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
