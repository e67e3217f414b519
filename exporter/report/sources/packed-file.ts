/**
 * Reads a file in pieces, whatever stands there: plain, gzip, zstd, xz, bzip2, a tear, a pipe, two
 * gigabytes. Of what is too large the end is read, where the newest lines are.
 */
import type { Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { codeOf, messageOf } from '../../measure/errors.ts';
import type { Instant } from '../facts/facts.ts';
import { ask, type Question } from './run.ts';

export interface FileLimits {
  readonly env: Question['env'];
  /** Unpacked. */
  readonly mostBytes: number;
  /** Where to begin and to end in a plain file. */
  readonly fromByte?: number;
  readonly toByte?: number;
  /** Takes in what is read, as it lies there where we unpack it ourselves. */
  readonly hash?: Hash;
}

export interface FileRead {
  readonly mtime: Instant;
  /** Unpacked. */
  readonly bytes: number;
  readonly problems: readonly string[];
}

/** `cutInFront`: before this piece there is more in the file, which is not read. */
export type OnChunk = (chunk: Buffer, cutInFront: boolean) => boolean;

const chunkBytes = 256 * 1024;
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const refused = 'there is no permission to read it: run the report as root, or in the group adm';
const words: Readonly<Record<string, string>> = {
  EACCES: refused,
  EPERM: refused,
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not there',
  ELOOP: 'it is a symbolic link to itself',
};

/** Why a file cannot be read, as the end of a sentence. */
export function whyNot(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) : (words[code] ?? `reading it failed (${code})`);
}

export interface OpenFile {
  readonly file: FileHandle;
  readonly size: number;
  readonly mtime: Instant;
}

/** Never waits, and opens regular files only. */
export async function openRegular(path: string): Promise<OpenFile> {
  const file = await open(path, flags);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new Error('it is a directory');
    if (!stats.isFile()) throw new Error('it is no regular file: a pipe or a device may never end');
    return { file, size: stats.size, mtime: stats.mtimeMs / 1000 };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const magics = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
] as const;
type Packing = (typeof magics)[number][1];

/** By its first bytes, whatever it is called. */
export async function packingOf({ file }: OpenFile): Promise<Packing | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
  const head = buffer.toString('hex', 0, bytesRead);
  return magics.find(([magic]) => head.startsWith(magic))?.[1];
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

/** What came of it. */
interface Outcome {
  readonly bytes: number;
  readonly problem?: string | undefined;
}

async function readPlain(
  { file, size }: OpenFile,
  limits: FileLimits,
  onChunk: OnChunk,
): Promise<Outcome> {
  const asked = limits.fromByte ?? 0;
  // Up to where it ended when it was opened: a file that grows has an end for us.
  const to = Math.min(size, limits.toByte ?? size);
  const from = Math.max(asked, to - limits.mostBytes);
  const problem =
    from > asked ? `only its last ${inMegabytes(limits.mostBytes)} were read` : undefined;
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let at = from;
  while (at < to) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, to - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const part = chunk.subarray(0, bytesRead);
    limits.hash?.update(part);
    if (!onChunk(part, from > 0 && at - bytesRead === from)) break;
  }
  return { bytes: at - from, problem };
}

async function readZlib(
  { file }: OpenFile,
  packing: 'gzip' | 'zstd',
  limits: FileLimits,
  onChunk: OnChunk,
): Promise<Outcome> {
  const unpacker = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  const packed = file.createReadStream({ autoClose: false, start: 0, highWaterMark: chunkBytes });
  const count = (chunk: Buffer | string) => void limits.hash?.update(chunk);
  packed.on('data', count);
  packed.on('error', (error) => unpacker.destroy(error));
  let bytes = 0;
  try {
    for await (const chunk of packed.pipe(unpacker) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (!onChunk(chunk, false)) return { bytes };
      if (bytes > limits.mostBytes) {
        const most = inMegabytes(limits.mostBytes);
        return { bytes, problem: `only its first ${most}, unpacked, were read` };
      }
    }
    return { bytes };
  } catch (error) {
    const problem = `it is torn or no ${packing} file (${messageOf(error)}): what came before is used`;
    return { bytes, problem };
  } finally {
    // Destroyed or not, a stream that is unpiped hands over what it holds to whoever still listens.
    packed.off('data', count);
    packed.destroy();
    unpacker.destroy();
  }
}

const unpackers = {
  xz: { program: 'xz', package: 'xz-utils' },
  bzip2: { program: 'bzip2', package: 'bzip2' },
} as const;

async function readByChild(
  path: string,
  packing: 'xz' | 'bzip2',
  { env, mostBytes, hash }: FileLimits,
  onChunk: OnChunk,
): Promise<Outcome> {
  const { code, complaint, cut, bytes } = await ask({
    ...unpackers[packing],
    args: ['-dc', '--', path],
    env,
    deadlineMs: 30_000,
    mostBytes,
    onChunk(chunk) {
      hash?.update(chunk);
      return onChunk(chunk, false);
    },
  });
  const torn =
    code === 0 || code === undefined
      ? undefined
      : `it is torn or no ${packing} file (${complaint}): what came before is used`;
  return { bytes, problem: cut ?? torn };
}

/** Rejects with what is wrong with the file: `whyNot` says it. */
export async function readChunks(
  path: string,
  limits: FileLimits,
  onChunk: OnChunk,
): Promise<FileRead> {
  const opened = await openRegular(path);
  const { file, size, mtime } = opened;
  try {
    if (size === 0) return { mtime, bytes: 0, problems: ['it is empty'] };
    const packing = await packingOf(opened);
    const outcome =
      packing === undefined
        ? await readPlain(opened, limits, onChunk)
        : packing === 'gzip' || packing === 'zstd'
          ? await readZlib(opened, packing, limits, onChunk)
          : await readByChild(path, packing, limits, onChunk);
    const { bytes, problem } = outcome;
    return { mtime, bytes, problems: problem === undefined ? [] : [problem] };
  } finally {
    await file.close();
  }
}
