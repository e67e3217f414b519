/** A real Prometheus with the shipped configuration and rules, started as it ships: by start.sh. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type Scope, until } from './redis-server.ts';

export interface ShippedPrometheus {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** `data` of an answer of its API, version 1. */
  readonly ask: <T>(path: string) => Promise<T>;
}

const root = join(import.meta.dirname, '..', '..');

/** What start.sh looks for in ETC. */
export function prometheusFolder(directory: string): void {
  for (const name of ['secrets', 'targets']) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  cpSync(join(root, 'alerts', 'generated'), join(directory, 'rules'), { recursive: true });
}

/** `directory` is ETC, and what it writes is in it too; `settings` are those of start.sh. */
export async function startShippedPrometheus(
  scope: Scope,
  program: string,
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<ShippedPrometheus> {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'sh',
    [
      join(root, 'deploy', 'prometheus', 'start.sh'),
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${listen}`,
      '--rules.alert.resend-delay=5s',
    ],
    {
      env: {
        PATH: process.env['PATH'],
        TMPDIR: directory,
        PROMETHEUS: program,
        ETC: directory,
        PROMETHEUS_TARGET: listen,
        ...settings,
      },
      stdio: 'ignore',
    },
  );
  scope.after(async () => {
    if (child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  });
  await until('Prometheus is ready', async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`);
    return (await fetch(`http://${listen}/-/ready`).catch(() => undefined))?.ok === true;
  });
  return {
    url: `http://${listen}`,
    ask: async <T>(path: string) => {
      const { data } = (await (await fetch(`http://${listen}/api/v1/${path}`)).json()) as {
        data: T;
      };
      return data;
    },
  };
}
