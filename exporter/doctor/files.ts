/**
 * Files of disks, which may stand still for as long as the machine's host likes: each read has a
 * deadline, and whoever waits for one that is late gets an error. A thread of libuv's pool is lost
 * to it all the same, so there are a few lanes with one read each: what comes behind a read that is
 * stuck fails at once, other lanes go on, and a thread is left for names to be looked up.
 *
 * Below a root of our own links lead where they would lead there, not out of it.
 */
import { lstat, opendir, readlink, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSmallFile, whyUnreadable } from '../core/read-file.ts';
import { codeOf } from '../measure/errors.ts';
import { isAbsent } from '../procfs/reader.ts';

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other';
  readonly bytes: number;
  /** Unix times. The birth is 0 where the file system does not keep it. */
  readonly changedAt: number;
  readonly bornAt: number;
}

/** Paths are absolute, as they are below the root. Undefined is: not there. Errors name the path. */
export interface Files {
  /** A text of at most 1 MiB. */
  text(path: string): Promise<string | undefined>;
  /** Names in a folder, the first thousands of them. */
  names(path: string): Promise<readonly string[] | undefined>;
  facts(path: string): Promise<FileFacts | undefined>;
}

export type Lane = 'logs' | 'containers' | 'settings';

export interface Disks {
  /** The files of one lane; `root` in the place of the machine's. */
  files(lane: Lane, root?: string): Files;
  /** What has not answered and holds a thread of this process. */
  stuck(): readonly string[];
}

const mostNames = 4096;
const mostLinks = 40;

/** What is called so below `root`, its links followed there. */
async function below(root: string, path: string): Promise<string> {
  if (root === '/') return path;
  let done = '/';
  let links = 0;
  const left = path.split('/').reverse();
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const next = resolve(done, name);
    const found = await lstat(join(root, next));
    if (found.isSymbolicLink()) {
      if (++links > mostLinks) throw new Error('too many links');
      const target = resolve(dirname(next), await readlink(join(root, next)));
      left.push(...target.split('/').reverse());
      done = '/';
    } else done = next;
  }
  return join(root, done);
}

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of await opendir(path)) {
    if (names.push(entry.name) >= mostNames) break;
  }
  return names.toSorted();
}

async function factsOf(path: string): Promise<FileFacts> {
  const stats = await stat(path);
  const file = stats.isFile() ? 'file' : 'other';
  return {
    kind: stats.isDirectory() ? 'folder' : file,
    bytes: stats.size,
    changedAt: stats.mtimeMs / 1000,
    bornAt: stats.birthtimeMs / 1000,
  };
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'not allowed to read it: run this as root',
  EPERM: 'not allowed to read it: run this as root',
};

const problemWith = (path: string, error: unknown) =>
  new Error(`${path}: ${words[codeOf(error) ?? ''] ?? whyUnreadable(error)}`, { cause: error });

export interface DiskOptions {
  /** How long one read may take. */
  readonly seconds?: number;
  readonly readFile?: (path: string) => Promise<Buffer>;
}

export function openDisks(
  machineRoot: string,
  { seconds = 1.5, readFile = readSmallFile }: DiskOptions = {},
): Disks {
  const stuck = new Set<string>();

  function openLane() {
    let last: Promise<unknown> = Promise.resolve();
    let late: string | undefined;

    async function timely<T>(path: string, work: Promise<T>): Promise<T> {
      const abort = new AbortController();
      const tooLate = async () => {
        await sleep(seconds * 1000, undefined, { signal: abort.signal });
        late = `${path} does not answer, waited ${seconds} s`;
        stuck.add(path);
        throw new Error(late);
      };
      const settled = work.finally(() => {
        abort.abort();
        stuck.delete(path);
      });
      return Promise.race([settled, tooLate()]);
    }

    async function inTurn<T>(root: string, path: string, read: (whole: string) => Promise<T>) {
      const before = last;
      const { promise, resolve: done } = Promise.withResolvers<void>();
      last = promise;
      await before;
      try {
        if (late !== undefined) throw new Error(late);
        return await timely(path, below(root, path).then(read));
      } catch (error) {
        if (isAbsent(error)) return undefined;
        if (late !== undefined) throw error;
        throw problemWith(path, error);
      } finally {
        done();
      }
    }

    return (root: string): Files => ({
      text: (path) => inTurn(root, path, async (whole) => (await readFile(whole)).toString('utf8')),
      names: (path) => inTurn(root, path, namesIn),
      facts: (path) => inTurn(root, path, factsOf),
    });
  }

  const lanes = { logs: openLane(), containers: openLane(), settings: openLane() };
  return {
    files: (lane, root = machineRoot) => lanes[lane](root),
    stuck: () => [...stuck],
  };
}
