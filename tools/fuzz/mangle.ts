/** What goes wrong with a text on its way: cut, doubled, emptied, and numbers that no counter reaches. */
import type { Random } from './random.ts';

const numbers = [
  '0',
  '-1',
  '18446744073709551615',
  '18446744073709551488',
  '9'.repeat(400),
  '1e400',
  'nan',
  '-nan',
  '0x10',
  '1.5',
  '',
  '\0',
] as const;

const words = [
  '__proto__',
  'constructor',
  '"\\\n',
  '<script>alert(1)</script>',
  '\u001b[31m',
  '\ud800',
  '=>'.repeat(200),
  'x'.repeat(5000),
] as const;

function replaceOne(text: string, what: RegExp, by: string, random: Random): string {
  const found = [...text.matchAll(what)];
  const match = found[random.int(0, Math.max(0, found.length - 1))];
  if (match === undefined) return text + by;
  return text.slice(0, match.index) + by + text.slice(match.index + match[0].length);
}

function atLine(text: string, random: Random, change: (lines: string[], at: number) => void) {
  const lines = text.split('\n');
  change(lines, random.int(0, lines.length - 1));
  return lines.join('\n');
}

const ways: readonly [
  (text: string, random: Random) => string,
  ...((text: string, random: Random) => string)[],
] = [
  (text, random) => text.slice(0, random.int(0, text.length)),
  (text, random) => text.slice(random.int(0, text.length)),
  (text, random) => replaceOne(text, /\d+/g, random.pick(numbers), random),
  (text, random) => replaceOne(text, /[A-Za-z_]+/g, random.pick(words), random),
  (text, random) => replaceOne(text, /[:= \t]/g, random.pick(['', '::', '\0', '\r\n']), random),
  (text, random) => atLine(text, random, (lines, at) => lines.splice(at, 1)),
  (text, random) => atLine(text, random, (lines, at) => lines.splice(at, 0, lines[at] ?? '')),
  (text, random) => atLine(text, random, (lines, at) => lines.splice(at, 0, '')),
  (text, random) =>
    atLine(text, random, (lines, at) => {
      lines[at] = (lines[at] ?? '').repeat(random.int(2, 50));
    }),
  (text, random) => `${text}${'\0'.repeat(random.int(1, 8))}`,
  (_text, random) => random.bytes(random.int(0, 300)).toString('latin1'),
  (text) => text.replaceAll('\n', '\r\n'),
  () => '',
];

/** One text with one to three things wrong. */
export function mangle(text: string, random: Random): string {
  let result = text;
  for (let times = random.int(1, 3); times > 0; times--) result = random.pick(ways)(result, random);
  return result;
}

/** Much of something: `bytes` of a text that is as bad as it can be for a careless parser. */
export function flood(bytes: number, random: Random): string {
  const unit = random.pick([
    'a',
    ':',
    '{',
    'db\n',
    'a:1\n',
    'cmdstat_\n',
    '\0',
    '9',
    '"',
    ' ',
    '\n',
  ]);
  return unit.repeat(Math.ceil(bytes / unit.length)).slice(0, bytes);
}
