/** Where in a large log a range of time lies, by looking here and there: lines are in order of time. */
import type { Instant } from '../facts/facts.ts';
import { type OpenFile, openRegular, packingOf } from './packed-file.ts';

/** Lines of a log are shorter, as a rule; where one is longer, more is read than need be. */
const lookBytes = 64 * 1024;
/** Looking costs more than reading. */
const smallFile = 4 * lookBytes;

export type TimeOf = (line: string) => Instant | undefined;

/** Whole lines of one look; the first is left out where it may be a part of one. */
async function linesAt({ file }: OpenFile, byte: number): Promise<string[]> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(lookBytes), 0, lookBytes, byte);
  const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
  if (byte > 0) lines.shift();
  return lines;
}

function firstTime(lines: readonly string[], timeOf: TimeOf): Instant | undefined {
  for (const line of lines) {
    const at = timeOf(line);
    if (at !== undefined) return at;
  }
  return undefined;
}

export interface Look {
  readonly mtime: Instant;
  readonly size: number;
  readonly packed: boolean;
  /** From both ends of it; of a packed file none. */
  readonly lines: readonly string[];
}

/** Rejects with what is wrong with the file. */
export async function lookAt(path: string): Promise<Look> {
  const opened = await openRegular(path);
  try {
    const { size, mtime } = opened;
    const packed = size > 0 && (await packingOf(opened)) !== undefined;
    if (packed) return { mtime, size, packed, lines: [] };
    const end = await linesAt(opened, Math.max(0, size - lookBytes));
    const start = size > lookBytes ? await linesAt(opened, 0) : [];
    return { mtime, size, packed, lines: [...start, ...end] };
  } finally {
    await opened.file.close();
  }
}

export interface ByteRange {
  readonly fromByte: number;
  readonly toByte: number;
}

/** The bytes of a plain file that hold the lines of a range, and some at both ends. */
export async function bytesOf(
  path: string,
  { from, to }: { readonly from: Instant; readonly to: Instant },
  timeOf: TimeOf,
): Promise<ByteRange> {
  const opened = await openRegular(path);
  const { size } = opened;

  /** The last place whose next line is before `at`; a place without times is taken for `unknown`. */
  async function lastBefore(at: Instant, unknown: Instant): Promise<number> {
    let low = 0;
    let high = size;
    while (high - low > lookBytes) {
      const middle = Math.floor((low + high) / 2);
      const time = firstTime(await linesAt(opened, middle), timeOf) ?? unknown;
      if (time >= at) high = middle;
      else low = middle;
    }
    return low;
  }

  try {
    if (size <= smallFile) return { fromByte: 0, toByte: size };
    // In doubt rather too much than too little.
    const fromByte = await lastBefore(from, Infinity);
    const end = await lastBefore(to, -Infinity);
    return { fromByte, toByte: Math.min(size, end + 3 * lookBytes) };
  } finally {
    await opened.file.close();
  }
}
