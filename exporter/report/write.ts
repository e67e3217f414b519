/**
 * Puts the documents on a disk: all or none, by temporary files and renames, and over nothing that
 * is there unless it was asked for.
 */
import { lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../core/make-directory.ts';
import { writeSynced } from '../core/write-synced.ts';
import { codeOf, messageOf } from '../measure/errors.ts';

export interface OutFile {
  readonly name: string;
  readonly text: string;
  /** For the eyes of its owner only. */
  readonly secret?: true;
}

/** All names that a report may have: with --force an old ticket is not left beside a new report. */
const ours = ['ticket.md', 'report.md', 'report.json', 'facts.json'] as const;

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no directory',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'it is there and is no directory',
  ENOENT: 'no directory can be made there, or one on the way to it was removed',
  ELOOP: 'it is a symbolic link to itself',
};

function whyNot(directory: string, error: unknown): Error {
  const why = reasons[codeOf(error) ?? ''] ?? messageOf(error);
  return new Error(`cannot write to ${JSON.stringify(directory)}: ${why}`, { cause: error });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function present(directory: string): Promise<string[]> {
  const all = await Promise.all(ours.map((name) => exists(join(directory, name))));
  return ours.filter((_, i) => all[i] === true);
}

/** Before anything is read: it may take a minute, to be told then that there was no room. */
export async function claimDirectory(directory: string, force: boolean): Promise<void> {
  let there: readonly string[];
  try {
    await makeDirectory(directory);
    there = await present(directory);
  } catch (error) {
    throw whyNot(directory, error);
  }
  if (there.length > 0 && !force) {
    throw new Error(
      `${JSON.stringify(directory)} holds ${there.join(', ')} already: give another directory with --out, or --force to overwrite`,
    );
  }
}

async function writeAside(path: string, { text, secret }: OutFile): Promise<void> {
  await rm(path, { force: true });
  await writeSynced(path, text, { flags: 'wx', mode: secret === true ? 0o600 : 0o644 });
}

export async function writeFiles(directory: string, files: readonly OutFile[]): Promise<void> {
  const written: string[] = [];
  try {
    for (const file of files) {
      const aside = join(directory, `.${file.name}.${process.pid}.tmp`);
      written.push(aside);
      await writeAside(aside, file);
    }
    const stale = (await present(directory)).filter(
      (name) => !files.some((one) => one.name === name),
    );
    for (const [i, { name }] of files.entries())
      await rename(written[i] ?? '', join(directory, name));
    for (const name of stale) await rm(join(directory, name), { force: true });
  } catch (error) {
    await Promise.allSettled(written.map((path) => rm(path, { force: true })));
    throw whyNot(directory, error);
  }
}
