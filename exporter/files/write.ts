/** Writes files below a folder, all of them or none, and over nobody's work. */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../core/make-directory.ts';
import { codeOf, messageOf } from '../measure/errors.ts';
import type { ShippedFiles } from './shipped.ts';

type There = 'absent' | 'same' | 'other';

/** A link, a folder or what cannot be read is something else, whatever is behind it. */
function there(path: string, text: string): There {
  try {
    if (!lstatSync(path).isFile()) return 'other';
    return readFileSync(path, 'utf8') === text ? 'same' : 'other';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'absent';
    throw error;
  }
}

export interface Written {
  readonly written: readonly string[];
  /** What was there and is something else: then nothing is written, unless it was forced. */
  readonly others: readonly string[];
}

/** How each step is taken back, in the order in which they were taken. */
type Steps = (() => void)[];

/** Beside it, under a name that is nobody's. */
const beside = (target: string, what: string) => `${target}.${process.pid}.${what}`;

function missingFolders(path: string): string[] {
  return existsSync(path) ? [] : [...missingFolders(dirname(path)), path];
}

/** Written in full, on the disk, and not yet in its place. */
async function prepare(target: string, text: string, steps: Steps): Promise<void> {
  for (const folder of missingFolders(dirname(target))) steps.push(() => rmdirSync(folder));
  await makeDirectory(dirname(target));
  const prepared = beside(target, 'new');
  steps.push(() => rmSync(prepared, { force: true }));
  writeFileSync(prepared, text, { flag: 'wx', flush: true });
  chmodSync(prepared, target.endsWith('.sh') ? 0o755 : 0o644);
}

/** A second name for what is there, so that it is there until another is; a new name where a disk has no second ones. */
function keep(target: string, kept: string): void {
  if (lstatSync(target).isDirectory()) throw new Error('a folder is in its place');
  try {
    linkSync(target, kept);
  } catch {
    renameSync(target, kept);
  }
}

/** Whoever reads it meanwhile has the old one or the new one. */
function putInPlace(target: string, isThere: boolean, steps: Steps): void {
  const kept = beside(target, 'old');
  if (isThere) keep(target, kept);
  steps.push(() => (isThere ? renameSync(kept, target) : rmSync(target, { force: true })));
  renameSync(beside(target, 'new'), target);
}

/** The last step first. What cannot be taken back is said. */
function takeBack(steps: Steps): string[] {
  return steps.toReversed().flatMap((back) => {
    try {
      back();
      return [];
    } catch (error) {
      // A folder that was not made, or in which somebody else has put something by now.
      return ['ENOENT', 'ENOTEMPTY'].includes(codeOf(error) ?? '') ? [] : [messageOf(error)];
    }
  });
}

export async function writeFiles(
  directory: string,
  files: ShippedFiles,
  force: boolean,
): Promise<Written> {
  const states = Object.keys(files).map((path) => ({
    path,
    target: join(directory, path),
    state: there(join(directory, path), files[path] ?? ''),
  }));
  const others = states.filter(({ state }) => state === 'other').map(({ path }) => path);
  if (others.length > 0 && !force) return { written: [], others };
  const missing = states.filter(({ state }) => state !== 'same');
  const steps: Steps = [];
  let at = directory;
  try {
    for (const { path, target } of missing) {
      at = target;
      // One after the other: the next may lie in the same new folder. oxlint-disable-next-line no-await-in-loop
      await prepare(target, files[path] ?? '', steps);
    }
    for (const { target, state } of missing) {
      at = target;
      putInPlace(target, state === 'other', steps);
    }
  } catch (error) {
    const left = takeBack(steps);
    const whole =
      left.length === 0 ? 'nothing is written' : `and not taken back: ${left.join(', ')}`;
    throw new Error(`${at}: ${messageOf(error)}; ${whole}`, { cause: error });
  }
  for (const { target } of missing) rmSync(beside(target, 'old'), { force: true });
  return { written: missing.map(({ path }) => path), others };
}
