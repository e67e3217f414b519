/**
 * Listening sockets of a network namespace, from /proc/PID/net/tcp and tcp6 (net/ipv4/tcp_ipv4.c,
 * get_tcp4_sock). Reading them asks nothing of the process itself and needs no right over it.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { isAbsent, type PseudoFs } from './reader.ts';

export interface ListeningSocket {
  readonly port: number;
  /** Connections that the kernel has accepted and the process has not. */
  readonly queued: number;
  readonly uid: number;
  /** Unique on the machine, across network namespaces. */
  readonly inode: number;
}

const listenState = '0A';
const header = /^ *sl +local_address/;
const pattern =
  /^ *\d+: [0-9A-F]{8,32}:([0-9A-F]{4}) [0-9A-F]{8,32}:[0-9A-F]{4} ([0-9A-F]{2}) [0-9A-F]{8}:([0-9A-F]{8}) [0-9A-F]{2}:[0-9A-F]+ [0-9A-F]{8} +(\d+) +\d+ (\d+) /;

interface Parsed {
  readonly sockets: readonly ListeningSocket[];
  /** A socket in another state came up: the kernel lists those that listen before all others. */
  readonly done: boolean;
}

/** Throws on a line that is not a socket, with the line quoted. */
export function parseListening(text: string): Parsed {
  const sockets: ListeningSocket[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || header.test(line)) continue;
    const [, port = '', state, queued = '', uid, inode] = pattern.exec(line) ?? [];
    if (state === undefined) {
      throw new Error(`net/tcp: unexpected line ${JSON.stringify(line.slice(0, 160))}`);
    }
    if (state !== listenState) return { sockets, done: true };
    sockets.push({
      port: Number.parseInt(port, 16),
      queued: Number.parseInt(queued, 16),
      uid: Number(uid),
      inode: Number(inode),
    });
  }
  return { sockets, done: false };
}

/** Room for 1,700 listening sockets; those after them are not seen. */
const buffer = Buffer.allocUnsafe(256 * 1024);

/** The kernel fills a page, or on some a larger buffer, before it answers: less is the end. */
const surelyTheEnd = 2048;

/**
 * The head of one file, as far as it tells of listening sockets. Each read past them makes the
 * kernel walk through its whole table of connections, whose size goes by the machine's memory:
 * 0.5 ms with 4 GB, 3 ms with 32 GB. So never once more than needed, and not every second.
 */
function readOne(path: string): readonly ListeningSocket[] {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    let length = 0;
    for (;;) {
      const got = readSync(fd, buffer, length, buffer.length - length, null);
      length += got;
      const text = buffer.toString('latin1', 0, length);
      const { sockets, done } = parseListening(text.slice(0, text.lastIndexOf('\n') + 1));
      if (got < surelyTheEnd || done || length === buffer.length) return sockets;
    }
  } catch (error) {
    if (isAbsent(error)) return [];
    // Linux before 4.19 answers EINVAL for /proc/PID/net of a process that has just ended.
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return [];
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Of the namespace of `pid`, which may be `self`. Empty when the process is gone. */
export function readListening(procfs: PseudoFs, pid: number | 'self'): ListeningSocket[] {
  return ['tcp', 'tcp6'].flatMap((name) => readOne(`${procfs.root}/${pid}/net/${name}`));
}
