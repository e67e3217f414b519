import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../measure/errors.ts';

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * With its parents, one by one: where the kernel makes no directories (/proc) it answers that the
 * parent is not there, and Node's own recursion then asks for ever. Fine where it is there already.
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  const whole = resolve(path);
  if (await isDirectory(whole)) return;
  const parent = dirname(whole);
  if (parent !== whole) await makeDirectory(parent, mode);
  try {
    await mkdir(whole, { mode });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !(await isDirectory(whole))) throw error;
  }
}
