/** Comparisons whose failure says what to do next: which file to edit, or which command to run. */
import assert from 'node:assert/strict';

export interface Lists {
  /** What there is, and what there has to be. */
  readonly have: Iterable<string>;
  readonly want: Iterable<string>;
  /** What to do about a name that only one of the two has. */
  readonly missing: (name: string) => string;
  readonly needless: (name: string) => string;
}

/** Two lists of the same names in any order, each name once. */
export function inStep({ have, want, missing, needless }: Lists): void {
  const [there, wanted] = [[...have], [...want]];
  const todo = [
    ...wanted.filter((name) => !there.includes(name)).map(missing),
    ...there.filter((name, i) => !wanted.includes(name) || there.indexOf(name) !== i).map(needless),
  ];
  assert.ok(todo.length === 0, `${todo.length} to do:\n  ${todo.join('\n  ')}`);
}

const shownLines = 10;

/** The first lines in which two texts differ; undefined when none does. */
function difference(actual: string, expected: string): string | undefined {
  const [mine, theirs] = [actual.split('\n'), expected.split('\n')];
  const first = mine.findIndex((line, i) => line !== theirs[i]);
  const at = first < 0 ? mine.length : first;
  if (actual === expected) return undefined;
  // What follows is the same again: not the whole rest, when a line was put in or taken out.
  let same = 0;
  while (
    same < Math.min(mine.length, theirs.length) - at &&
    mine.at(-1 - same) === theirs.at(-1 - same)
  ) {
    same += 1;
  }
  const shown = (lines: readonly string[], sign: string) => {
    const own = lines.slice(at, lines.length - same);
    const more =
      own.length > shownLines ? [`${sign} and ${own.length - shownLines} lines more`] : [];
    return [...own.slice(0, shownLines).map((line) => `${sign} ${line.slice(0, 200)}`), ...more];
  };
  return [`from line ${at + 1} on:`, ...shown(theirs, '-'), ...shown(mine, '+')].join('\n');
}

/** A text too long to be shown whole: the lines that differ alone, and what to do about them. */
export function sameText(actual: string, expected: string, what: string): void {
  const found = difference(actual, expected);
  assert.ok(found === undefined, `${what}, ${found}`);
}
