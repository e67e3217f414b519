/** Makes one mistake in the copy, and finds out whether anybody notices. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Area, leftOut } from './areas.ts';
import { type Baseline, type Baselines, compiles, failure, testArgs } from './baseline.ts';
import type { Chosen } from './choose.ts';
import { ran } from './coverage.ts';
import { apply } from './mutation.ts';
import { type Ending, run } from './run.ts';

/** `refused`: by the compiler or by the generator, before any test. */
export type Verdict = 'killed' | 'refused' | 'timed out' | 'survived';

/** A test that runs this much longer than without the mistake hangs. */
const patience = 6;
const leastDeadlineMs = 20_000;
const generatorDeadlineMs = 60_000;
/** Until it is measured. */
const unknownSeconds = 5;

export interface Judgement {
  readonly verdict: Verdict;
  /** How many test files were run. */
  readonly tests: number;
}

export interface Judge {
  judge(mutant: Chosen): Promise<Judgement>;
}

const isNear = (test: string, file: string) =>
  dirname(test) === dirname(file) &&
  basename(test).replace('.test.ts', '') === basename(file).replace(/\.\w+$/, '');

const roomOf = (file: string) => dirname(file).split('/').slice(0, 2).join('/');

export function createJudge({
  areas,
  files,
  baselines,
  directory,
  far,
  told,
}: {
  readonly areas: readonly Area[];
  readonly files: readonly string[];
  readonly baselines: Baselines;
  readonly directory: string;
  /** Whether tests that reach a file only by way of many others are run too. */
  readonly far: boolean;
  /** A test that fails without any mistake, once each: it can notice nothing. */
  readonly told: (test: string) => void;
}): Judge {
  const tests = files.filter((file) => file.endsWith('.test.ts') && !leftOut.files.test(file));
  const broken = new Set<string>();

  /** Steps to the file, undefined for a test that cannot notice anything there. */
  function stepsTo(test: string, { tests: named }: Area, file: string): number | undefined {
    if (named !== undefined) return named.test(test) ? 1 : undefined;
    const { imported, started } = baselines.closure(test);
    const steps = imported.get(file);
    const isNearby = roomOf(test) === roomOf(file) || (steps !== undefined && steps <= 2);
    return far || isNearby ? (steps ?? started.get(file)) : undefined;
  }

  /** The file's own test first, then those that are near it and quick. */
  function candidates(area: Area, file: string): string[] {
    const ranked = tests.flatMap((test) => {
      const steps = stepsTo(test, area, file);
      if (steps === undefined) return [];
      const seconds = baselines.known(test)?.seconds ?? unknownSeconds;
      return [{ test, cost: isNear(test, file) ? 0 : steps * seconds }];
    });
    return ranked.sort((a, b) => a.cost - b.cost).map(({ test }) => test);
  }

  function executes(test: string, area: Area, mutant: Chosen, baseline: Baseline): boolean {
    if (!baseline.passes && !broken.has(test)) {
      broken.add(test);
      told(test);
    }
    if (!baseline.passes) return false;
    // A process or a thread that was killed leaves no coverage behind.
    if (area.tests !== undefined || baselines.closure(test).started.has(mutant.file)) return true;
    return ran(baseline.coverage, mutant.file, mutant.start);
  }

  async function generated(area: Area): Promise<boolean> {
    for (const generator of area.generators) {
      const args = [generator];
      if ((await run({ directory, args, deadlineMs: generatorDeadlineMs })) !== 'passed')
        return false;
    }
    return true;
  }

  function runTest(test: string, { seconds }: Baseline, names?: string): Promise<Ending> {
    const deadlineMs = Math.max(leastDeadlineMs, seconds * 1000 * patience);
    return run({ directory, args: testArgs(test, names), deadlineMs, failsOn: failure });
  }

  async function isRefused(file: string): Promise<boolean> {
    if (!file.endsWith('.ts') || !(await baselines.compiles())) return false;
    return !(await compiles(directory));
  }

  async function judgementOf(area: Area, mutant: Chosen): Promise<Judgement> {
    if (!(await generated(area))) return { verdict: 'refused', tests: 0 };
    let count = 0;
    for (const test of candidates(area, mutant.file)) {
      const baseline = await baselines.of(test);
      if (!executes(test, area, mutant, baseline)) continue;
      count += 1;
      const ending = await runTest(test, baseline, area.namesOf?.(test, mutant.file));
      if (ending === 'failed') return { verdict: 'killed', tests: count };
      if (ending === 'timed out') return { verdict: 'timed out', tests: count };
    }
    // Last, because it says the least: `npm test` compiles before it tests.
    return { verdict: (await isRefused(mutant.file)) ? 'refused' : 'survived', tests: count };
  }

  return {
    async judge(mutant) {
      const area = areas.find(({ name }) => name === mutant.area);
      if (area === undefined) throw new Error(`no area ${mutant.area}`);
      const path = join(directory, mutant.file);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, apply(text, mutant));
      try {
        return await judgementOf(area, mutant);
      } finally {
        writeFileSync(path, text);
        await generated(area);
      }
    },
  };
}
