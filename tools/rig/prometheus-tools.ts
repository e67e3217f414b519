/** The releases of Prometheus and Alertmanager that every test of rules and configuration runs under. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { newerPrometheus } from './newer-prometheus.ts';

export interface Tools {
  /** What stands in a test's name. */
  readonly label: string;
  readonly prometheus: string;
  readonly promtool: string;
  readonly alertmanager: string;
  readonly amtool: string;
}

/** Debian calls it prometheus-alertmanager, everybody else alertmanager. */
function onPath(...names: readonly string[]): string {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  for (const name of names) {
    const found = directories.map((d) => join(d, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  throw new Error(`${names.join(' or ')} is not on the PATH; run npm run pretest`);
}

export function installedTools(): Tools {
  return {
    label: 'installed',
    prometheus: onPath('prometheus'),
    promtool: onPath('promtool'),
    alertmanager: onPath('prometheus-alertmanager', 'alertmanager'),
    amtool: onPath('amtool'),
  };
}

/** The installed release, and the newest that can be had; says so when there is no newer one. */
export function allTools(): Tools[] {
  const newer = newerPrometheus('sid');
  if ('skipped' in newer) {
    console.log(`SKIPPED under a newer release: ${newer.skipped}`);
    return [installedTools()];
  }
  const bin = (name: string) => join(newer.bin, name);
  return [
    installedTools(),
    {
      label: 'newer',
      prometheus: bin('prometheus'),
      promtool: bin('promtool'),
      alertmanager: bin('prometheus-alertmanager'),
      amtool: bin('amtool'),
    },
  ];
}

export interface Output {
  readonly code: number;
  /** Standard output and standard error. */
  readonly text: string;
}

/** promtool's garbage collector takes a quarter of its time at Go's default of 100; this costs it 20 MB. */
const lessCollecting = { GOGC: '400' };

export function run(program: string, args: readonly string[], cwd?: string): Output {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, ...lessCollecting },
    ...(cwd === undefined ? {} : { cwd }),
  });
  if (error !== undefined) throw error;
  return { code: status ?? -1, text: stdout + stderr };
}
