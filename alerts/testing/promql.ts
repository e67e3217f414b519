/** PromQL as a tree: what a query asks for, and whether it is PromQL at all. */
import { parser } from '@prometheus-io/lezer-promql';

type Tree = ReturnType<typeof parser.parse>;
export type SyntaxNode = Tree['topNode'];

export interface Matcher {
  readonly label: string;
  readonly op: string;
  readonly value: string;
}

export interface Selector {
  /** Empty for a selector by labels alone. */
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Names of the node types around it, innermost first. */
  readonly parents: readonly string[];
  /** Function or aggregation around its range, in source text: `rate`. */
  readonly call: string;
  readonly range: string | undefined;
}

export interface Parsed {
  readonly errors: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels named in by, without, on, ignoring, group_left, group_right. */
  readonly grouping: readonly string[];
  /** Each `by`, `without`, `on` or `ignoring` with its labels. */
  readonly groups: readonly { readonly keyword: string; readonly labels: readonly string[] }[];
  /** Labels that count_values, label_replace and label_join make. */
  readonly created: readonly string[];
}

/** What Grafana puts in for its variables. */
export interface Variables {
  readonly rateInterval: string;
  /** The step of the query. */
  readonly interval: string;
  readonly range: string;
  readonly rangeSeconds: number;
  readonly toMs: number;
  readonly job: string;
  readonly host: string;
}

/** A screen of six hours, everything selected. */
export const example: Variables = {
  rateInterval: '1m',
  interval: '15s',
  range: '6h',
  rangeSeconds: 21_600,
  toMs: 1_800_000_000_000,
  job: 'stealwatch',
  host: '.*',
};

export function interpolate(expr: string, variables: Variables = example): string {
  return expr
    .replaceAll('$__rate_interval', variables.rateInterval)
    .replaceAll('$__interval', variables.interval)
    .replaceAll('$__range_s', String(variables.rangeSeconds))
    .replaceAll('$__range', variables.range)
    .replaceAll('$__to', String(variables.toMs))
    .replaceAll('$job', variables.job)
    .replaceAll('$host', variables.host)
    .replaceAll('$provider', '.*');
}

/** Parse a query of a panel or a rule; Grafana's variables are replaced first. */
export function parsePromql(query: string): Parsed {
  const text = interpolate(query);
  const errors: string[] = [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  const groups: { keyword: string; labels: readonly string[] }[] = [];
  const created = [
    ...text.matchAll(/(?:count_values.*?\(|label_(?:replace|join)\([^"]*)"(\w+)"/g),
  ].map((match) => match[1] ?? '');
  const tree = parser.parse(text);
  tree.iterate({
    enter({ node, type }) {
      if (type.isError)
        errors.push(`near "${text.slice(Math.max(0, node.from - 20), node.to + 20)}"`);
      if (type.name === 'VectorSelector') selectors.push(selector(node, text));
      if (type.name === 'GroupingLabels') {
        const labels = node.getChildren('LabelName').map((label) => textOf(label, text));
        grouping.push(...labels);
        groups.push({ keyword: wordBefore(node, text), labels });
      }
    },
  });
  return { errors, selectors, grouping, groups, created };
}

function wordBefore({ from }: SyntaxNode, text: string): string {
  return /(\w+)\s*$/.exec(text.slice(0, from))?.[1]?.toLowerCase() ?? '';
}

function textOf({ from, to }: SyntaxNode, text: string): string {
  return text.slice(from, to);
}

/** What a node of type VectorSelector asks for. */
export function selector(node: SyntaxNode, text: string): Selector {
  const name = node.getChild('Identifier');
  const matchers = (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map(
    (matcher) => {
      const part = (type: string) => {
        const child = matcher.getChild(type);
        return child === null ? '' : textOf(child, text);
      };
      return {
        label: part('LabelName'),
        op: part('MatchOp'),
        value: part('StringLiteral').slice(1, -1),
      };
    },
  );
  const parents: string[] = [];
  for (let at = node.parent; at !== null; at = at.parent) parents.push(at.name);
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : undefined;
  return {
    metric: name === null ? '' : textOf(name, text),
    matchers,
    parents,
    call: callAround(matrix ?? node, text),
    range: matrix === undefined ? undefined : /\[(.*)\]$/.exec(textOf(matrix, text))?.[1],
  };
}

function callAround(node: SyntaxNode, text: string): string {
  let inner = node;
  while (inner.parent?.name === 'OffsetExpr') inner = inner.parent;
  const call = inner.parent?.name === 'FunctionCallBody' ? inner.parent.parent : null;
  const name = call?.getChild('FunctionIdentifier') ?? call?.getChild('AggregateOp');
  return name === null || name === undefined ? '' : textOf(name, text);
}
