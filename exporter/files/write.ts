/** Writes files below a folder, all of them or none, and over nobody's work. */
import { chmodSync, lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../core/make-directory.ts';
import { codeOf } from '../measure/errors.ts';
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

export async function writeFiles(
  directory: string,
  files: ShippedFiles,
  force: boolean,
): Promise<Written> {
  const states = Object.keys(files).map((path) => ({
    path,
    state: there(join(directory, path), files[path] ?? ''),
  }));
  const others = states.filter(({ state }) => state === 'other').map(({ path }) => path);
  if (others.length > 0 && !force) return { written: [], others };
  const missing = states.filter(({ state }) => state !== 'same').map(({ path }) => path);
  for (const path of missing) {
    const target = join(directory, path);
    // One folder after the other, since the next lies in it. oxlint-disable-next-line no-await-in-loop
    await makeDirectory(dirname(target));
    // Into its place at once: whoever reads it meanwhile has the old one or the new one.
    writeFileSync(`${target}.new`, files[path] ?? '', { flag: 'w' });
    chmodSync(`${target}.new`, path.endsWith('.sh') ? 0o755 : 0o644);
    renameSync(`${target}.new`, target);
  }
  return { written: missing, others };
}
