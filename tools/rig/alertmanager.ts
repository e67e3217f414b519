/** A real Alertmanager with the shipped configuration, started as it ships: by start.sh. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from './redis-server.ts';

export interface Alertmanager {
  readonly url: string;
  readonly pid: number;
  /** Everything it wrote so far. */
  log(): string;
  post(alerts: readonly PostedAlert[]): Promise<void>;
  stop(): Promise<void>;
}

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** When it is over; firing without. */
  readonly endsAt?: string;
}

export const startScript = join(
  import.meta.dirname,
  '..',
  '..',
  'alerts',
  'alertmanager',
  'start.sh',
);

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** `secrets` are the variables of start.sh, `script`; nothing else of them is inherited. */
export async function startAlertmanager(
  program: string,
  secrets: Readonly<Record<string, string>>,
  script = startScript,
  /** One alone waits for no others. */
  cluster: readonly string[] = ['--cluster.listen-address='],
): Promise<Alertmanager> {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-alertmanager-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let log = '';
  const child = spawn(
    script,
    [`--storage.path=${directory}`, `--web.listen-address=127.0.0.1:${port}`, ...cluster],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        TMPDIR: directory,
        ALERTMANAGER: program,
        ...secrets,
      },
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  async function stop(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
    rmSync(directory, { recursive: true, force: true });
  }
  try {
    await until('Alertmanager is ready', () => {
      if (child.exitCode !== null) throw new Error(`Alertmanager ended: ${log}`);
      return isReady(url);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    pid: child.pid ?? 0,
    log: () => log,
    async post(alerts) {
      const response = await fetch(`${url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    },
    stop,
  };
}
