/** What containers wrote, from the files their runtimes keep: no daemon is asked. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { lookAt } from './file-window.ts';
import { parseRedisLine } from './redis-line.ts';
import { utc } from './zone.ts';

export interface ContainerLog {
  /** The first twelve digits of its id, as its own tools show it. */
  readonly container: string;
  readonly path: string;
}

const mostContainers = 200;

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

const id = /^[0-9a-f]{64}$/;

/** Logs of Docker, and of podman as root. */
function containerLogs(root: string): ContainerLog[] {
  const docker = join(root, 'var/lib/docker/containers');
  const podman = join(root, 'var/lib/containers/storage/overlay-containers');
  const logs = [
    ...names(docker).map((name) => [name, join(docker, name, `${name}-json.log`)] as const),
    ...names(podman).map((name) => [name, join(podman, name, 'userdata/ctr.log')] as const),
  ];
  return logs
    .filter(([name, path]) => id.test(name) && existsSync(path))
    .map(([name, path]) => ({ container: name.slice(0, 12), path }))
    .slice(0, mostContainers);
}

/** Whether the log holds lines of Redis, by a look at both its ends. */
async function isRedisLog(path: string): Promise<boolean> {
  try {
    const { lines } = await lookAt(path);
    const context = { zone: utc, yearOf: () => 1970 };
    return lines.some((line) => parseRedisLine(line, context) !== undefined);
  } catch {
    return false;
  }
}

export interface SortedContainers {
  readonly redis: readonly ContainerLog[];
  readonly others: readonly ContainerLog[];
}

export async function sortedContainers(root: string): Promise<SortedContainers> {
  const redis: ContainerLog[] = [];
  const others: ContainerLog[] = [];
  for (const log of containerLogs(root)) ((await isRedisLog(log.path)) ? redis : others).push(log);
  return { redis, others };
}
