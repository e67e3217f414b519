import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RuleGroup } from '../slo/rule.ts';
import { fedRules } from './fed-rules.ts';
import { groupsOf, readTestFile, runTests } from './rule-files.ts';
import { installedTools } from '../../tools/rig/prometheus-tools.ts';

type Rule = RuleGroup['rules'][number];

const series = ['a{host="x",job="j"}', 'b{host="x"}'];

const hasValue: Readonly<Record<string, boolean>> = {
  a: true,
  c: false,
  '{host="x"}': true,
  '{host="y"}': false,
  'a{job="j"}': true,
  'a{job="k"}': false,
  'a{job!="j"}': false,
  'a{job=~"i|j"}': true,
  'a{job=~"i"}': false,
  'a{job!~"i"}': true,
  'a{job!~"j.*"}': false,
  'a{job=~"\\\\w"}': true,
  // A label that is not there is empty.
  'b{job=""}': true,
  'b{job!=""}': false,
  'a + c': false,
  'c > 0': false,
  'a and on (host) c': false,
  'a or c': true,
  'c or a': true,
  'c or d': false,
  'a unless c': true,
  'c unless a': false,
  'sum(rate(c[5m]))': false,
  'sum by (host) (rate(a[5m]))': true,
  'max_over_time((c > 1)[5m:1m])': false,
  'round(a + vector(0))': true,
  'c offset 5m': false,
  'absent(c)': true,
  'absent_over_time(c[5m])': true,
  'scalar(c) + a': true,
  'vector(1)': true,
  'time()': true,
  '1 + c': false,
  // What is no PromQL is for promtool to say.
  'sum(c': true,
};

test('an expression that can only give nothing is told from all others', () => {
  for (const [expr, expected] of Object.entries(hasValue)) {
    const rule = { record: 'r', expr };
    assert.equal(fedRules([rule], series).has(rule), expected, expr);
  }
});

test('what rules make feeds other rules, whatever their order, with the labels they give it', () => {
  const alert = {
    alert: 'Fires',
    expr: 'made{host="x"}',
    labels: { tone: '{{ $labels.x }}' },
    annotations: {},
  };
  const fed: Rule[] = [
    { record: 'last', expr: 'made{kind="one"}' },
    { record: 'alerted', expr: 'ALERTS{alertname="Fires",tone="low"}' },
    alert,
    { record: 'made', labels: { kind: 'one' }, expr: 'a' },
  ];
  const silent: Rule[] = [
    { record: 'other', expr: 'made{kind="two"}' },
    { record: 'alerted', expr: 'ALERTS{alertname="Other"}' },
    { record: 'itself', expr: 'itself + 1' },
  ];
  assert.deepEqual(fedRules([...silent, ...fed], series), new Set(fed));
});

/** How often a rule had a value; nothing is expected. */
function asking(rule: Rule) {
  const metric = 'record' in rule ? rule.record : `ALERTS{alertname="${rule.alert}"}`;
  return { expr: `count_over_time(${metric}[20m])`, eval_time: '14m', exp_samples: [] };
}

for (const name of ['host-hours.yml', 'redis.yml', 'meta.yml', 'slo.yml']) {
  test(`where every rule is evaluated, those that ${name} does not feed have no value`, () => {
    const { tests, rule_files } = readTestFile(join(import.meta.dirname, '..', 'tests', name));
    const rules = rule_files.flatMap(groupsOf).flatMap((group) => group.rules);
    for (const one of tests.slice(0, 3)) {
      const fed = fedRules(
        rules,
        one.input_series.map((input) => input.series),
      );
      const names = new Set([...fed].map((rule) => ('record' in rule ? rule.record : rule.alert)));
      const silent = rules.filter((r) => !names.has('record' in r ? r.record : r.alert));
      assert.ok(silent.length > 0);
      const { name: title, interval, input_series } = one;
      const asked = { name: title, interval, input_series, promql_expr_test: silent.map(asking) };
      const { code, text } = runTests(
        { program: installedTools().promtool },
        { rule_files, evaluation_interval: '30s', tests: [asked] },
        { chosen: (all) => new Set(all) },
      );
      assert.equal(code, 0, text);
    }
  });
}
