/**
 * Which files a test file brings in: what it imports, what that imports, and what is named by
 * `new URL('x.ts', import.meta.url)` to be started as a process or a thread.
 */
import { dirname, join, normalize } from 'node:path';

/** How a file is brought in. What runs in another process or thread may leave no coverage. */
export interface Closure {
  readonly imported: ReadonlySet<string>;
  readonly started: ReadonlySet<string>;
}

const importPattern = /(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+\.ts)'/g;
const startPattern = /new URL\(\s*'([^':]+\.ts)',\s*import\.meta\.url/g;
/** Threads whose file is named after the one that starts them. */
const workerPattern = /`([a-z-]+-worker)\$\{extname/g;

function named(text: string, pattern: RegExp, suffix = ''): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name + suffix);
}

export function closureOf(start: string, read: (file: string) => string | undefined): Closure {
  const imported = new Set<string>();
  const started = new Set<string>();
  const waiting = [{ file: start, into: imported }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, into } = next;
    if (into.has(file)) continue;
    const text = read(file);
    if (text === undefined) continue;
    into.add(file);
    const at = (name: string) => normalize(join(dirname(file), name));
    for (const name of named(text, importPattern)) waiting.push({ file: at(name), into });
    const apart = [...named(text, startPattern), ...named(text, workerPattern, '.ts')];
    for (const name of apart) waiting.push({ file: at(name), into: started });
  }
  return { imported, started };
}
