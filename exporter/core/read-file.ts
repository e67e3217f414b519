/**
 * Reads a small text file that somebody named: settings, certificates, secrets. Whatever stands
 * there, nothing waits for it: a FIFO that nobody writes to would hold a thread for ever.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

const mostBytes = 1024 * 1024;
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Collects what is read, piece by piece: files of /proc have no size to go by. */
function collector() {
  const pieces: Buffer[] = [];
  const piece = Buffer.allocUnsafe(16 * 1024);
  let length = 0;
  return {
    piece,
    /** False at the end. */
    add: (bytesRead: number): boolean => {
      length += bytesRead;
      if (length > mostBytes) throw new Error('it is larger than 1 MiB');
      pieces.push(Buffer.from(piece.subarray(0, bytesRead)));
      return bytesRead > 0;
    },
    all: () => Buffer.concat(pieces),
  };
}

function refuseOthers(stats: Stats): void {
  if (!stats.isFile()) throw new Error('it is no regular file');
}

export async function readSmallFile(path: string): Promise<Buffer> {
  const file = await open(path, flags);
  try {
    refuseOthers(await file.stat());
    const { piece, add, all } = collector();
    while (add((await file.read(piece, 0, piece.length)).bytesRead));
    return all();
  } finally {
    await file.close();
  }
}

/** For the start, where there is nothing yet that must not stand still. */
export function readSmallFileSync(path: string): Buffer {
  const fd = openSync(path, flags);
  try {
    refuseOthers(fstatSync(fd));
    const { piece, add, all } = collector();
    while (add(readSync(fd, piece)));
    return all();
  } finally {
    closeSync(fd);
  }
}

/** `ENOENT`, or what stands there instead of a file. Names neither path nor content. */
export function whyUnreadable(error: unknown): string {
  if (!(error instanceof Error)) return 'unreadable';
  return 'code' in error ? String(error.code) : error.message;
}
