/**
 * Mutation check: what the tests do not notice. Makes one small mistake at a time in a private copy
 * of the tree, as it stands now, and runs the tests that execute it. Prints each mistake that no
 * test noticed, and a table by area. See CONTRIBUTING.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBaselines } from './baseline.ts';
import { choose, type Chosen } from './choose.ts';
import { copyTree, filesOfTree, removeCopy } from './copy.ts';
import { createJudge, type Judge } from './judge.ts';
import { type Options, readOptions, usage } from './options.ts';
import { createRandom } from './random.ts';
import { createTable, mutantText } from './report.ts';
import { endAll } from './run.ts';
import { messageOf } from '../../exporter/measure/errors.ts';

const root = join(import.meta.dirname, '../..');
const cache = join(root, 'node_modules/.cache/stealwatch-mutants');
const copies: string[] = [];

function cleanUp(): void {
  endAll();
  for (const copy of copies) removeCopy(copy);
}

function dieCleanly(signal: NodeJS.Signals): void {
  process.once(signal, () => {
    cleanUp();
    process.kill(process.pid, signal);
  });
}

function newCopy(files: readonly string[]): string {
  const copy = copyTree(root, files);
  copies.push(copy);
  return copy;
}

const told = (test: string) =>
  process.stdout.write(
    `${test} fails without any mistake or takes over 10 min, and is left out\n\n`,
  );

async function mutate({ minutes, seed, jobs, areas, all, far }: Options): Promise<void> {
  const end = performance.now() + minutes * 60_000;
  const files = filesOfTree(root);
  // Read from the copy: somebody may go on working in the tree.
  const unharmed = newCopy(files);
  const read = (file: string) => readFileSync(join(unharmed, file), 'utf8');
  const baselines = createBaselines(unharmed, files, cache);
  const mutants = choose(areas, files, read, createRandom(seed));
  const table = createTable();

  function next(): Chosen | undefined {
    if (performance.now() >= end) return undefined;
    const { value, done } = mutants.next();
    return done === true ? undefined : value;
  }

  async function work(judge: Judge): Promise<void> {
    for (let mutant = next(); mutant !== undefined; mutant = next()) {
      const judgement = await judge.judge(mutant);
      table.add(mutant.area, judgement.verdict);
      if (judgement.verdict !== 'survived' && !all) continue;
      process.stdout.write(`${mutantText(mutant, read(mutant.file), judgement)}\n`);
    }
  }

  const directories = Array.from({ length: jobs }, () => newCopy(files));
  await Promise.all(
    directories.map((directory) =>
      work(createJudge({ areas, files, baselines, directory, far, told })),
    ),
  );
  process.stdout.write(`seed ${seed}, ${minutes} min\n\n${table.text()}`);
}

async function main(): Promise<void> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === undefined) process.stdout.write(usage);
    else await mutate(options);
  } finally {
    cleanUp();
  }
}

dieCleanly('SIGINT');
dieCleanly('SIGTERM');
main().catch((error: unknown) => {
  process.stderr.write(`mutants: ${messageOf(error)}\n`);
  process.exitCode = 2;
});
