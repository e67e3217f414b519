/** What is told of a run: each survivor when it is found, and a table by area at the end. */
import type { Chosen } from './choose.ts';
import type { Judgement, Verdict } from './judge.ts';
import { diffOf, lineOf } from './mutation.ts';

export function mutantText(mutant: Chosen, text: string, { verdict, tests }: Judgement): string {
  const place = `${mutant.file}:${lineOf(text, mutant.start)}`;
  const ran = tests === 0 ? 'no test executes it' : `test files run: ${tests}`;
  return [`${verdict}: ${place} (${mutant.operator}; ${ran})`, ...diffOf(text, mutant), ''].join(
    '\n',
  );
}

const columns = [
  'area',
  'mutants',
  'killed',
  'refused',
  'timed out',
  'survived',
  'noticed',
] as const;

type Tally = Record<Verdict, number>;

const none = (): Tally => ({ killed: 0, refused: 0, 'timed out': 0, survived: 0 });

export interface Table {
  add(area: string, verdict: Verdict): void;
  /** In Markdown. */
  text(): string;
}

function rowOf(area: string, tally: Tally): string[] {
  const { killed, refused, survived, 'timed out': timedOut } = tally;
  const all = killed + refused + survived + timedOut;
  const share = all === 0 ? '' : `${Math.floor(((all - survived) / all) * 100)} %`;
  return [area, ...[all, killed, refused, timedOut, survived].map(String), share];
}

export function createTable(): Table {
  const tallies = new Map<string, Tally>();

  function sum(): Tally {
    const total = none();
    for (const tally of tallies.values()) {
      for (const verdict of Object.keys(total) as Verdict[]) total[verdict] += tally[verdict];
    }
    return total;
  }

  return {
    add(area, verdict) {
      const tally = tallies.get(area) ?? none();
      tallies.set(area, tally);
      tally[verdict] += 1;
    },
    text() {
      const rows = [...tallies].map(([area, tally]) => rowOf(area, tally));
      const all = [[...columns], columns.map(() => '---'), ...rows, rowOf('**sum**', sum())];
      return all.map((row) => `| ${row.join(' | ')} |\n`).join('');
    },
  };
}
