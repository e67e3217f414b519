/**
 * The mistakes that are made in YAML: of rules, Alertmanager, Prometheus and compose. Line by line
 * and by text, because half of it is PromQL, Go templates or a template of our own inside a string.
 */
import { parseDocument } from 'yaml';
import type { Mutation } from './mutation.ts';

interface Operator {
  readonly name: string;
  /** Applied to a line without its comment; global. */
  readonly pattern: RegExp;
  readonly replacements: (match: RegExpExecArray) => readonly string[];
}

const swap =
  (pairs: Readonly<Record<string, readonly string[]>>) =>
  ([found]: RegExpExecArray): readonly string[] =>
    pairs[found] ?? [];

const named = (
  name: string,
  pattern: RegExp,
  replacements: Operator['replacements'],
): Operator => ({
  name,
  pattern,
  replacements,
});

/** Not part of a word, a version, an address or a template's name. */
const number = /(?<![\w.:$"'-])\d+(?:\.\d+)?(?![\w.:])/g;
const duration = /(?<![\w.:-])(\d+)(ms|s|m|h|d)(?![\w.:])/g;

const ofAny: readonly Operator[] = [
  named('duration', duration, ([, count = '', unit = '']) => [
    `0${unit}`,
    `${Number(count) * 10}${unit}`,
  ]),
  named('number', number, ([found]) => {
    const value = Number(found);
    return [value * 1000, 0, value + 1].filter((other) => other !== value).map(String);
  }),
  named('boolean', /\b(?:true|false)\b/g, swap({ true: ['false'], false: ['true'] })),
  // Conditions of the templates that the start scripts fill in.
  named('condition misspelt', /(?<=#if )\w+/g, ([found]) => [`${found}_X`]),
];

const ofPromql: readonly Operator[] = [
  named(
    'comparison',
    /(?<= )(?:==|!=|<=|>=|<|>)(?= )/g,
    swap({
      '>': ['>=', '<'],
      '<': ['<=', '>'],
      '>=': ['>', '<'],
      '<=': ['<', '>'],
      '==': ['!='],
      '!=': ['=='],
    }),
  ),
  named(
    'and, or, unless',
    /(?<=\s|^)(?:and|or|unless)(?= )/g,
    swap({
      and: ['or', 'unless'],
      or: ['and'],
      unless: ['and'],
    }),
  ),
  named('matcher dropped', /\b(?!job=)\w+(?:=~|!~|!=|=)"[^"]*",?/g, () => ['']),
  named(
    'matcher negated',
    /(?<=\b\w+)(?:=~|!~|!=|=)(?=")/g,
    swap({
      '=': ['!='],
      '!=': ['='],
      '=~': ['!~'],
      '!~': ['=~'],
    }),
  ),
  named(
    'severity',
    /(?<=severity: ?)(?:page|ticket)/g,
    swap({ page: ['ticket'], ticket: ['page'] }),
  ),
];

const ofAlertmanager: readonly Operator[] = [
  named('alternative dropped', /(?<=["|])\w+\|/g, () => ['']),
  named('alternative dropped', /\|\w+(?=")/g, () => ['']),
  named('receiver', /(?<=receiver: )\w+/g, swap({ people: ['heartbeat'], heartbeat: ['people'] })),
  named('list shortened', /(?<=\[\w+), \w+(?=\])/g, () => ['']),
];

const ofCompose: readonly Operator[] = [
  named('address opened', /127\.0\.0\.1:(?=\d+\})/g, () => ['']),
  named('variable misspelt', /(?<=\$\{)[A-Z_]+/g, ([found]) => [`${found}_X`]),
  named('default changed', /(?<=:-)[^}]+(?=\})/g, () => ['']),
  named('value changed', /(?<=[A-Z_]+: )[^$\s{'"][^\s]*$/g, ([found]) => [`${found}-x`]),
  named('list shortened', /(?<=\[)\w+, /g, () => ['']),
  named('list shortened', /, \w+(?=\])/g, () => ['']),
];

const yamlKinds = {
  rules: [...ofAny, ...ofPromql],
  alertmanager: [...ofAny, ...ofPromql, ...ofAlertmanager],
  prometheus: [...ofAny, ...ofCompose],
  compose: [...ofAny, ...ofCompose],
} as const;
export type YamlKind = keyof typeof yamlKinds;

/** Fields that are words for people, and the lines that belong to them, are left alone. */
const prose = /^(\s*)(?:- )?(?:summary|description|help|note):/;

/** A `#` that begins a comment; `#if` and `#end` begin none. */
function withoutComment(line: string): string {
  if (/^\s*#(?:if|end)/.test(line)) return line;
  const at = line.search(/(?:^|\s)#(?!if|end)/);
  return at === -1 ? line : line.slice(0, at);
}

interface Line {
  readonly start: number;
  readonly text: string;
}

function linesOf(text: string): Line[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const at = start;
    start += line.length + 1;
    return { start: at, text: line };
  });
}

/** Those that hold something a machine reads. */
function meaningful(lines: readonly Line[]): Line[] {
  let proseIndent: number | undefined;
  return lines.flatMap(({ start, text }) => {
    const indent = text.search(/\S/);
    if (indent === -1) return [];
    if (proseIndent !== undefined && indent > proseIndent) return [];
    const begins = prose.exec(text)?.[1];
    proseIndent = begins?.length;
    if (begins !== undefined) return [];
    const bare = withoutComment(text);
    return bare.trim() === '' ? [] : [{ start, text: bare }];
  });
}

function lineMutations({ start, text }: Line, operators: readonly Operator[]): Mutation[] {
  const changes = operators.flatMap(({ name, pattern, replacements }) =>
    [...text.matchAll(pattern)].flatMap((match) =>
      replacements(match).map((replacement) => ({
        operator: name,
        start: start + match.index,
        end: start + match.index + match[0].length,
        replacement,
      })),
    ),
  );
  const dropped: Mutation[] = /^\s*#/.test(text)
    ? []
    : [{ operator: 'line dropped', start, end: start + text.length, replacement: '' }];
  return [...changes, ...dropped];
}

/** In the order of the source. */
export function yamlMutations(text: string, kind: YamlKind): Mutation[] {
  return meaningful(linesOf(text)).flatMap((line) => lineMutations(line, yamlKinds[kind]));
}

/** Whether it can be read at all: what cannot is no mistake that would go unseen. */
export function isYaml(text: string): boolean {
  return parseDocument(text, { merge: true, uniqueKeys: false }).errors.length === 0;
}
