/**
 * Reads pseudo files below an injected root (/proc, /sys, or a fixture tree).
 *
 * Only for files known not to block while their process hangs: /proc/stat, interrupts, pressure,
 * vmstat, loadavg and the like, and stat, status, comm, wchan, schedstat, sched, cgroup of any
 * process. Never cmdline, environ, maps, smaps or numa_maps: they take the target's mmap_lock
 * and hang with it. Reads are synchronous into one shared buffer: 6 us instead of the 188 us of
 * fs.promises, and no pool thread to lose on a sick machine.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';

/** A file that exists and could not be read says so; one that does not exist is `undefined`. */
export interface PseudoFile {
  /** The whole text, or undefined when this machine has no such file. */
  read(): string | undefined;
  close(): void;
}

export interface PseudoFs {
  readonly root: string;
  /** A file read again and again: its descriptor is kept open between reads. */
  file(path: string): PseudoFile;
  /** A file read once, or of a process that may vanish. Undefined when it is not there. */
  read(path: string): string | undefined;
  /** Names in a directory; undefined when it is not there. */
  list(path: string): string[] | undefined;
}

const firstSize = 64 * 1024;
/** No pseudo file we read comes near this; one that does is not what we think it is. */
const largestSize = 4 * 1024 * 1024;

let buffer = Buffer.allocUnsafe(firstSize);

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}

/** ENOENT and ENODEV: this kernel has no such file. ESRCH: the process is gone. */
export function isAbsent(error: unknown): boolean {
  return (
    isErrno(error) &&
    (error.code === 'ENOENT' ||
      error.code === 'ESRCH' ||
      error.code === 'ENODEV' ||
      error.code === 'ENOTDIR')
  );
}

/**
 * The kernel answers a read of such a file with whole records, lines most often, as many as fit
 * into its buffer: a page at least. No line in the files we read comes near half of one, so an
 * answer shorter than that was not cut off, and there is no need to ask for the rest.
 */
export const surelyTheEnd = 2048;

/** A pipe in the place of a file must not park us until somebody writes into it. */
export const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

const noFile = (path: string) => new Error(`${path} is no file`);

/** Character device 1, 3 (drivers/char/mem.c). */
const nullDevice = 0x0103;

/**
 * What a container must not read has /dev/null in its place: Docker masks /proc/interrupts so since
 * version 28. It is not there, then.
 */
export const isMasked = (stats: Pick<Stats, 'rdev' | 'isCharacterDevice'>): boolean =>
  stats.isCharacterDevice() && stats.rdev === nullDevice;

/** Whether what is empty is a file; throws for what is none, a masked one aside. */
function isEmptyFile(fd: number, path: string): boolean {
  const stats = fstatSync(fd);
  if (!stats.isFile() && !isMasked(stats)) throw noFile(path);
  return stats.isFile();
}

/** Undefined where there is nothing to read; throws what is wrong otherwise. */
function absentOrThrow(error: unknown, path: string): undefined {
  if (isAbsent(error)) return undefined;
  // Read at a position, as files are: a pipe has none.
  throw isErrno(error) && error.code === 'ESPIPE' ? noFile(path) : error;
}

function readWhole(fd: number, path: string): string | undefined {
  let length = 0;
  for (;;) {
    if (length === buffer.length) {
      if (length >= largestSize) throw new Error(`${path} is over ${largestSize} bytes`);
      const larger = Buffer.allocUnsafe(buffer.length * 2);
      buffer.copy(larger);
      buffer = larger;
    }
    const room = buffer.length - length;
    const got = readSync(fd, buffer, length, room, length);
    length += got;
    if (length === 0 && !isEmptyFile(fd, path)) return undefined;
    if (got < surelyTheEnd && got < room) return buffer.toString('utf8', 0, length);
  }
}

export function createPseudoFs(root: string): PseudoFs {
  function read(path: string): string | undefined {
    const whole = join(root, path);
    let fd: number | undefined;
    try {
      fd = openSync(whole, openFlags);
      return readWhole(fd, whole);
    } catch (error) {
      return absentOrThrow(error, whole);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  function file(path: string): PseudoFile {
    const whole = join(root, path);
    let fd: number | undefined;
    return {
      read() {
        try {
          fd ??= openSync(whole, openFlags);
          return readWhole(fd, whole);
        } catch (error) {
          this.close();
          return absentOrThrow(error, whole);
        }
      },
      close() {
        if (fd !== undefined) closeSync(fd);
        fd = undefined;
      },
    };
  }

  return {
    root,
    read,
    file,
    list(path) {
      try {
        return readdirSync(join(root, path));
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
  };
}
