/** Small tools of the benchmarks: a scope that cleans up, timed requests, tables. */
import { Agent, get } from 'node:http';
import type { Scope } from '../rig/redis-server.ts';

/** Runs `work` and then, last first, whatever it registered with `after`. */
export async function inScope(work: (scope: Scope) => Promise<void>): Promise<void> {
  const ends: (() => void | Promise<void>)[] = [];
  try {
    await work({ after: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly seconds: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

export function timedGet(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          seconds: (performance.now() - began) / 1000,
        }),
      );
    }).on('error', reject);
  });
}

/** `count` requests one after the other; seconds of each. */
export async function timings(url: string, count: number): Promise<number[]> {
  const seconds: number[] = [];
  for (let i = 0; i < count; i++) seconds.push((await timedGet(url)).seconds);
  return seconds;
}

export const ms = (seconds: number) => `${(seconds * 1000).toFixed(1)} ms`;
export const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
