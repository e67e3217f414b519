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

/** Writes a file below the root, with the directories it needs; gives its path. */
export function placed(root: string, path: string, content: string | Buffer): string {
  const whole = join(root, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}
