/**
 * A process whose memory is pushed out to this machine's own swap, on demand. Needs root, a
 * memory cgroup and a loop device. Everything is owned and put back by `guest-swap.sh`, also when
 * this process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './redis-server.ts';

export interface SwappedProcess {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Push as much of its memory out to swap as the kernel will. */
  pushOut(): Promise<void>;
}

const script = fileURLToPath(new URL('guest-swap.sh', import.meta.url));
const longestSeconds = 120;

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'making swap needs root';
  if (!existsSync('/dev/loop-control')) return 'no loop devices (/dev/loop-control)';
  const groups = ['/sys/fs/cgroup/cgroup.controllers', '/sys/fs/cgroup/memory/cgroup.procs'];
  if (!groups.some((path) => existsSync(path))) return 'no memory cgroup';
  if (!existsSync('/proc/swaps')) return 'this kernel has no swap';
  return undefined;
}

/** Runs node with `args`; skips the test with the reason where this cannot be done. */
export async function startSwapped(
  t: TestContext,
  args: readonly string[],
): Promise<SwappedProcess | undefined> {
  const obstacle = whyNot();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-swap-'));
  const owner = spawn(script, [directory, String(longestSeconds)], {
    detached: true,
    stdio: 'pipe',
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  let said = '';
  owner.stdout.on('data', (data: Buffer) => (said += data.toString()));
  owner.stderr.on('data', (data: Buffer) => (said += data.toString()));
  owner.stdin.on('error', () => undefined);
  const ended = new Promise((resolve) => owner.once('exit', resolve));
  t.after(async () => {
    owner.stdin.end();
    await ended;
  });
  await until('swap and a cgroup', () => said.includes('ready ') || owner.exitCode !== null, 20);
  const [, group] = /^ready (.+)$/m.exec(said) ?? [];
  if (group === undefined) {
    t.skip(`no swap to be had: ${said.trim()}`);
    return undefined;
  }
  const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  const child = spawn('sh', ['-c', enter, group, process.execPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  return {
    child,
    output: () => output,
    async pushOut() {
      const before = said.split('out\n').length;
      owner.stdin.write('\n');
      await until('its memory is in swap', () => said.split('out\n').length > before, 30);
    },
  };
}
