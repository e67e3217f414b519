/** A directory of its own for a test, gone when the test is over. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scope } from './redis-server.ts';

export function temporaryRoot(t: Scope): string {
  const root = mkdtempSync(join(tmpdir(), 'stealwatch-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** What `body` makes of a directory that is gone when it returns. */
export function inTemporaryDirectory<T>(body: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'stealwatch-'));
  try {
    return body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Writes a file below the root, with the directories it needs; gives its path. */
export function placed(root: string, path: string, content: string | Buffer): string {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}
