/** A real redis-server for one test, on a free port of its own, in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { setTimeout as sleep } from 'node:timers/promises';
import { stopwatch } from './waited.ts';

/** Whatever runs things at its end: a test, or a benchmark. */
export interface Scope {
  after(end: () => void | Promise<void>): void;
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly directory: string;
  readonly pid: number;
  /** SIGSTOP: TCP still accepts, nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Command-line arguments after the port, directory and `--save ""`. */
  readonly args?: readonly string[];
  /** Another server than redis-server on the PATH, for example valkey-server. */
  readonly program?: string;
  readonly port?: number;
  readonly directory?: string;
}

/**
 * Below the ports that Linux gives to clients (32768 and up), so that nobody's connection takes one
 * between our look and its use; and so that 10,000 more, where a node of a cluster listens as well,
 * are below them too.
 */
const ports = [11_000, 22_000] as const;

function binds(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  let port = randomInt(...ports);
  while (!(await binds(port))) port = randomInt(...ports);
  return port;
}

export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Wait until `condition` holds; fails with `what` after `seconds`, on a busy machine later. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 15,
  pauseMs = 20,
): Promise<void> {
  const { within } = stopwatch();
  while (!(await condition())) {
    within(seconds * 1000, `${what}: not yet so; waiting`);
    await sleep(pauseMs);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

/** Whether this very process listens there: what accepts may be another's. */
function isListener(pid: number, port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sockets = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => state === '0A' && address?.endsWith(local) === true)
    .map((fields) => `socket:[${fields[9]}]`);
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) =>
      sockets.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)),
    );
  } catch {
    // It has ended, or has closed a file meanwhile.
    return false;
  }
}

/** A port that was free a moment ago, and which another test has taken since: once more, on another. */
const mostPorts = 3;

export async function startRedis(
  scope: Scope,
  options: RedisServerOptions = {},
): Promise<RedisServer> {
  for (let left = mostPorts - 1; ; left -= 1) {
    const port = options.port ?? (await freePort());
    try {
      return await startRedisAt(scope, port, options);
    } catch (error) {
      const known = error instanceof Error && error.message.endsWith(' ended with code 1');
      if (!known || options.port !== undefined || left === 0) throw error;
    }
  }
}

async function startRedisAt(
  scope: Scope,
  port: number,
  options: RedisServerOptions,
): Promise<RedisServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'stealwatch-redis-'));
  const program = options.program ?? 'redis-server';
  const child = spawn(
    program,
    ['--port', String(port), '--dir', directory, '--save', '', ...(options.args ?? [])],
    // With a locale that its C library does not have it refuses to start.
    { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } },
  );
  let failed: Error | undefined;
  child.on('error', (error) => {
    failed = error;
  });
  async function stop(): Promise<void> {
    if (child.pid === undefined) return;
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended(child);
  }
  scope.after(async () => {
    await stop();
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  });
  await until(`${program} listens on ${port}`, () => {
    if (failed !== undefined) throw failed;
    if (child.exitCode !== null) throw new Error(`${program} ended with code ${child.exitCode}`);
    return isListener(child.pid ?? 0, port);
  });
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    pid: child.pid ?? 0,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop,
  };
}
