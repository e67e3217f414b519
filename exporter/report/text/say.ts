/**
 * Text that is half ours and half somebody else's. The sentence is ours and may hold Markdown; what
 * is put into it is shown as it is, whatever it holds: a process that calls itself `| [x](http://y)`
 * breaks no table and makes no link.
 */
import { shownLabelValue } from '../../core/label-value.ts';

/** What a value is, for those who replace it before it leaves the box. */
export type ValueKind = 'prose' | 'name' | 'process' | 'host' | 'fixed';

interface Value {
  readonly kind: ValueKind;
  readonly value: string;
}

/** Values of several kinds that are one piece of code. */
interface Line {
  readonly values: readonly Value[];
}

type Part = string | Value | Line;

/** Made by `say` alone. */
export interface Text {
  readonly parts: readonly Part[];
}

export type Sayable = string | number | Value | Line | Text;

function partsOf(one: Sayable): readonly Part[] {
  if (typeof one === 'number') return [String(one)];
  if (typeof one === 'string') return [{ kind: 'prose', value: one }];
  return 'parts' in one ? one.parts : [one];
}

/** say`**Cause:** ${process('redis-server')} slept.` */
export function say(ours: TemplateStringsArray, ...values: readonly Sayable[]): Text {
  return {
    parts: ours.flatMap((text, i) => {
      const value = values[i];
      return value === undefined ? [text] : [text, ...partsOf(value)];
    }),
  };
}

export function joined(texts: readonly Text[], between: string): Text {
  return { parts: texts.flatMap(({ parts }, i) => (i === 0 ? parts : [between, ...parts])) };
}

/** A function, a file, a device: shown as code. */
export const name = (value: string): Value => ({ kind: 'name', value });
/** The name of a process or thread, which is its own choice. */
export const process = (value: string): Value => ({ kind: 'process', value });
export const host = (value: string): Value => ({ kind: 'host', value });
/** What must reach the reader unchanged, shown as code: a digest, the UUID the provider knows us by. */
export const fixed = (value: string): Value => ({ kind: 'fixed', value });

/** A line that holds names: shown as one piece of code, each name replaced as what it is. */
export const line = (...values: readonly Value[]): Line => ({ values });

/** Replaces what must not leave the box; the identity for the team's own copy. */
export type Replace = (value: string, kind: ValueKind) => string;

export const asItIs: Replace = (value) => value;

/** Names of strangers are shorter; our sentences and commands, which hold them, are not. */
const mostShown = 4000;

const shown = (value: string): string =>
  value.length > mostShown
    ? shownLabelValue(value)
    : value.replaceAll(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** One line, nothing that turns the direction of writing or hides. */
function oneLine(value: string): string {
  return shown(value.replaceAll(/[\s\u2028\u2029]+/gu, ' ')).replaceAll(/\p{Cf}/gu, '?');
}

/** In code nothing is Markdown but the end of it; bars are the table's business. */
function inCode(value: string): string {
  const shown = oneLine(value).replaceAll('`', "'").trim();
  return shown === '' ? '` `' : `\`${shown}\``;
}

/** Backslashes before what Markdown or HTML would read; `://`, `www.` and `@` make links by themselves. */
function inProse(value: string): string {
  return oneLine(value)
    .replaceAll(/[\\`*_[\]<>|~&#@]/g, String.raw`\$&`)
    .replaceAll('://', String.raw`\://`)
    .replaceAll(/\bwww\./gi, (www) => `${www.slice(0, 3)}\\.`);
}

const shownLine = ({ values }: Line, replace: Replace): string =>
  values.map(({ value, kind }) => replace(value, kind)).join('');

export function toMarkdown({ parts }: Text, replace: Replace): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('values' in part) return inCode(shownLine(part, replace));
      const value = replace(part.value, part.kind);
      return part.kind === 'prose' ? inProse(value) : inCode(value);
    })
    .join('');
}

/** Without emphasis, for a chat form. */
export function toPlain({ parts }: Text, replace: Replace): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part.replaceAll(/\*\*|`/g, '');
      const shown = 'values' in part ? shownLine(part, replace) : replace(part.value, part.kind);
      return oneLine(shown).replaceAll('`', "'");
    })
    .join('');
}

/** Lines as they were written, in a fence that none of them can end. */
export function fenced(lines: readonly string[]): string[] {
  const shown = lines.map((line) =>
    line.replaceAll(/\p{Cc}|\p{Cf}|[\u2028\u2029]/gu, (c) => (c === '\t' ? ' ' : '?')),
  );
  const longest = Math.max(
    2,
    ...shown.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...shown, fence];
}

/** A bar with an even number of backslashes before it would end the cell. */
const inCell = (cell: string): string =>
  cell.replaceAll(/(\\*)\|/g, (bar: string, slashes: string) =>
    slashes.length % 2 === 0 ? `${slashes}\\|` : bar,
  );

const rowOf = (cells: readonly string[]) => `| ${cells.map(inCell).join(' | ')} |`;

/** A table with no line that a value could break. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [rowOf(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(rowOf)];
}
