/**
 * Recording rules evaluated over data of the past, in the order in which they build on each other.
 * (`promtool tsdb create-blocks-from rules` evaluates every rule on raw data alone.)
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Prometheus, Series, Span } from '../../tools/rig/prometheus.ts';
import { parsePromql } from '../../alerts/testing/promql.ts';

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly group: string;
  /** Of its group, in seconds. */
  readonly interval: number | undefined;
}

interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly interval?: string;
    readonly rules: readonly (Partial<RecordingRule> & { readonly alert?: string })[];
  }[];
}

const directory = join(import.meta.dirname, '../../alerts/generated');

function secondsOf(duration: string | undefined): number | undefined {
  const match = /^(\d+)([smh])$/.exec(duration ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * ({ s: 1, m: 60, h: 3600 }[match[2] ?? 's'] ?? 1);
}

/** Every rule of the files that Prometheus loads, alerts included: what uses a metric. */
export function allRuleExpressions(): { readonly where: string; readonly expr: string }[] {
  return ruleFiles().flatMap(({ file, content }) =>
    content.groups.flatMap(({ rules }) =>
      rules.map(({ record, alert, expr = '' }) => ({
        where: `alerts/generated/${file}, ${record ?? alert}`,
        expr,
      })),
    ),
  );
}

function ruleFiles(): { readonly file: string; readonly content: RuleFile }[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => ({
      file,
      content: parse(readFileSync(join(directory, file), 'utf8')) as RuleFile,
    }));
}

export function recordingRules(): RecordingRule[] {
  return ruleFiles().flatMap(({ content }) =>
    content.groups.flatMap(({ name, interval, rules }) =>
      rules.flatMap(({ record, expr, labels }) =>
        record === undefined || expr === undefined
          ? []
          : [{ record, expr, labels: labels ?? {}, group: name, interval: secondsOf(interval) }],
      ),
    ),
  );
}

/** Rules that can be evaluated together: all that they read is there. */
function levels(rules: readonly RecordingRule[]): RecordingRule[][] {
  const levelOf = new Map<RecordingRule, number>();
  function level(rule: RecordingRule): number {
    const known = levelOf.get(rule);
    if (known !== undefined) return known;
    levelOf.set(rule, 0);
    const read = new Set(parsePromql(rule.expr).selectors.map(({ metric }) => metric));
    const needed = rules.filter(
      (other, i) =>
        read.has(other.record) && (other.record !== rule.record || i < rules.indexOf(rule)),
    );
    const mine = needed.reduce((deepest, other) => Math.max(deepest, level(other) + 1), 0);
    levelOf.set(rule, mine);
    return mine;
  }
  const result: RecordingRule[][] = [];
  for (const rule of rules) (result[level(rule)] ??= []).push(rule);
  return result;
}

/** What `a or b` gives may be two series, by the names of a and b, and is one once recorded. */
function openMetrics({ record, labels }: RecordingRule, series: readonly Series[]): string {
  const lines = new Map<string, { time: number; line: string }[]>();
  for (const one of series) {
    const own = Object.entries({ ...one.labels, ...labels }).filter(
      ([name]) => name !== '__name__',
    );
    const key = `${record}{${own.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`;
    const known = lines.get(key) ?? [];
    lines.set(key, known);
    for (const [time, value] of one.points) known.push({ time, line: `${key} ${value} ${time}\n` });
  }
  return [...lines.values()]
    .flatMap((points) => points.sort((x, y) => x.time - y.time).map(({ line }) => line))
    .join('');
}

/** Prometheus answers at most 11,000 points at once. */
function parts({ from, to, step }: Span): Span[] {
  const result: Span[] = [];
  for (let start = from; start <= to; start += 10_000 * step) {
    result.push({ from: start, to: Math.min(to, start + 9999 * step), step });
  }
  return result;
}

/** Groups whose rules count or add up their own evaluations: they keep their interval. */
const hasOwnInterval = (group: string) => /^stealwatch-dashboards$|^slo_\w+_period$/.test(group);

/**
 * A rule that asks what it recorded itself, so as not to count a quarter of an hour twice or miss
 * one. Here it is asked for the whole span at once, each quarter exactly once, and has recorded
 * nothing yet: so every quarter before counts as recorded, and this one as not.
 */
function asEvaluatedInTurn({ record, expr }: RecordingRule): string {
  const own = `count_over_time\\(${record}[^)]*\\)`;
  return expr
    .replace(new RegExp(`\\((\\w+\\([^)]*\\)) unless ${own}\\)`), '($1 unless $1)')
    .replace(new RegExp(`\\nunless (?:on \\([^)]*\\) )?${own}$`), '');
}

/** `span.step` is the evaluation interval. */
export async function backfill(
  prometheus: Prometheus,
  span: Span,
  directory: string,
  rules: readonly RecordingRule[] = recordingRules(),
): Promise<void> {
  for (const [i, level] of levels(rules).entries()) {
    const texts: string[] = [];
    for (const rule of level) {
      const step = hasOwnInterval(rule.group) ? (rule.interval ?? span.step) : span.step;
      for (const part of parts({ ...span, step })) {
        texts.push(openMetrics(rule, await prometheus.range(asEvaluatedInTurn(rule), part)));
      }
    }
    const file = join(directory, `rules-${i}.om`);
    writeFileSync(file, `${texts.join('')}# EOF\n`);
    await prometheus.load(file);
  }
}
