/**
 * Which rules can say anything at all from the series of a test. promtool evaluates every rule of a
 * file at every step; those that can only give nothing are most of its time, and change nothing.
 */
import { parser } from '@prometheus-io/lezer-promql';
import { type Matcher, parsePromql, type Selector, selector, type SyntaxNode } from './promql.ts';
import type { RuleGroup } from '../slo/rule.ts';

type Rule = RuleGroup['rules'][number];

/** Series that are there, or may come. */
interface Source {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it may have labels besides. */
  readonly open: boolean;
}

/** Operators and calls that can make something of nothing. */
const fromNothing = new Set(['Absent', 'AbsentOverTime', 'Scalar', 'Vector']);

function fits({ label, op, value }: Matcher, source: Source): boolean {
  const has = source.labels[label] ?? (source.open ? undefined : '');
  if (has === undefined || value.includes('\\')) return true;
  const equal = op.endsWith('~') ? new RegExp(`^(?:${value})$`).test(has) : has === value;
  return op.startsWith('!') ? !equal : equal;
}

function selects({ metric, matchers }: Selector, source: Source): boolean {
  const named = metric === '' || metric === source.metric;
  return named && matchers.every((one) => one.label === '__name__' || fits(one, source));
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

/** Nothing on one side is nothing, but for `or`, the right of `unless`, and what is filled in. */
function canBeOperation(parts: readonly SyntaxNode[], can: (part: SyntaxNode) => boolean) {
  const [left, right] = [parts.at(0), parts.at(-1)].map((part) => part !== undefined && can(part));
  const types = parts.map(({ name }) => name);
  if (types.includes('Unless')) return left === true;
  if (types.includes('Or') || types.includes('FillModifier'))
    return left === true || right === true;
  return left === true && right === true;
}

/** Whether the expression can have a value; true where it is not sure. */
function canBe(expr: string, sources: readonly Source[]): boolean {
  function can(node: SyntaxNode): boolean {
    if (node.name === 'VectorSelector') {
      const wanted = selector(node, expr);
      return sources.some((source) => selects(wanted, source));
    }
    const parts = childrenOf(node);
    if (node.name === 'BinaryExpr') return canBeOperation(parts, can);
    const call = node.getChild('FunctionIdentifier')?.firstChild?.name ?? '';
    return fromNothing.has(call) || parts.every(can);
  }
  return parsePromql(expr).errors.length > 0 || can(parser.parse(expr).topNode);
}

function inputOf(series: string): Source {
  const labels = [...series.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    metric: /^[\w:]*/.exec(series)?.[0] ?? '',
    labels: Object.fromEntries(labels.map(([, name = '', value = '']) => [name, value])),
    open: false,
  };
}

/** A label with a template in it is known when it is rendered. */
function outputsOf(rule: Rule): Source[] {
  const given = Object.entries(rule.labels ?? {});
  const labels = Object.fromEntries(given.filter(([, value]) => !value.includes('{{')));
  if ('record' in rule) return [{ metric: rule.record, labels, open: true }];
  return ['ALERTS', 'ALERTS_FOR_STATE'].map((metric) => ({
    metric,
    labels: { ...labels, alertname: rule.alert },
    open: true,
  }));
}

/** The rules that these series, or what other rules make of them, can bring to a value. */
export function fedRules(rules: readonly Rule[], series: readonly string[]): Set<Rule> {
  const sources = series.map(inputOf);
  const fed = new Set<Rule>();
  for (let before = -1; before < fed.size;) {
    before = fed.size;
    for (const rule of rules) {
      if (fed.has(rule) || !canBe(rule.expr, sources)) continue;
      fed.add(rule);
      sources.push(...outputsOf(rule));
    }
  }
  return fed;
}
