/** The text of the page on a terminal: in colour or not, and with where its runbooks are. */
import { visible } from '../http/page/shown.ts';

const colours: Readonly<Record<string, string>> = {
  BAD: '\u001b[1;31m',
  WARN: '\u001b[33m',
  ok: '\u001b[32m',
};
const bold = '\u001b[1m';
const plain = '\u001b[0m';

const mark = /^(BAD|WARN|ok)(?= )/;
const title = /^(?:[A-Z][A-Z ]+$|Next:)/;

function coloured(line: string): string {
  return line
    .replace(mark, (word) => `${colours[word] ?? ''}${word}${plain}`)
    .replace(title, (words) => `${bold}${words}${plain}`);
}

/** Whoever answers: nothing of theirs is a command to this terminal. */
export function forTerminal(text: string, colour: boolean, address = '/'): string {
  return text
    .split('\n')
    .map((line) => visible(line).replace(/^ {6}\/runbook\//, `      ${address}runbook/`))
    .map((line) => (colour ? coloured(line) : line))
    .join('\n');
}
