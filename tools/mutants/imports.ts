/**
 * Which files a test file brings in: what it imports, what that imports, and what is named by
 * `new URL('x.ts', import.meta.url)` to be started as a process or a thread.
 */
import { dirname, join, normalize } from 'node:path';

/**
 * How a file is brought in, and by how many steps. What runs in another process or thread may
 * leave no coverage.
 */
export interface Closure {
  readonly imported: ReadonlyMap<string, number>;
  readonly started: ReadonlyMap<string, number>;
}

const importPattern = /(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.{1,2}\/[^']+\.ts)'/g;
const startPattern = /new URL\(\s*'([^':]+\.ts)',\s*import\.meta\.url/g;
/** Threads whose file is named after the one that starts them. */
const workerPattern = /`([a-z-]+-worker)\$\{extname/g;

function named(text: string, pattern: RegExp, suffix = ''): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name + suffix);
}

export function closureOf(start: string, read: (file: string) => string | undefined): Closure {
  const imported = new Map<string, number>();
  const started = new Map<string, number>();
  // First come, first served: so the number of steps is the smallest.
  const waiting = [{ file: start, into: imported, steps: 0 }];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { file, into, steps } = next;
    if (into.has(file)) continue;
    const text = read(file);
    if (text === undefined) continue;
    into.set(file, steps);
    const at = (name: string) => normalize(join(dirname(file), name));
    const add = (name: string, where: Map<string, number>) =>
      waiting.push({ file: at(name), into: where, steps: steps + 1 });
    for (const name of named(text, importPattern)) add(name, into);
    const apart = [...named(text, startPattern), ...named(text, workerPattern, '.ts')];
    for (const name of apart) add(name, started);
  }
  return { imported, started };
}
