/**
 * How many processes and threads a process's control group holds: /proc/PID/cgroup says which
 * (`8:pids:/docker/3f2a` in version 1, `0::/system.slice/redis.service` in version 2, both on
 * hybrid machines), and pids.current in it how many, those of groups below included.
 */
import { join } from 'node:path';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from './reader.ts';

export interface Cgroup {
  /** Empty in version 2, which has one hierarchy for all controllers. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** Lines that are no control group are left out; a text of nothing else is an error that quotes it. */
export function parseCgroups(text: string): Cgroup[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const groups = lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    return [{ controllers: controllers === '' ? [] : controllers.split(','), path }];
  });
  if (groups.length === 0 && lines[0] !== undefined) {
    throw new Error(`cgroup: unexpected line ${JSON.stringify(lines[0].slice(0, 160))}`);
  }
  return groups;
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

/** A process may be moved to another group, and on some machines its group has no such file. */
const searchAgainSeconds = 60;

/**
 * Reads the count for one process again and again, from the file it was found in. Undefined where
 * nothing counts: in the root group, without the pids controller, or once the process is gone.
 */
export function cgroupTasksReader(
  { procfs, sysfs }: { procfs: PseudoFs; sysfs: PseudoFs },
  clock: Pick<Clock, 'monotonic'>,
  pid: number,
): () => number | undefined {
  let path: string | undefined;
  let searchedAt = -Infinity;

  function search(): string | undefined {
    searchedAt = clock.monotonic();
    const groups = parseCgroups(procfs.read(`${pid}/cgroup`) ?? '');
    const paths = groups.flatMap(foldersOf).map((folder) => `${folder}/pids.current`);
    return paths.find((one) => sysfs.read(one) !== undefined);
  }

  return () => {
    if (clock.monotonic() - searchedAt >= searchAgainSeconds) path = search();
    const count = path === undefined ? undefined : sysfs.read(path);
    if (count === undefined) return undefined;
    if (!/^\d{1,15}\n$/.test(count)) {
      throw new Error(`pids.current: unexpected text ${JSON.stringify(count.slice(0, 80))}`);
    }
    return Number(count);
  };
}
