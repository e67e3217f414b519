/**
 * Reads a log file line by line, whatever stands there: gzip, zstd, xz, bzip2, a tear, a pipe,
 * two gigabytes. Of what is too large the end is read, where the newest lines are.
 */
import type { Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { codeOf, messageOf } from '../../measure/errors.ts';
import type { Instant } from '../facts/facts.ts';
import { createLineSplitter, type OnLine } from './lines.ts';
import { ask, type Question } from './run.ts';

export interface FileLimits {
  readonly env: Question['env'];
  /** Of the text, unpacked. */
  readonly mostBytes: number;
  /** Where to begin in a plain file: the first whole line behind it is the first one. */
  readonly fromByte?: number;
  /** Takes in what is read, as it lies there, for one sum over several files. */
  readonly hash?: Hash;
}

export interface FileRead {
  readonly mtime: Instant;
  readonly bytes: number;
  readonly problems: readonly string[];
}

const chunkBytes = 256 * 1024;
const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const words: Readonly<Record<string, string>> = {
  EACCES: 'there is no permission to read it: run the report as root, or as a member of group adm',
  EPERM: 'there is no permission to read it: run the report as root, or as a member of group adm',
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not there',
  ELOOP: 'it is a symbolic link to itself',
};

/** Why a file cannot be read, as the end of a sentence. */
export function whyNot(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) : (words[code] ?? `reading it failed (${code})`);
}

async function openLog(path: string): Promise<{ file: FileHandle; size: number; mtime: number }> {
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

type Packing = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const magics: readonly (readonly [string, Packing])[] = [
  ['1f8b', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['425a68', 'bzip2'],
];

async function packingOf(file: FileHandle): Promise<Packing | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
  const head = buffer.toString('hex', 0, bytesRead);
  return magics.find(([magic]) => head.startsWith(magic))?.[1];
}

const inMegabytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MB`;

interface Pass {
  readonly onLine: OnLine;
  /** Takes in what was read, as it lies there. */
  readonly hash: (part: Buffer | string) => void;
  bytes: number;
  problem: string | undefined;
}

async function readPlain(file: FileHandle, size: number, limits: FileLimits, pass: Pass) {
  const asked = limits.fromByte ?? 0;
  const from = Math.max(asked, size - limits.mostBytes);
  if (from > asked) pass.problem = `only its last ${inMegabytes(limits.mostBytes)} were read`;
  let skipping = from > 0;
  const splitter = createLineSplitter((line) => {
    if (!skipping) return pass.onLine(line);
    skipping = false;
    return true;
  });
  const chunk = Buffer.allocUnsafe(chunkBytes);
  // Up to where it ended when it was opened: a file that grows has an end for us.
  // One byte earlier, so that what is skipped is a part of a line and no whole one.
  for (let at = Math.max(0, from - 1); at < size;) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(chunkBytes, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
    pass.bytes += bytesRead;
    const part = chunk.subarray(0, bytesRead);
    pass.hash(part);
    if (!splitter.push(part)) return;
  }
  splitter.end();
  if (splitter.tooLong() > 0) pass.problem ??= `${splitter.tooLong()} lines of over 1 MB left out`;
}

async function readZlib(
  file: FileHandle,
  packing: 'gzip' | 'zstd',
  limits: FileLimits,
  pass: Pass,
) {
  const unpacker = packing === 'gzip' ? createGunzip() : createZstdDecompress();
  const packed = file.createReadStream({ autoClose: false, start: 0, highWaterMark: chunkBytes });
  packed.on('data', (chunk) => pass.hash(chunk));
  packed.on('error', (error) => unpacker.destroy(error));
  const splitter = createLineSplitter(pass.onLine);
  try {
    for await (const chunk of packed.pipe(unpacker) as AsyncIterable<Buffer>) {
      pass.bytes += chunk.length;
      if (!splitter.push(chunk)) return;
      if (pass.bytes > limits.mostBytes) {
        pass.problem = `only its first ${inMegabytes(limits.mostBytes)}, unpacked, were read`;
        return;
      }
    }
  } catch (error) {
    pass.problem = `it is torn or no ${packing} file (${messageOf(error)}): what came before is used`;
  } finally {
    packed.destroy();
    unpacker.destroy();
  }
  splitter.end();
}

const unpackers = {
  xz: { program: 'xz', package: 'xz-utils' },
  bzip2: { program: 'bzip2', package: 'bzip2' },
} as const;

async function readByChild(path: string, packing: 'xz' | 'bzip2', limits: FileLimits, pass: Pass) {
  const { code, complaint, cut, bytes, sha256 } = await ask({
    ...unpackers[packing],
    args: ['-dc', '--', path],
    env: limits.env,
    deadlineMs: 30_000,
    mostBytes: limits.mostBytes,
    onLine: pass.onLine,
  });
  pass.bytes = bytes;
  pass.hash(sha256);
  if (cut !== undefined) pass.problem = cut;
  else if (code !== 0 && code !== undefined)
    pass.problem = `it is torn or no ${packing} file (${complaint}): what came before is used`;
}

/** Rejects with what is wrong with the file, as `whyNot` says it. */
export async function readLog(path: string, limits: FileLimits, onLine: OnLine): Promise<FileRead> {
  const { file, size, mtime } = await openLog(path);
  const pass: Pass = {
    onLine,
    hash: (part) => void limits.hash?.update(part),
    bytes: 0,
    problem: undefined,
  };
  try {
    const packing = size === 0 ? undefined : await packingOf(file);
    if (size === 0) pass.problem = 'it is empty';
    else if (packing === undefined) await readPlain(file, size, limits, pass);
    else if (packing === 'gzip' || packing === 'zstd') await readZlib(file, packing, limits, pass);
    else await readByChild(path, packing, limits, pass);
  } finally {
    await file.close();
  }
  const problems = pass.problem === undefined ? [] : [pass.problem];
  return { mtime, bytes: pass.bytes, problems };
}
