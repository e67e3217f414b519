/** A private copy of the tree, for mutants to live in: the user's own is never written to. */
import { execFileSync } from 'node:child_process';
import {
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What git knows or would add: not what is ignored. */
export function filesOfTree(root: string): string[] {
  // A tree of another owner, as in a container: git refuses it unless told, and its files are read only.
  const trusted = ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false'];
  const args = [...trusted, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const text = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  return text.split('\0').filter((file) => {
    if (file === '') return false;
    // Deleted and not yet committed.
    return lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile() === true;
  });
}

export function copyTree(root: string, files: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-mutants-'));
  for (const file of files) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    copyFileSync(join(root, file), join(directory, file), constants.COPYFILE_FICLONE);
  }
  // Not copied: what is installed, and the bundle, which is that of the tree without a mistake.
  for (const name of ['node_modules', 'dist']) {
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(directory, name));
  }
  return directory;
}

export const removeCopy = (directory: string) =>
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
