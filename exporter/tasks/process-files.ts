/**
 * Reads stat, status, comm, wchan and the like of processes that may vanish or be hidden.
 *
 * Thousands of them are read where `PseudoFs.read` reads a handful, so this one does less: one
 * read() instead of reading until nothing comes (these files are one record, which the kernel
 * hands out whole if there is room), no path arithmetic. 20 us instead of 35.
 */
import { closeSync, type Dir, opendirSync, openSync, readSync } from 'node:fs';
import { isAbsent, openFlags, type PseudoFs } from '../procfs/reader.ts';
import { codeOf } from '../measure/errors.ts';

/** The largest of these, status, is 1.5 kB, and 4 kB where it lists hundreds of memory nodes. */
const buffer = Buffer.allocUnsafe(32 * 1024);

/** Ended, or procfs is mounted with hidepid=1, where files of others answer EPERM. */
function isHidden(error: unknown): boolean {
  if (isAbsent(error)) return true;
  return ['EPERM', 'EACCES'].includes(codeOf(error) ?? '');
}

/** The text of a file of some process, or undefined when it is not there for us. */
export function readVisible(procfs: PseudoFs, path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(`${procfs.root}/${path}`, openFlags);
    const length = readSync(fd, buffer);
    if (length === buffer.length) throw new Error(`${path} is over ${buffer.length} bytes`);
    return buffer.toString('utf8', 0, length);
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Names in a directory of some process; undefined when it is not there for us. */
export function listVisible(procfs: PseudoFs, path: string): string[] | undefined {
  try {
    return procfs.list(path);
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
}

/** More names than this are not read, whatever somebody piles up there: the kernel sorts them. */
const mostNames = 1024;

/**
 * The names with the lowest numbers in a directory of some process: threads and descriptors, whose
 * number is the process's own choice.
 */
export function listFirst(procfs: PseudoFs, path: string, most: number): string[] | undefined {
  let directory: Dir | undefined;
  try {
    directory = opendirSync(`${procfs.root}/${path}`, { bufferSize: 128 });
    const names: string[] = [];
    while (names.length < mostNames) {
      const entry = directory.readSync();
      if (entry === null) break;
      names.push(entry.name);
    }
    return names.sort((a, b) => Number(a) - Number(b)).slice(0, most);
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  } finally {
    directory?.closeSync();
  }
}

/** Pids of all processes that can be seen; undefined where there is no such file system. */
export function listProcesses(procfs: PseudoFs): number[] | undefined {
  // Every pid starts with a digit from 1 to 9 and nothing else in /proc does.
  return procfs
    .list('')
    ?.filter((name) => /^[1-9]/.test(name))
    .map(Number);
}
