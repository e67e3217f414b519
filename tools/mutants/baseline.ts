/**
 * Each test file once without any mistake: whether it passes, how long it takes and what it runs.
 * Kept in node_modules/.cache, under a name that changes with every file it brings in and with
 * everything beside it that is no TypeScript.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leftOut } from './areas.ts';
import { type Coverage, readCoverage } from './coverage.ts';
import { type Closure, closureOf } from './imports.ts';
import { run } from './run.ts';

export interface Baseline {
  readonly passes: boolean;
  readonly seconds: number;
  readonly coverage: Coverage;
}

export interface Baselines {
  closure(test: string): Closure;
  /** As far as it was measured before. */
  known(test: string): Baseline | undefined;
  of(test: string): Promise<Baseline>;
  /** Whether the compiler finds nothing wrong. */
  compiles(): Promise<boolean>;
}

/** A test file that takes longer than this is none to be run a hundred times. */
const deadlineMs = 600_000;

/** `names`: of the tests in it that are run. */
export function testArgs(test: string, names?: string): string[] {
  return [
    ...(names === undefined ? [] : [`--test-name-pattern=/${names}/`]),
    '--max-old-space-size=1024',
    `--test-skip-pattern=/${leftOut.names}/`,
    '--test-reporter=tap',
    test,
  ];
}

export async function compiles(directory: string): Promise<boolean> {
  const args = ['node_modules/typescript/lib/tsc.js'];
  return (await run({ directory, args, deadlineMs })) === 'passed';
}

export const failure = /^\s*not ok (?!.*# (?:SKIP|TODO))/m;

/** `directory` is a copy in which no mistake is ever made. */
export function createBaselines(
  directory: string,
  files: readonly string[],
  cache: string,
): Baselines {
  const texts = new Map<string, string | undefined>();
  const closures = new Map<string, Closure>();
  const read = new Map<string, Baseline>();
  const measuring = new Map<string, Promise<Baseline>>();
  const tree = new Set(files);

  function textOf(file: string): string | undefined {
    if (!texts.has(file)) {
      texts.set(file, tree.has(file) ? readFileSync(join(directory, file), 'utf8') : undefined);
    }
    return texts.get(file);
  }

  function closure(test: string): Closure {
    const found = closures.get(test) ?? closureOf(test, textOf);
    closures.set(test, found);
    return found;
  }

  function add(hash: Hash, file: string): void {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(directory, file)));
  }

  const ofMaterial = new Map<string, string>();
  /** Recordings, YAML and the like in the same part of the tree. */
  function materialOf(part: string): string {
    const found = ofMaterial.get(part);
    if (found !== undefined) return found;
    const hash = createHash('sha256').update(process.version).update(testArgs('').join(' '));
    const its = files.filter((file) => file.startsWith(`${part}/`) || file === 'package-lock.json');
    for (const file of its) if (!/\.(?:ts|md|png)$/.test(file)) add(hash, file);
    const digest = hash.digest('hex');
    ofMaterial.set(part, digest);
    return digest;
  }

  function keyOf(test: string): string {
    const hash = createHash('sha256').update(materialOf(test.split('/')[0] ?? ''));
    const { imported, started } = closure(test);
    for (const file of [...imported.keys(), ...started.keys()].sort()) add(hash, file);
    return hash.digest('hex').slice(0, 32);
  }

  async function measure(test: string): Promise<Baseline> {
    const reports = mkdtempSync(join(tmpdir(), 'stealwatch-coverage-'));
    try {
      const began = performance.now();
      const env = { NODE_V8_COVERAGE: reports };
      const ending = await run({ directory, args: testArgs(test), env, deadlineMs });
      const seconds = (performance.now() - began) / 1000;
      return {
        passes: ending === 'passed',
        seconds,
        coverage: ending === 'passed' ? readCoverage(reports, directory) : {},
      };
    } finally {
      rmSync(reports, { recursive: true, force: true });
    }
  }

  const pathOf = (test: string) => join(cache, `${keyOf(test)}.json`);

  function known(test: string): Baseline | undefined {
    const found = read.get(test);
    if (found !== undefined) return found;
    try {
      const baseline = JSON.parse(readFileSync(pathOf(test), 'utf8')) as Baseline;
      read.set(test, baseline);
      return baseline;
    } catch {
      return undefined;
    }
  }

  async function measureAndKeep(test: string): Promise<Baseline> {
    const baseline = await measure(test);
    // One that fails may have bad luck: it is tried again in the next run, not in this one.
    read.set(test, baseline);
    if (baseline.passes) {
      mkdirSync(cache, { recursive: true });
      writeFileSync(pathOf(test), JSON.stringify(baseline));
    }
    return baseline;
  }

  let compiled: Promise<boolean> | undefined;

  return {
    closure,
    compiles: () => (compiled ??= compiles(directory)),
    known,
    async of(test) {
      const before = known(test);
      if (before !== undefined) return before;
      const baseline = measuring.get(test) ?? measureAndKeep(test);
      measuring.set(test, baseline);
      return baseline;
    },
  };
}
