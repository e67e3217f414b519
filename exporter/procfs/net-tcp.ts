/**
 * Listening sockets of a network namespace, from /proc/PID/net/tcp and tcp6 (net/ipv4/tcp_ipv4.c,
 * get_tcp4_sock). Reading them asks nothing of the process itself and needs no right over it.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Clock } from '../measure/clock.ts';
import { isAbsent, openFlags, type PseudoFs, surelyTheEnd } from './reader.ts';
import { codeOf } from '../measure/errors.ts';

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

/** Takes the text in pieces of whole lines, so that none is looked at twice. */
function listeningParser() {
  const sockets: ListeningSocket[] = [];
  let done = false;
  let unread: string | undefined;

  function take(line: string): void {
    const [, port = '', state, queued = '', uid, inode] = pattern.exec(line) ?? [];
    if (state === undefined) unread ??= line;
    else if (state !== listenState) done = true;
    else {
      sockets.push({
        port: Number.parseInt(port, 16),
        queued: Number.parseInt(queued, 16),
        uid: Number(uid),
        inode: Number(inode),
      });
    }
  }

  return {
    /** True once no listening socket can follow. */
    feed(text: string): boolean {
      for (const line of text.split('\n')) {
        if (line !== '' && !header.test(line)) take(line);
        if (done) break;
      }
      return done;
    },
    /** A line that is no socket is left out; a table of nothing else is an error that quotes it. */
    end(): Parsed {
      if (unread !== undefined && sockets.length === 0 && !done) {
        throw new Error(`net/tcp: unexpected line ${JSON.stringify(unread.slice(0, 160))}`);
      }
      return { sockets, done };
    },
  };
}

export function parseListening(text: string): Parsed {
  const parser = listeningParser();
  parser.feed(text);
  return parser.end();
}

/** Linux before 4.19 answers EINVAL for /proc/PID/net of a process that has just ended. */
function isGone(error: unknown): boolean {
  return isAbsent(error) || codeOf(error) === 'EINVAL';
}

/** Room for 1,700 listening sockets; those after them are not seen. */
const buffer = Buffer.allocUnsafe(256 * 1024);

/**
 * The head of one file, as far as it tells of listening sockets. Each read past them makes the
 * kernel walk through its whole table of connections, whose size goes by the machine's memory:
 * 0.5 ms with 4 GB, 3 ms with 32 GB. So never once more than needed, and not every second.
 */
function readOne(path: string): readonly ListeningSocket[] {
  let fd: number | undefined;
  try {
    fd = openSync(path, openFlags);
    const parser = listeningParser();
    let length = 0;
    let parsed = 0;
    for (;;) {
      const got = readSync(fd, buffer, length, buffer.length - length, null);
      length += got;
      const end = buffer.lastIndexOf('\n', length - 1) + 1;
      const done = end > parsed && parser.feed(buffer.toString('latin1', parsed, end));
      parsed = Math.max(parsed, end);
      if (got < surelyTheEnd || done || length === buffer.length) return parser.end().sockets;
    }
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/**
 * Tells network namespaces apart, without any right over the process: each has files of its own
 * below /proc/PID/net. Undefined when the process is gone.
 */
export function networkOf(procfs: PseudoFs, pid: number | 'self'): string | undefined {
  try {
    const { dev, ino } = statSync(`${procfs.root}/${pid}/net/tcp`);
    return `${dev}:${ino}`;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Of the namespace of `pid`, which may be `self`. Empty when the process is gone. */
export function readListening(procfs: PseudoFs, pid: number | 'self'): ListeningSocket[] {
  return ['tcp', 'tcp6'].flatMap((name) => readOne(`${procfs.root}/${pid}/net/${name}`));
}

/** Less than any line, so that the kernel never has to look for the one after it. */
const sipBytes = 64;
/** Sockets that were opened since are found at the next whole reading. */
const sipsPerWholeReading = 60;
const tcp6Seconds = 5;

interface Sip {
  readonly queued: number;
  readonly found: number;
  /** So many bytes it took. */
  readonly length: number;
}

/**
 * Sum of the queues of the first `count` sockets that listen on a port, and how many there were.
 * `expected` bytes at once, as many as it took before, then in small steps.
 */
function sip(path: string, port: number, count: number, expected: number): Sip {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const wanted = new RegExp(`:${hex} \\S+ ${listenState} [0-9A-F]{8}:([0-9A-F]{8}) `, 'g');
  const fd = openSync(path, openFlags);
  try {
    for (let length = 0; ;) {
      const step = length === 0 ? Math.max(expected, sipBytes) : sipBytes;
      const got = readSync(fd, buffer, length, Math.min(step, buffer.length - length), null);
      length += got;
      const queues = [...buffer.toString('latin1', 0, length).matchAll(wanted)];
      if (queues.length >= count || got === 0) {
        const queued = queues.reduce((sum, [, hex = '']) => sum + Number.parseInt(hex, 16), 0);
        return { queued, found: queues.length, length };
      }
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * How many connections wait to be accepted on the first of `ports` that the namespace of `pid`
 * listens on; undefined when it listens on none. To be read often: a whole reading, which makes
 * the kernel walk through its table of connections, tells how many sockets there are to find, and
 * the readings after it stop in the middle of the last one's line. 50 us instead of 5 ms here.
 *
 * That does not help with tcp6 on a machine without IPv6 connections: having shown its last
 * listening socket the kernel looks for the next one, through the whole table. So what comes from
 * tcp6 may be up to 5 s old.
 */
export function listenQueueReader(
  procfs: PseudoFs,
  clock: Pick<Clock, 'monotonic'>,
  pid: number,
  ports: readonly number[],
): () => number | undefined {
  const files = ['tcp', 'tcp6'].map((name) => `${procfs.root}/${pid}/net/${name}`);
  let learnt: { port: number; counts: readonly number[] } | undefined;
  let sipsLeft = 0;
  let lengths = [0, 0];
  let tcp6 = { queued: 0, at: -Infinity };

  function wholeReading(): number | undefined {
    const tables = files.map((path) => readOne(path));
    learnt = undefined;
    lengths = [0, 0];
    for (const port of ports) {
      const mine = tables.map((sockets) => sockets.filter((socket) => socket.port === port));
      if (mine.every(({ length }) => length === 0)) continue;
      const queues = mine.map((sockets) => sockets.reduce((sum, { queued }) => sum + queued, 0));
      learnt = { port, counts: mine.map(({ length }) => length) };
      sipsLeft = sipsPerWholeReading;
      tcp6 = { queued: queues[1] ?? 0, at: clock.monotonic() };
      return queues.reduce((sum, queued) => sum + queued, 0);
    }
    return undefined;
  }

  function sipOf(file: number, port: number, count: number): number | undefined {
    if (count === 0) return 0;
    const { queued, found, length } = sip(files[file] ?? '', port, count, lengths[file] ?? 0);
    lengths[file] = length;
    return found < count ? undefined : queued;
  }

  function sips(port: number, [count4 = 0, count6 = 0]: readonly number[]): number | undefined {
    sipsLeft -= 1;
    const queued4 = sipOf(0, port, count4);
    if (queued4 === undefined) return undefined;
    if (clock.monotonic() - tcp6.at >= tcp6Seconds) {
      const queued6 = sipOf(1, port, count6);
      if (queued6 === undefined) return undefined;
      tcp6 = { queued: queued6, at: clock.monotonic() };
    }
    return queued4 + tcp6.queued;
  }

  return () => {
    try {
      if (learnt === undefined || sipsLeft === 0) return wholeReading();
      return sips(learnt.port, learnt.counts) ?? wholeReading();
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  };
}
