/** A log and what it was rotated into: `kern.log`, `kern.log.1`, `kern.log.2.gz`, `messages-20261101.xz`. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Instant } from '../facts/facts.ts';

export interface LogFile {
  readonly path: string;
  readonly mtime: Instant;
  readonly bytes: number;
}

const rotated = /^(?:\.\d{1,4}|[-.]\d{8}(?:[-_T]?\d{2,6})?)?(?:\.(?:gz|xz|bz2|zst))?$/;

const mostFiles = 400;

/**
 * Oldest first; what was last written before `since` is left out. The file itself is among them
 * even where nothing can be learnt about it: reading it then says why.
 */
export function logFamily(path: string, since: Instant | undefined): LogFile[] {
  const name = basename(path);
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return [];
  }
  const files = names
    .filter((other) => other.startsWith(name) && rotated.test(other.slice(name.length)))
    .map((other) => join(dirname(path), other))
    .flatMap((file): LogFile[] => {
      try {
        const { mtimeMs, size } = statSync(file);
        return [{ path: file, mtime: mtimeMs / 1000, bytes: size }];
      } catch {
        return file === path ? [{ path, mtime: Infinity, bytes: 0 }] : [];
      }
    })
    .filter(({ mtime }) => since === undefined || mtime >= since)
    .sort((one, other) => one.mtime - other.mtime || (one.path < other.path ? 1 : -1));
  return files.slice(-mostFiles);
}

/** Text that is packed is about as many times as large. */
const packing = 12;

/** The newest files that come to so many bytes of text at most, oldest first; and what is left out. */
export function newestOf(files: readonly LogFile[], mostBytes: number) {
  let bytes = 0;
  const taken = [...files].reverse().filter(({ path, bytes: own }) => {
    const before = bytes;
    bytes += /\.(?:gz|xz|bz2|zst)$/.test(path) ? own * packing : own;
    return before < mostBytes;
  });
  return { taken: taken.reverse(), leftOut: files.slice(0, files.length - taken.length) };
}
