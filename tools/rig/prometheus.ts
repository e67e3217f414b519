/**
 * A real Prometheus over given data, on a free port of the loopback, in a directory of its own.
 *
 * Backfilled data has no stale markers, so the lookback is just under one scrape: a series that
 * ended has ended, as it would have live.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, until } from './redis-server.ts';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 and value, oldest first. */
  readonly points: readonly (readonly [number, number])[];
}

export interface Span {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

export interface Prometheus {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  instant(expr: string, at: number): Promise<Series[]>;
  range(expr: string, span: Span): Promise<Series[]>;
  /** Add a file of OpenMetrics text; the server is away meanwhile. */
  load(file: string): Promise<void>;
  /** `2.42.0`. */
  release(): Promise<string>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly {
      readonly metric: Record<string, string>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

function finiteOr(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return Number(text);
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

/** `configuration`: what to scrape; nothing when the data is loaded. */
export async function startPrometheus(
  directory: string,
  scrapeSeconds: number,
  configuration = 'scrape_configs: []\n',
): Promise<Prometheus> {
  const data = join(directory, 'data');
  const config = join(directory, 'prometheus.yml');
  writeFileSync(config, configuration);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  let child = await launch();

  async function launch(): Promise<ChildProcess> {
    const started = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=100y',
        // Blocks stay as they were made: nothing is compacted while a test looks.
        '--storage.tsdb.min-block-duration=2h',
        '--storage.tsdb.max-block-duration=2h',
        `--query.lookback-delta=${scrapeSeconds - 1}s`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    await until(
      'Prometheus is ready',
      async () => {
        if (started.exitCode !== null) throw new Error(`prometheus ended with ${started.exitCode}`);
        const answer = await fetch(`${base}/-/ready`).catch(() => undefined);
        return answer?.ok === true;
      },
      60,
    );
    return started;
  }

  async function ask(path: string, parameters: Record<string, string>): Promise<Series[]> {
    const response = await fetch(`${base}/api/v1/${path}`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
    });
    const answer = (await response.json()) as Answer;
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${parameters['query']}`);
    return (answer.data?.result ?? []).map(({ metric, value, values }) => ({
      labels: metric,
      points: (values ?? (value === undefined ? [] : [value])).map(
        ([time, text]) => [time, finiteOr(text)] as const,
      ),
    }));
  }

  return {
    url: base,
    instant: (query, at) => ask('query', { query, time: String(at) }),
    range: (query, { from, to, step }) =>
      ask('query_range', { query, start: String(from), end: String(to), step: String(step) }),
    async load(file) {
      await stopped(child);
      execFileSync(
        'promtool',
        ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, data],
        {
          stdio: 'pipe',
        },
      );
      child = await launch();
    },
    async release() {
      const answer = await fetch(`${base}/api/v1/status/buildinfo`);
      const { data } = (await answer.json()) as { data: { version: string } };
      return data.version.replace(/\+.*/, '');
    },
    stop: () => stopped(child),
  };
}
