/** Where sysstat keeps its files, and what to hand to sadf: it reads neither packed ones nor text. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instant } from '../facts/facts.ts';
import {
  type FileLimits,
  type OpenFile,
  openRegular,
  packingOf,
  readChunks,
} from './packed-file.ts';

export interface SysstatFile {
  readonly path: string;
  readonly mtime: Instant;
}

const directories = ['var/log/sysstat', 'var/log/sa'];
/** `sa07`, `sa20261107`, perhaps packed; `sar07` is a report for people. */
const fileName = /^sa(?:\d{2}|\d{8})(?:\.(?:gz|xz|bz2|zst))?$/;
const mostFiles = 64;
const mostUnpacked = 256 * 1024 * 1024;

function filesIn(directory: string): SysstatFile[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return [];
  }
  return names
    .filter((name) => fileName.test(name))
    .flatMap((name): SysstatFile[] => {
      const path = join(directory, name);
      try {
        return [{ path, mtime: statSync(path).mtimeMs / 1000 }];
      } catch {
        return [];
      }
    });
}

const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/** A file holds a day, and was last written at its end. */
const fileHolds = 25 * 3600;

/** Oldest first; those that were named, or those in the usual places that may hold the range. */
export function sysstatFiles(
  named: readonly string[],
  root: string,
  { from, to }: { readonly from: Instant; readonly to: Instant },
): SysstatFile[] {
  const places = named.length > 0 ? named : directories.map((path) => join(root, path));
  return places
    .flatMap((place): SysstatFile[] =>
      named.length > 0 && !isDirectory(place)
        ? [{ path: place, mtime: to }]
        : filesIn(place).filter(({ mtime }) => mtime >= from && mtime <= to + fileHolds),
    )
    .toSorted((one, other) => one.mtime - other.mtime)
    .slice(-mostFiles);
}

export interface Readable {
  /** Where sadf can read it. */
  readonly path: string;
  /** Lines of `sadf -d`, made where sadf works. */
  readonly isText: boolean;
  readonly problems: readonly string[];
  readonly done: () => void;
}

const textStart = /^(?:#|[\x20-\x7e]{0,64};-?\d{1,6};)/;

/** Lines of `sadf -d` begin so, and no file of sysstat does. */
async function isSadfText({ file }: OpenFile): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(128), 0, 128, 0);
  return textStart.test(buffer.toString('latin1', 0, bytesRead));
}

async function plain(path: string): Promise<Readable> {
  const opened = await openRegular(path);
  try {
    return { path, isText: await isSadfText(opened), problems: [], done: () => undefined };
  } finally {
    await opened.file.close();
  }
}

/** A packed file is unpacked beside the others that are temporary, and gone when it is done. */
async function unpacked(path: string, env: FileLimits['env']): Promise<Readable> {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-sysstat-'));
  const done = () => rmSync(directory, { recursive: true, force: true });
  try {
    const target = join(directory, 'sa');
    const fd = openSync(target, 'wx', 0o600);
    try {
      const { problems } = await readChunks(path, { env, mostBytes: mostUnpacked }, (chunk) => {
        writeSync(fd, chunk);
        return true;
      });
      return { ...(await plain(target)), problems, done };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    done();
    throw error;
  }
}

/** Rejects with what is wrong with the file. */
export async function readable(path: string, env: FileLimits['env']): Promise<Readable> {
  const opened = await openRegular(path);
  try {
    if ((await packingOf(opened)) !== undefined) return await unpacked(path, env);
  } finally {
    await opened.file.close();
  }
  return plain(path);
}
