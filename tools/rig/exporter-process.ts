/** The exporter as it ships, the bundle under its launcher, as a process of its own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, type Scope, until } from './redis-server.ts';

export const launcher = fileURLToPath(new URL('../../exporter/stealwatch', import.meta.url));

export interface ExporterProcess {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Log lines so far. */
  log(): string;
  /** CPU time used so far, user and system, in seconds. */
  cpuSeconds(): number;
  residentBytes(): number;
  anonymousBytes(): number;
}

/** User plus system time of a process in seconds, from /proc/PID/stat in ticks of 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** One field of /proc/PID/status that is given in kB, as bytes. */
export function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

/** Needs `npm run build` before. */
export async function startExporter(
  scope: Scope,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ExporterProcess> {
  const port = await freePort();
  const child = spawn(launcher, ['--listen', `127.0.0.1:${port}`, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1));
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  scope.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await ended;
  });
  await until('the exporter listens', () => {
    if (child.exitCode !== null) throw new Error(`the exporter ended: ${log}`);
    return log.includes('"listening"');
  });
  const pid = child.pid ?? 0;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid,
    ended,
    log: () => log,
    cpuSeconds: () => cpuSecondsOf(pid),
    residentBytes: () => memoryOf(pid, 'VmRSS'),
    anonymousBytes: () => memoryOf(pid, 'RssAnon'),
  };
}
