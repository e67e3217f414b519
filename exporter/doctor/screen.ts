/** The results for people, on one screen: what is wrong with its reason and its mend, the rest in a line. */
import type { Mend, Result, State } from './check.ts';

const marks: Readonly<Record<State, string>> = {
  pass: 'pass',
  warn: 'WARN',
  fail: 'FAIL',
  cannot_see: '?   ',
};

const longestReason = 400;

/** Of one line and without control characters, whatever a file or a server wrote into it. */
function shown(text: string): string {
  const plain = text
    .slice(0, 2 * longestReason)
    .replaceAll('\n', ' ')
    .replaceAll(/\p{C}/gu, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
  return plain.length > longestReason ? `${plain.slice(0, longestReason)}...` : plain;
}

const lineOf = (state: State, text: string) => `${marks[state]}  ${text}`;

function passed({ title, reason }: Result): string {
  return lineOf('pass', `${title}: ${shown(reason)}`);
}

/** Commands to copy in one go, and what is done by hand. */
function mendLines(mend: Mend): string[] {
  const commands = mend.filter(({ kind }) => kind !== 'advice');
  const untried = commands.filter(({ kind }) => kind === 'not_tried').length;
  const mark = untried === commands.length ? '   (not tried)' : '   (tried in part)';
  const byHand = mend.filter(({ kind }) => kind === 'advice').map(({ text }) => text);
  const line = `${commands.map(({ text }) => text).join(' && ')}${untried > 0 ? mark : ''}`;
  return [
    ...(commands.length > 0 ? [line] : []),
    ...(byHand.length > 0 ? [byHand.join('; ')] : []),
  ].map((text) => `        ${text}`);
}

function linesOf({ title, state, reason, mend }: Result, also: readonly Result[]): string[] {
  const titles = [title, ...also.map((one) => one.title)].join('; ');
  const text =
    state === 'cannot_see'
      ? `cannot see: ${titles}: ${shown(reason)}`
      : `${title}: ${shown(reason)}`;
  return [lineOf(state, text), ...mendLines(mend)];
}

const same = (a: Result, b: Result) =>
  a.state === 'cannot_see' && b.state === a.state && a.reason === b.reason;

/** What cannot be seen for one and the same reason is one line, where the first of it stands. */
function wrongOnes(results: readonly Result[]): string[] {
  return results
    .filter(({ state }) => state !== 'pass')
    .flatMap((one, i, all) => {
      if (all.slice(0, i).some((before) => same(before, one))) return [];
      return linesOf(
        one,
        all.slice(i + 1).filter((after) => same(one, after)),
      );
    });
}

/** Where there is much to do, what is well is not what anybody looks for. */
const mostLines = 45;

function bodyOf(results: readonly Result[]): string[] {
  const good = results.filter(({ state }) => state === 'pass');
  const wrong = wrongOnes(results);
  if (good.length === 0) return wrong;
  if (wrong.length + good.length <= mostLines) return [...wrong, ...good.map(passed)];
  const titles = good.map(({ title }) => title).join('; ');
  return [...wrong, lineOf('pass', titles)];
}

function countsOf(results: readonly Result[]): string {
  const count = (state: State) => results.filter((one) => one.state === state).length;
  return `${count('fail')} fail, ${count('warn')} warn, ${count('cannot_see')} cannot be seen, ${count('pass')} pass`;
}

export function screenOf(results: readonly Result[]): string {
  return [
    ...bodyOf(results),
    '',
    `${countsOf(results)}. docs/doctor.md says why of each.`,
    '',
  ].join('\n');
}

/** 2 when something fails; 1 when something warns, or could not be seen that somebody could. */
export function exitCodeOf(results: readonly Result[]): number {
  if (results.some(({ state }) => state === 'fail')) return 2;
  const open = results.some(
    ({ state, question }) => state === 'warn' || (state === 'cannot_see' && !question),
  );
  return open ? 1 : 0;
}

export function jsonOf(results: readonly Result[]): string {
  return `${JSON.stringify({ schema: 1, exitCode: exitCodeOf(results), results }, undefined, 2)}\n`;
}
