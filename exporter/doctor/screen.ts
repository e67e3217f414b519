/** The results for people, on one screen: what is wrong with its reason and its mend, the rest in a line. */
import { shownLabelValue } from '../core/label-value.ts';
import type { Result, State } from './check.ts';

const marks: Readonly<Record<State, string>> = {
  pass: 'pass',
  warn: 'WARN',
  fail: 'FAIL',
  cannot_see: '?   ',
};

const longestReason = 400;

/** Of one line, whatever a file or a server wrote into it. */
function shown(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, (control) =>
    control === '\n' ? ' ' : shownLabelValue(control),
  );
  return plain.length > longestReason ? `${plain.slice(0, longestReason)}...` : plain;
}

function linesOf({ title, state, reason, mend }: Result): string[] {
  const said = state === 'cannot_see' ? `cannot see: ${reason}` : reason;
  const lines = [`${marks[state]}  ${title}: ${shown(said)}`];
  if (state === 'pass') return lines;
  const steps = mend.map(
    ({ command, tried }) => `        ${command}${tried ? '' : '   (not tried)'}`,
  );
  return [...lines, ...steps];
}

function countsOf(results: readonly Result[]): string {
  const count = (state: State) => results.filter((one) => one.state === state).length;
  return `${count('fail')} fail, ${count('warn')} warn, ${count('cannot_see')} cannot be seen, ${count('pass')} pass`;
}

export function screenOf(results: readonly Result[]): string {
  return [
    ...results.flatMap(linesOf),
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
