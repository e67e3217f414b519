/**
 * The mistakes that are made in TypeScript: each a small change of one expression or statement.
 * Types, imports and what is only text for people are left alone.
 */
import { parseSync } from 'oxc-parser';
import type { Mutation } from './mutation.ts';

/** A node of the syntax tree, as ESTree has it. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

interface Place {
  readonly node: Node;
  readonly parent: Node | undefined;
  /** The field of the parent that holds the node. */
  readonly field: string;
  readonly text: string;
}

type Operator = (place: Place) => readonly Mutation[];

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

const textOf = (text: string, node: Node) => text.slice(node.start, node.end);

function change(operator: string, { start, end }: Node, replacement: string): Mutation {
  return { operator, start, end, replacement };
}

/** The operator itself, between the two sides: the first that is not in a comment there. */
function replaceOperator(
  name: string,
  { node, text }: Place,
  replacements: readonly string[],
): Mutation[] {
  const { left, right, operator } = node;
  if (!isNode(left) || !isNode(right) || typeof operator !== 'string') return [];
  const at = text.indexOf(operator, left.end);
  if (at === -1 || at >= right.start) return [];
  return replacements.map((replacement) => ({
    operator: name,
    start: at,
    end: at + operator.length,
    replacement,
  }));
}

const comparisons: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
};
const arithmetic: Readonly<Record<string, readonly string[]>> = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
};
const logic: Readonly<Record<string, readonly string[]>> = { '&&': ['||'], '||': ['&&'] };
const assignments: Readonly<Record<string, readonly string[]>> = { '+=': ['-='], '-=': ['+='] };
const methods: Readonly<Record<string, string>> = {
  max: 'min',
  min: 'max',
  some: 'every',
  every: 'some',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  floor: 'ceil',
  ceil: 'floor',
};

const isText = (node: unknown) =>
  isNode(node) &&
  (node.type === 'TemplateLiteral' ||
    (node.type === 'Literal' && typeof node['value'] === 'string'));

/** `+` between texts joins them: there is no `-` of it. */
function joinsTexts({ operator, left, right }: Node): boolean {
  return operator === '+' && (isText(left) || isText(right));
}

function negate({ node, text }: Place): Mutation[] {
  const { test } = node;
  return isNode(test) ? [change('condition negated', test, `!(${textOf(text, test)})`)] : [];
}

function withoutStatement({ node }: Place): Mutation[] {
  const { expression } = node;
  if (!isNode(expression) || node['directive'] !== null) return [];
  const called = expression.type === 'AwaitExpression' ? expression['argument'] : expression;
  const inner = isNode(called) && called.type === 'ChainExpression' ? called['expression'] : called;
  if (!isNode(inner)) return [];
  if (inner.type === 'CallExpression') return [change('call dropped', node, '')];
  if (inner.type === 'AssignmentExpression') return [change('assignment dropped', node, '')];
  return [];
}

/** What is there to be read by people: docs and golden files hold it word by word. */
const proseFields: readonly unknown[] = ['help', 'note'];

function isProse({ parent, field }: Place): boolean {
  if (parent?.type !== 'Property' || field !== 'value' || !isNode(parent['key'])) return false;
  return proseFields.includes(parent['key']['name']);
}

function numbers(place: Place, value: number): Mutation[] {
  const { node } = place;
  const others = [value * 1000, 0, value + 1].filter((other) => other !== value);
  return others.map((other) => change('number', node, String(other)));
}

function regularExpression({ node, text }: Place): Mutation[] {
  const source = textOf(text, node);
  const close = source.lastIndexOf('/');
  const mutations: Mutation[] = [];
  if (source.startsWith('/^')) {
    mutations.push(change('anchor dropped', node, `/${source.slice(2)}`));
  }
  if (source[close - 1] === '$' && source[close - 2] !== '\\') {
    const without = source.slice(0, close - 1) + source.slice(close);
    mutations.push(change('anchor dropped', node, without));
  }
  return mutations.filter(({ replacement }) => !replacement.startsWith('//'));
}

/** `list[i] ?? 0`: the compiler wants it, though the index is never out of range. */
function isNeverUsed({ parent, field }: Place): boolean {
  if (parent?.type !== 'LogicalExpression' || field !== 'right') return false;
  const { operator, left } = parent;
  return (
    operator === '??' &&
    isNode(left) &&
    left.type === 'MemberExpression' &&
    left['computed'] === true
  );
}

function literal(place: Place): Mutation[] {
  const { node, field, parent } = place;
  if (isNeverUsed(place)) return [];
  const value = node['value'];
  if (typeof value === 'boolean') return [change('boolean', node, String(!value))];
  if (typeof value === 'number') return numbers(place, value);
  if (node['regex'] !== undefined && node['regex'] !== null) return regularExpression(place);
  if (typeof value !== 'string' || value === '') return [];
  // A key is a name, not a value.
  if (field === 'key' || isProse(place)) return [];
  // `import('x')`, and directives such as 'use strict'.
  if (parent?.type === 'ImportExpression' || parent?.type === 'ExpressionStatement') return [];
  return [change('text emptied', node, "''")];
}

function returned({ node }: Place): Mutation[] {
  const { argument } = node;
  if (!isNode(argument)) return [change('return dropped', node, '')];
  // The same as no value at all.
  if (argument['name'] === 'undefined') return [];
  return [change('return dropped', node, 'return;')];
}

function nullish(place: Place): Mutation[] {
  const { node, text } = place;
  const { left, right } = node;
  if (!isNode(left) || !isNode(right)) return [];
  const sides = isNeverUsed({ ...place, parent: node, field: 'right' }) ? [right] : [left, right];
  return sides.map((side) => change('?? taken apart', node, `(${textOf(text, side)})`));
}

function chained({ node, text }: Place): Mutation[] {
  const from = node['object'] ?? node['callee'];
  if (node['optional'] !== true || !isNode(from)) return [];
  const at = text.indexOf('?.', from.end);
  // `a?.[0]` and `a?.()` lose both characters, `a?.b` keeps its dot.
  const dot = /^\?\.[[(]/.test(text.slice(at)) ? '' : '.';
  return [{ operator: '?. taken away', start: at, end: at + 2, replacement: dot }];
}

function methodName({ node }: Place): Mutation[] {
  const { property, computed } = node;
  if (!isNode(property) || computed === true) return [];
  const name = property['name'];
  const other = typeof name === 'string' ? methods[name] : undefined;
  return other === undefined ? [] : [change('method', property, other)];
}

const operators: Readonly<Record<string, Operator>> = {
  BinaryExpression(place) {
    const operator = String(place.node['operator']);
    return [
      ...replaceOperator('comparison', place, comparisons[operator] ?? []),
      ...(joinsTexts(place.node)
        ? []
        : replaceOperator('arithmetic', place, arithmetic[operator] ?? [])),
    ];
  },
  LogicalExpression(place) {
    const operator = String(place.node['operator']);
    if (operator === '??') return nullish(place);
    return replaceOperator('and, or', place, logic[operator] ?? []);
  },
  AssignmentExpression(place) {
    const operator = String(place.node['operator']);
    return replaceOperator('arithmetic', place, assignments[operator] ?? []);
  },
  UpdateExpression({ node, text }) {
    const source = textOf(text, node);
    const other = source.includes('++') ? source.replace('++', '--') : source.replace('--', '++');
    return [change('arithmetic', node, other)];
  },
  UnaryExpression({ node, text }) {
    const { argument, operator } = node;
    if (!isNode(argument) || (operator !== '!' && operator !== '-')) return [];
    return [change(`${operator} taken away`, node, textOf(text, argument))];
  },
  IfStatement: negate,
  ConditionalExpression: negate,
  ReturnStatement: returned,
  ContinueStatement: ({ node }) => [change('continue dropped', node, '')],
  BreakStatement: ({ node, parent }) =>
    parent?.type === 'SwitchCase' ? [change('break dropped', node, '')] : [],
  ExpressionStatement: withoutStatement,
  Literal: literal,
  ArrayExpression: ({ node }) =>
    Array.isArray(node['elements']) && node['elements'].length > 0
      ? [change('list emptied', node, '[]')]
      : [],
  AssignmentPattern({ node, text }) {
    const { left } = node;
    return isNode(left) ? [change('default dropped', node, textOf(text, left))] : [];
  },
  MemberExpression: (place) => [...chained(place), ...methodName(place)],
  CallExpression: chained,
};

/** Nodes of types that hold an expression all the same. */
const transparent = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression'];
const skippedTypes = ['ImportDeclaration', 'ExportAllDeclaration'];
const skippedFields = ['typeAnnotation', 'typeArguments', 'typeParameters', 'returnType'];

function isSkipped({ type, source }: Node): boolean {
  if (type.startsWith('TS')) return !transparent.includes(type);
  return skippedTypes.includes(type) || (type === 'ExportNamedDeclaration' && isNode(source));
}

function visit(place: Place, found: Mutation[]): void {
  const { node, text } = place;
  if (isSkipped(node)) return;
  found.push(...(operators[node.type]?.(place) ?? []));
  for (const [field, value] of Object.entries(node)) {
    if (skippedFields.includes(field)) continue;
    const children: unknown[] = Array.isArray(value) ? value : [value];
    for (const child of children) {
      if (isNode(child)) visit({ node: child, parent: node, field, text }, found);
    }
  }
}

/** In the order of the source. */
export function typescriptMutations(text: string): Mutation[] {
  const { program, errors } = parseSync('module.ts', text);
  if (errors.length > 0) throw new Error(`not TypeScript: ${errors[0]?.message ?? ''}`);
  const found: Mutation[] = [];
  visit({ node: program as unknown as Node, parent: undefined, field: '', text }, found);
  return found.sort((a, b) => a.start - b.start);
}

/** Whether it can be read at all; the compiler has its say later. */
export function isTypescript(text: string): boolean {
  return parseSync('module.ts', text).errors.length === 0;
}
