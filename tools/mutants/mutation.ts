/** One small mistake in one file, and how it is shown. */
export interface Mutation {
  /** What kind of mistake, in a few words. */
  readonly operator: string;
  /** Offsets into the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** A mutation and the file it is made in, relative to the repository. */
export interface Mutant extends Mutation {
  readonly file: string;
}

export function apply(text: string, { start, end, replacement }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** Counted from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function wholeLines(text: string, start: number, end: number): string {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const to = text.indexOf('\n', end);
  return text.slice(from, to === -1 ? text.length : to);
}

/** What a mistake that takes up more lines shows of itself. */
const mostShown = 4;

function marked(mark: string, text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(0, mostShown).map((line) => `${mark} ${line}`);
  return lines.length > mostShown ? [...shown, `${mark} …`] : shown;
}

/** The lines before and after, as a diff shows them. */
export function diffOf(text: string, mutation: Mutation): string[] {
  const { start, end, replacement } = mutation;
  const after = wholeLines(apply(text, mutation), start, start + replacement.length);
  return [...marked('-', wholeLines(text, start, end)), ...marked('+', after)];
}
