import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scope } from './redis-server.ts';

/**
 * A directory tree for one test: path to text. Removed when the test ends. Write to the files
 * again (in place) to make time pass.
 */
export function fixtureTree(t: Scope, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeTree(root, files);
  return root;
}

export function writeTree(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const whole = join(root, path);
    mkdirSync(dirname(whole), { recursive: true });
    writeFileSync(whole, text);
  }
}
