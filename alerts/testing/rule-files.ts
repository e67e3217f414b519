/** The rules as tests want them, and what promtool says about them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { AlertingRule, RecordingRule, RuleGroup } from '../slo/rule.ts';
import { fedRules } from './fed-rules.ts';
import { type Output, run } from '../../tools/rig/prometheus-tools.ts';
import { inTemporaryDirectory } from '../../tools/rig/temporary-root.ts';

const generated = join(import.meta.dirname, '..', 'generated');

export const ruleFiles: readonly string[] = readdirSync(generated).sort();

export function groupsOf(file: string): RuleGroup[] {
  const content: { groups: RuleGroup[] } = parse(readFileSync(join(generated, file), 'utf8'));
  return content.groups;
}

export function alertsOf(file: string): AlertingRule[] {
  return groupsOf(file).flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule));
}

type Rule = RuleGroup['rules'][number];

function ofSlo({ labels }: Rule, only: readonly string[] | undefined): boolean {
  const slo = labels?.['slo'];
  return only === undefined || slo === undefined || only.includes(slo);
}

function isInlined(rule: Rule, records: string | undefined): rule is RecordingRule {
  return records !== undefined && 'record' in rule && new RegExp(records).test(rule.record);
}

function withSummaryOnly(rule: Rule): Rule {
  if (!('annotations' in rule)) return rule;
  return { ...rule, annotations: { summary: rule.annotations['summary'] ?? '' } };
}

/**
 * promtool compares all annotations or none. The summary is what wakes a person, so tests state
 * that one; links and descriptions are checked apart, as they render.
 */
function writeRules(
  directory: string,
  { name, groups }: RuleFile,
  chosen: ReadonlySet<Rule>,
  summariesOnly: boolean,
): void {
  const kept = groups.map((group) => ({
    ...group,
    rules: group.rules
      .filter((rule) => chosen.has(rule))
      .map((rule) => (summariesOnly ? withSummaryOnly(rule) : rule)),
  }));
  const text = stringify({ groups: kept }, { aliasDuplicateObjects: false });
  writeFileSync(join(directory, name), text);
}

export interface ExpectedAlert {
  readonly exp_labels: Readonly<Record<string, string>>;
  readonly exp_annotations?: Readonly<Record<string, string>>;
}

export interface AlertCheck {
  readonly alertname: string;
  readonly eval_time: string;
  readonly exp_alerts: readonly ExpectedAlert[];
}

export interface RuleTest {
  readonly name: string;
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test?: readonly AlertCheck[];
  readonly promql_expr_test?: readonly {
    readonly expr: string;
    readonly eval_time: string;
    readonly exp_samples: readonly { readonly labels: string; readonly value: number }[];
  }[];
}

/** A promtool unit test file, with one thing added. */
export interface TestFile {
  readonly rule_files: readonly string[];
  /** Records (a regular expression) that are not evaluated all along: where a test names one, it gets the rule's expression. */
  readonly inline_records?: string;
  /** Rules of other SLOs are left out, to be quick about a day. */
  readonly only_slo?: readonly string[];
  readonly evaluation_interval: string;
  readonly tests: readonly RuleTest[];
}

export function readTestFile(path: string): TestFile {
  const content: TestFile = parse(readFileSync(path, 'utf8'));
  return content;
}

/** Put the expressions of inlined records where their names stand, all the way down. */
function inlined(expr: string, { rule_files, inline_records }: TestFile): string {
  const rules = rule_files
    .flatMap(groupsOf)
    .flatMap((group) => group.rules.filter((rule) => isInlined(rule, inline_records)));
  let text = expr;
  for (const { record, labels = {}, expr: body } of rules.reverse()) {
    const own = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    // Without labels of its own a record is named alone, else with exactly those.
    const named = own.length > 0 ? `${record}{${own.join(',')}}` : record;
    text = text.replaceAll(named, () => `(${body})`);
  }
  return text;
}

/** `NaNx3` as promtool has no shorthand for it: four of them, as `1x3` is four ones. */
function withNaNs({ series, values }: RuleTest['input_series'][number]) {
  const spelt = values.replaceAll(/\bNaNx(\d+)/g, (_, times: string) =>
    Array.from({ length: Number(times) + 1 }, () => 'NaN').join(' '),
  );
  return { series, values: spelt };
}

function withInlined(one: RuleTest, file: TestFile): RuleTest {
  const checks = (one.promql_expr_test ?? []).map(({ expr, eval_time, exp_samples }) => ({
    expr: inlined(expr, file),
    eval_time,
    exp_samples,
  }));
  return { ...one, input_series: one.input_series.map(withNaNs), promql_expr_test: checks };
}

interface RuleFile {
  readonly name: string;
  readonly groups: readonly RuleGroup[];
}

/** What is evaluated all along. */
function evaluated({ rule_files, inline_records, only_slo }: TestFile): RuleFile[] {
  const isEvaluated = (rule: Rule) => !isInlined(rule, inline_records) && ofSlo(rule, only_slo);
  return rule_files.map((name) => ({
    name,
    groups: groupsOf(name).map((group) =>
      Object.assign(group, { rules: group.rules.filter(isEvaluated) }),
    ),
  }));
}

interface Choice {
  /** Leave all annotations out but the summary. */
  readonly summariesOnly?: boolean;
  /** Which rules are evaluated. */
  readonly chosen?: typeof fedRules;
}

export interface Engine {
  readonly program: string;
  /** Whose command line and words. promtool's unless told. */
  readonly as?: keyof typeof engines;
}

/** Two programs that run the same unit tests. */
const engines = {
  promtool: {
    expressions: 'promql_expr_test',
    args: (paths: readonly string[]) => ['test', 'rules', ...paths],
  },
  'vmalert-tool': {
    expressions: 'metricsql_expr_test',
    args: (paths: readonly string[]) => [
      'unittest',
      '-disableAlertgroupLabel',
      ...paths.map((path) => `--files=${path}`),
    ],
  },
} as const;

/** A test with the rules that it feeds, in a directory of its own. */
function writeTest(
  directory: string,
  one: RuleTest,
  file: TestFile,
  files: readonly RuleFile[],
  {
    summariesOnly = true,
    chosen = fedRules,
    expressions,
  }: Choice & (typeof engines)[keyof typeof engines],
): string {
  const groups = files.flatMap((rules) => rules.groups);
  const series = one.input_series.map((input) => input.series);
  const rules = chosen(
    groups.flatMap((group) => group.rules),
    series,
  );
  mkdirSync(directory);
  for (const each of files) writeRules(directory, each, rules, summariesOnly);
  const { rule_files, evaluation_interval } = file;
  // promtool takes groups in any order, and all at the same moment, which Prometheus never does.
  const group_eval_order = groups.map(({ name }) => name);
  const { promql_expr_test, ...rest } = withInlined(one, file);
  const tests = [{ ...rest, [expressions]: promql_expr_test }];
  const text = stringify(
    { rule_files, evaluation_interval, group_eval_order, tests },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
  const path = join(directory, 'test.yml');
  writeFileSync(path, text);
  return path;
}

export function runTests(
  { program, as = 'promtool' }: Engine,
  file: TestFile,
  choice: Choice = {},
): Output {
  const files = evaluated(file);
  const engine = engines[as];
  return inTemporaryDirectory((directory) => {
    const paths = file.tests.map((one, index) =>
      writeTest(join(directory, String(index)), one, file, files, { ...choice, ...engine }),
    );
    return run(program, engine.args(paths), directory);
  });
}
