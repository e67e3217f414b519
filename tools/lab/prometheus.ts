/** A real Prometheus with the shipped rules, which watches the VPS from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../rig/redis-server.ts';
import { token } from './access.ts';
import { labDirectory } from './packages.ts';

/** The shipped 2 s, stretched: everything in the VPS takes ten times as long as on hardware. */
export const scrapeSeconds = 5;

/** Points of one series: [Unix time, value]. */
export type Points = readonly (readonly [number, number])[];
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: Points;
}

export interface Prometheus {
  /** A range at one point per scrape. */
  range(query: string, from: number, to: number): Promise<readonly Series[]>;
  close(): Promise<void>;
}

function ruleFiles(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.yml'));
  return names.map((name) => join(directory, name));
}

function configuration(rules: string, exporterPort: number): string {
  const files = ruleFiles(rules);
  return `
global: { scrape_interval: ${scrapeSeconds}s, scrape_timeout: ${scrapeSeconds}s, evaluation_interval: ${scrapeSeconds}s }
rule_files: [${files.map((file) => JSON.stringify(file)).join(', ')}]
scrape_configs:
  - job_name: stealwatch
    authorization: { credentials: ${token} }
    static_configs: [{ targets: ['127.0.0.1:${exporterPort}'], labels: { host: vps } }]
`;
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

function isReady(url: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error('Prometheus ended; see prometheus.log');
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

export async function startPrometheus(
  rules: string,
  exporterPort: number,
  port: number,
): Promise<Prometheus> {
  const directory = join(labDirectory, 'prometheus');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'prometheus.yml');
  writeFileSync(file, configuration(rules, exporterPort));
  const log = openSync(join(labDirectory, 'prometheus.log'), 'w');
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', log, log] },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await until('Prometheus is ready', () => isReady(url, child), 40, 200);
  return {
    async range(query, from, to) {
      const parameters = {
        query,
        start: String(from),
        end: String(to),
        step: String(scrapeSeconds),
      };
      const answer = await fetch(`${url}/api/v1/query_range`, {
        method: 'POST',
        body: new URLSearchParams(parameters),
      });
      if (!answer.ok) throw new Error(`${query}: ${await answer.text()}`);
      const { data } = (await answer.json()) as Answer;
      return data.result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([at, value]) => [at, Number(value)] as const),
      }));
    },
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}
