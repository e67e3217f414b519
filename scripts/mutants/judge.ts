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

export interface Judgement {
  readonly verdict: Verdict;
  /** How many test files may notice. */
  readonly tests: number;
}

export interface Judge {
  judge(mutant: Chosen): Promise<Judgement>;
}

interface Candidate {
  readonly test: string;
  readonly baseline: Baseline;
  readonly near: boolean;
}

/** The file's own test first, then the quick ones. */
function inOrder(a: Candidate, b: Candidate): number {
  return Number(b.near) - Number(a.near) || a.baseline.seconds - b.baseline.seconds;
}

const isNear = (test: string, file: string) =>
  dirname(test) === dirname(file) &&
  basename(test).replace('.test.ts', '') === basename(file).replace(/\.\w+$/, '');

export function createJudge({
  areas,
  files,
  baselines,
  directory,
  told,
}: {
  readonly areas: readonly Area[];
  readonly files: readonly string[];
  readonly baselines: Baselines;
  readonly directory: string;
  /** A test that fails without any mistake, once each: it can notice nothing. */
  readonly told: (test: string) => void;
}): Judge {
  const tests = files.filter((file) => file.endsWith('.test.ts') && !leftOut.files.test(file));
  const broken = new Set<string>();

  function mayNotice(test: string, { tests: named }: Area, file: string): boolean {
    if (named !== undefined) return named.test(test);
    const { imported, started } = baselines.closure(test);
    return imported.has(file) || started.has(file);
  }

  function executes(test: string, area: Area, mutant: Chosen, baseline: Baseline): boolean {
    if (area.tests !== undefined) return true;
    // A process or a thread that was killed leaves no coverage behind.
    if (baselines.closure(test).started.has(mutant.file)) return true;
    return ran(baseline.coverage, mutant.file, mutant.start);
  }

  async function candidates(area: Area, mutant: Chosen): Promise<Candidate[]> {
    const found: Candidate[] = [];
    for (const test of tests.filter((one) => mayNotice(one, area, mutant.file))) {
      const baseline = await baselines.of(test);
      if (!baseline.passes && !broken.has(test)) {
        broken.add(test);
        told(test);
      }
      if (baseline.passes && executes(test, area, mutant, baseline)) {
        found.push({ test, baseline, near: isNear(test, mutant.file) });
      }
    }
    return found.sort(inOrder);
  }

  async function generated(area: Area): Promise<boolean> {
    for (const generator of area.generators) {
      const args = [generator];
      if ((await run({ directory, args, deadlineMs: generatorDeadlineMs })) !== 'passed')
        return false;
    }
    return true;
  }

  function runTest({ test, baseline }: Candidate): Promise<Ending> {
    const deadlineMs = Math.max(leastDeadlineMs, baseline.seconds * 1000 * patience);
    return run({ directory, args: testArgs(test), deadlineMs, failsOn: failure });
  }

  async function isRefused(file: string): Promise<boolean> {
    if (!file.endsWith('.ts') || !(await baselines.compiles())) return false;
    return !(await compiles(directory));
  }

  async function verdictOf(
    area: Area,
    mutant: Chosen,
    able: readonly Candidate[],
  ): Promise<Verdict> {
    if (!(await generated(area))) return 'refused';
    for (const candidate of able) {
      const ending = await runTest(candidate);
      if (ending === 'failed') return 'killed';
      if (ending === 'timed out') return 'timed out';
    }
    // Last, because it says the least: `npm test` compiles before it tests.
    return (await isRefused(mutant.file)) ? 'refused' : 'survived';
  }

  return {
    async judge(mutant) {
      const area = areas.find(({ name }) => name === mutant.area);
      if (area === undefined) throw new Error(`no area ${mutant.area}`);
      const able = await candidates(area, mutant);
      const path = join(directory, mutant.file);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, apply(text, mutant));
      try {
        return { verdict: await verdictOf(area, mutant, able), tests: able.length };
      } finally {
        writeFileSync(path, text);
        await generated(area);
      }
    },
  };
}
