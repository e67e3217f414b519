/** The real Asynq of tools/rig/asynq-go, built where Go and its module proxy are there. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Scope } from './redis-server.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

const asynqSource = fileURLToPath(new URL('asynq-go/', import.meta.url));
const run = promisify(execFile);
/** Compiling protobuf and go-redis takes two minutes on a small machine, once. */
const buildTimeoutMs = 280_000;

export type Built =
  | { readonly program: string }
  /** Why there is none, for the line that says what was skipped. */
  | { readonly missing: string };

export const buildAsynq = (): Promise<Built> => buildGo(asynqSource, 'asynq');

/** Builds once for each state of the source; later calls find the program in the temp folder. */
export async function buildGo(source: string, name: string): Promise<Built> {
  const hash = createHash('sha256');
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(source, file)));
  const program = join(tmpdir(), `stealwatch-${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return { program };
  const half = `${program}.${process.pid}`;
  try {
    // Never another toolchain than the one that is here.
    const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    await run('go', ['build', '-o', half, '.'], { cwd: source, env, timeout: buildTimeoutMs });
  } catch (error) {
    const text = messageOf(error);
    return { missing: `Go cannot build ${name} here: ${text.slice(0, 300)}` };
  }
  renameSync(half, program);
  return { program };
}

/** Starts the program and resolves with the lines it prints first; killed when the scope ends. */
export async function startAsynq(
  scope: Scope,
  program: string,
  args: readonly string[],
  readyLine: string | undefined,
): Promise<{ readonly pid: number; readonly terminate: () => Promise<void> }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  scope.after(() => void child.kill('SIGKILL'));
  if (readyLine !== undefined) {
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes(readyLine)) resolve();
      });
      child.once('exit', (code) => reject(new Error(`asynq-go ${args[0]} ended with ${code}`)));
    });
  }
  return {
    pid: child.pid ?? 0,
    async terminate() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

export async function askAsynq(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: 60_000, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
