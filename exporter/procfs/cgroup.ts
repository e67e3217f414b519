/**
 * How many processes and threads a process's control group holds: /proc/PID/cgroup says which
 * (`8:pids:/docker/3f2a` in version 1, `0::/system.slice/redis.service` in version 2, both on
 * hybrid machines), and pids.current in it how many, those of groups below included.
 */
import { join } from 'node:path';
import type { PseudoFs } from './reader.ts';

export interface Cgroup {
  /** Empty in version 2, which has one hierarchy for all controllers. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Throws on a line that is not a control group, with the line quoted. */
export function parseCgroups(text: string): Cgroup[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) {
      throw new Error(`cgroup: unexpected line ${JSON.stringify(line.slice(0, 160))}`);
    }
    return { controllers: controllers === '' ? [] : controllers.split(','), path };
  });
}

/**
 * Paths below a hierarchy at which a group may be. Seen from a container with a cgroup namespace
 * of its own, a group beside it reads `/../docker-3f2a.scope`; where that is cannot be told from
 * inside, but Docker and systemd know two places only.
 */
function placesOf(path: string): string[] {
  if (!path.startsWith('/..')) return [path];
  const rest = path.replace(/^(?:\/\.\.)+/, '');
  return [rest, `/system.slice${rest}`, `/docker${rest}`];
}

function foldersOf({ controllers, path }: Cgroup): string[] {
  const mounts = controllers.includes('pids')
    ? ['fs/cgroup/pids']
    : controllers.length === 0
      ? ['fs/cgroup', 'fs/cgroup/unified']
      : [];
  return mounts.flatMap((mount) => placesOf(path).map((place) => join(mount, place)));
}

/** Undefined where nothing counts them: in the root group, or without the pids controller. */
export function readCgroupTasks(
  { procfs, sysfs }: { procfs: PseudoFs; sysfs: PseudoFs },
  pid: number,
): number | undefined {
  const text = procfs.read(`${pid}/cgroup`);
  for (const folder of parseCgroups(text ?? '').flatMap(foldersOf)) {
    const count = sysfs.read(`${folder}/pids.current`);
    if (count === undefined) continue;
    if (!/^\d+\n?$/.test(count)) {
      throw new Error(`pids.current: unexpected text ${JSON.stringify(count.slice(0, 80))}`);
    }
    return Number(count);
  }
  return undefined;
}
