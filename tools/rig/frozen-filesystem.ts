/**
 * A real redis-server that can be put into D state for real: its append-only file lies on a loop
 * device whose file system gets frozen. PING times out, SIGKILL does nothing, and the kernel's
 * hung task detector reports it. The nearest thing to a host that pages Redis out that one
 * machine can do to itself.
 *
 * Needs root. Everything (mount, sysctls, processes, files) is owned and put back by
 * `frozen-filesystem.sh`, also when this process is killed.
 */
import { execFile, spawn } from 'node:child_process';
import { accessSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startOwner } from './owner.ts';
import { accepts, freePort, until } from './redis-server.ts';

export interface FreezableRedis {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** The mount that is frozen; Redis's working directory. */
  readonly directory: string;
  /** Freeze the file system and send a SET: resolves when redis-server is in D state. */
  freeze(): Promise<void>;
  /** Resolves when redis-server answers again. */
  thaw(): Promise<void>;
  /** Thaw, end redis-server, unmount, put the sysctls back. Idempotent. */
  restore(): Promise<void>;
}

export interface FreezeOptions {
  /** What `kernel.hung_task_timeout_secs` is set to meanwhile. A report takes up to twice that. */
  readonly hungTaskTimeoutSeconds?: number;
  /** Everything is put back after this long, come what may. */
  readonly longestSeconds?: number;
}

const script = fileURLToPath(new URL('frozen-filesystem.sh', import.meta.url));
/** One for the machine: whoever holds it owns the sysctls. */
export const lockFile = '/tmp/stealwatch-frozen-filesystem.lock';
const tools = ['flock', 'fsfreeze', 'losetup', 'mkfs.ext4', 'mount', 'redis-server', 'umount'];

function onPath(tool: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return directories.some((directory) => existsSync(join(directory, tool)));
}

/** Why this machine cannot do it, or undefined when it can. */
export function whyNoFrozenFilesystem(): string | undefined {
  if (process.getuid?.() !== 0) return 'freezing a file system needs root';
  const missing = tools.filter((tool) => !onPath(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  if (!existsSync('/dev/loop-control')) return 'no loop devices (/dev/loop-control)';
  try {
    accessSync('/proc/sys/kernel/hung_task_timeout_secs');
  } catch {
    return 'this kernel has no hung task detector';
  }
  if (readFileSync('/proc/sys/kernel/hung_task_panic', 'utf8').trim() !== '0') {
    return 'kernel.hung_task_panic is set: a hung task would take the machine down';
  }
  return undefined;
}

/** State letter of a process, undefined when it is gone. */
export function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}

/** Outside of a test: the caller must call `restore()`. Throws where `whyNoFrozenFilesystem`. */
export async function startFreezableRedis(options: FreezeOptions = {}): Promise<FreezableRedis> {
  const obstacle = whyNoFrozenFilesystem();
  if (obstacle !== undefined) throw new Error(obstacle);
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-frozen-'));
  const directory = join(root, 'mount');
  const { hungTaskTimeoutSeconds = 10, longestSeconds = 600 } = options;
  const args = [root, String(hungTaskTimeoutSeconds), String(longestSeconds), lockFile];
  const owner = await startOwner(script, args, 'a file system on a loop device', 200);
  let writer: Socket | undefined;
  let restoring: Promise<void> | undefined;

  function restore(): Promise<void> {
    writer?.destroy();
    restoring ??= owner.release();
    return restoring;
  }

  const port = await freePort();
  const redis = spawn(
    'redis-server',
    [
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
      ['--pidfile', join(root, 'redis.pid')],
    ].flat(),
    { stdio: 'ignore', env: { ...process.env, LC_ALL: 'C' } },
  );
  try {
    await until(`redis-server listens on ${port}`, () => accepts(port));
  } catch (error) {
    redis.kill('SIGKILL');
    await restore();
    throw error;
  }
  const pid = redis.pid ?? 0;
  const fsfreeze = (action: string) => promisify(execFile)('fsfreeze', [action, directory]);

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    pid,
    directory,
    async freeze() {
      await fsfreeze('--freeze');
      writer = connect(port, '127.0.0.1');
      writer.on('error', () => undefined);
      writer.write('SET stealwatch:frozen 1\r\n');
      await until('redis-server is in D state', () => processState(pid) === 'D');
    },
    async thaw() {
      await fsfreeze('--unfreeze');
      await until('redis-server left D state', () => processState(pid) !== 'D');
      writer?.destroy();
    },
    restore,
  };
}

/** For one test: skipped with its reason where it cannot be done (then undefined). */
export async function freezeRedisForReal(
  t: TestContext,
  options: FreezeOptions = {},
): Promise<FreezableRedis | undefined> {
  const obstacle = whyNoFrozenFilesystem();
  if (obstacle !== undefined) {
    t.skip(obstacle);
    return undefined;
  }
  const redis = await startFreezableRedis(options);
  t.after(() => redis.restore());
  return redis;
}
