/**
 * Where raw records come from: the device, or a regular file of records that grows (tests,
 * replays). Reads are synchronous and never wait. A stream, or a blocking read, would park a
 * thread of libuv's pool in the kernel for ever and keep the process from ending.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from '../measure/errors.ts';

export interface RecordSource {
  /** The next record as text, '' for a line that is none, undefined when there is no more for now. */
  next(): string | undefined;
  close(): void;
}

/** Open without ever waiting; throws the error of open(2). */
export function openSource(path: string): RecordSource {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const close = () => closeSync(fd);
  const stats = fstatSync(fd);
  if (stats.isFile()) return fileSource(fd, close);
  if (stats.isCharacterDevice() && stats.rdev === kmsgDevice) {
    return deviceSource((buffer) => readSync(fd, buffer), close);
  }
  close();
  throw new Error(
    'it is neither the device of the kernel log nor a file (containers often have /dev/null or a console in its place)',
  );
}

/** All that a source holds now, at most so many; throws what opening or reading it throws. */
export function readAll(path: string, most: number, take: (raw: string) => void): void {
  const source = openSource(path);
  try {
    for (let left = most; left > 0; left -= 1) {
      const raw = source.next();
      if (raw === undefined) return;
      take(raw);
    }
  } finally {
    source.close();
  }
}

/** Character device 1, 11 (drivers/char/mem.c): what is called so may be something else. */
const kmsgDevice = 0x010b;

/** The kernel's own limit on a record was 8 KiB when this was written. */
const firstSize = 8 * 1024;
const largestSize = 1024 * 1024;

/** `read` gives one record a call, or throws what read(2) on /dev/kmsg answers. */
export function deviceSource(read: (buffer: Buffer) => number, close: () => void): RecordSource {
  let buffer = Buffer.allocUnsafe(firstSize);
  return {
    next() {
      for (;;) {
        try {
          const length = read(buffer);
          return length === 0 ? undefined : buffer.toString('latin1', 0, length);
        } catch (error) {
          const code = codeOf(error);
          if (code === 'EAGAIN') return undefined;
          // The record under our position was overwritten; the position now is the oldest one
          // left. What was lost shows in the sequence numbers.
          if (code === 'EPIPE') continue;
          // The record does not fit, and was not consumed.
          if (code !== 'EINVAL' || buffer.length >= largestSize) throw error;
          buffer = Buffer.allocUnsafe(buffer.length * 2);
        }
      }
    },
    close,
  };
}

const chunkSize = 64 * 1024;

function fileSource(fd: number, close: () => void): RecordSource {
  const chunk = Buffer.allocUnsafe(chunkSize);
  let position = 0;
  let pending = '';

  function readMore(): boolean {
    if (fstatSync(fd).size < position) {
      position = 0;
      pending = '';
    }
    const length = readSync(fd, chunk, 0, chunkSize, position);
    position += length;
    pending += chunk.toString('latin1', 0, length);
    if (pending.length > largestSize) throw new Error('kmsg: a line of over 1 MiB');
    return length > 0;
  }

  return {
    next() {
      for (;;) {
        const end = pending.indexOf('\n');
        if (end < 0) {
          if (!readMore()) return undefined;
          continue;
        }
        const line = pending.slice(0, end);
        pending = pending.slice(end + 1);
        // A line that starts with a space belongs to the record before it and is not used.
        return line === '\r' || line.startsWith(' ') ? '' : line;
      }
    },
    close,
  };
}
