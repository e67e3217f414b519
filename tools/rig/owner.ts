/**
 * A script that changes this machine for a test and puts it back: it says `ready` when it has, and
 * puts back when its standard input ends, which is also what the death of this process looks like.
 */
import { spawn } from 'node:child_process';
import { until } from './redis-server.ts';

export interface Owner {
  /** Has it put everything back; resolves when it has. */
  release(): Promise<void>;
}

/** Resolves once it is ready; `what` is what is waited for, at most `seconds`. */
export async function startOwner(
  script: string,
  args: readonly string[],
  what: string,
  seconds: number,
): Promise<Owner> {
  const child = spawn(script, args, {
    detached: true,
    stdio: 'pipe',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  // The script may be gone before it has read that its input ended.
  child.stdin.on('error', () => undefined);
  await until(
    what,
    () => {
      if (child.exitCode !== null) throw new Error(`${script}: ${said}`);
      return said.includes('ready\n');
    },
    seconds,
  );
  return {
    async release() {
      child.stdin.end();
      await ended;
    },
  };
}
