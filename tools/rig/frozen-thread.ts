/**
 * One thread of a process that answers nobody, frozen by the kernel: what a thread looks like whose
 * page the host does not bring back. Needs root and a cgroup freezer. `frozen-thread.sh` owns it
 * and thaws it, also when this process is killed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startOwner } from './owner.ts';

const script = fileURLToPath(new URL('frozen-thread.sh', import.meta.url));
const longestSeconds = 90;

/** Why this machine cannot do it, or undefined when it can. */
export function whyNoFrozenThread(): string | undefined {
  if (process.getuid?.() !== 0) return 'freezing a thread needs root';
  const groups = ['/sys/fs/cgroup/cgroup.controllers', '/sys/fs/cgroup/freezer/tasks'];
  return groups.some((path) => existsSync(path)) ? undefined : 'no cgroup freezer';
}

/** The id of the one thread of a process that has this name. */
export function threadNamed(pid: number, name: string): number | undefined {
  const tid = readdirSync(`/proc/${pid}/task`).find((one) => {
    try {
      return readFileSync(`/proc/${pid}/task/${one}/comm`, 'utf8') === `${name}\n`;
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
  return tid === undefined ? undefined : Number(tid);
}

/** Resolves once the thread is frozen, with the way to thaw it. */
export async function freezeThread(pid: number, tid: number): Promise<() => Promise<void>> {
  const args = [String(pid), String(tid), String(longestSeconds)];
  const owner = await startOwner(script, args, 'the thread is frozen', 30);
  return () => owner.release();
}
