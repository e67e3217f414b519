/** Runs one program in the copy, in a process group of its own, and ends all of it at its deadline. */
import { type ChildProcess, spawn } from 'node:child_process';

export type Ending = 'passed' | 'failed' | 'timed out';

export interface RunOptions {
  readonly directory: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs: number;
  /** Ends the run as failed as soon as this stands in the output. */
  readonly failsOn?: RegExp;
}

const running = new Set<ChildProcess>();

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of it has ended already.
  }
}

/** For when we are to end ourselves. */
export function endAll(): void {
  for (const child of running) endGroup(child);
}

/** What is kept of the output to look for a failure in: a line of TAP is short. */
const mostKept = 64 * 1024;

export function run({ directory, args, env, deadlineMs, failsOn }: RunOptions): Promise<Ending> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: directory,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    running.add(child);
    let ending: Ending | undefined;
    let output = '';
    function end(how: Ending): void {
      ending ??= how;
      endGroup(child);
    }
    const timer = setTimeout(() => end('timed out'), deadlineMs);
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-mostKept);
      if (failsOn?.test(output) === true) end('failed');
    });
    child.once('error', () => end('failed'));
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      // What it started and left behind.
      endGroup(child);
      resolve(ending ?? (code === 0 ? 'passed' : 'failed'));
    });
  });
}
