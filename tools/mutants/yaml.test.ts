import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply } from './mutation.ts';
import { isYaml, type YamlKind, yamlMutations } from './yaml.ts';

function results(text: string, kind: YamlKind, operator: string): string[] {
  return yamlMutations(text, kind)
    .filter((mutation) => mutation.operator === operator)
    .map((mutation) => apply(text, mutation));
}

const cases: readonly (readonly [YamlKind, string, string, readonly string[]])[] = [
  ['rules', 'duration', 'for: 10s', ['for: 0s', 'for: 100s']],
  ['rules', 'duration', 'expr: rate(a[5m])', ['expr: rate(a[0m])', 'expr: rate(a[50m])']],
  ['rules', 'comparison', 'expr: a > 5', ['expr: a >= 5', 'expr: a < 5']],
  ['rules', 'number', 'expr: a > 5', ['expr: a > 5000', 'expr: a > 0', 'expr: a > 6']],
  ['rules', 'number', 'expr: a1 > 0', ['expr: a1 > 1']],
  [
    'rules',
    'and, or, unless',
    '  and b unless on (c) d',
    ['  or b unless on (c) d', '  unless b unless on (c) d', '  and b and on (c) d'],
  ],
  // Every selector asks for the job: what has another one is no machine of ours.
  ['rules', 'matcher dropped', 'expr: a{job="s",state=~"x|y"}', ['expr: a{job="s",}']],
  ['rules', 'matcher negated', 'expr: a{b="c"}', ['expr: a{b!="c"}']],
  ['rules', 'severity', 'labels: { severity: page }', ['labels: { severity: ticket }']],
  ['rules', 'line dropped', 'a:\n  for: 1m # why', ['\n  for: 1m # why', 'a:\n # why']],
  ['alertmanager', 'receiver', 'receiver: people', ['receiver: heartbeat']],
  [
    'alertmanager',
    'alternative dropped',
    '[layer=~"a|b|c"]',
    ['[layer=~"b|c"]', '[layer=~"a|c"]', '[layer=~"a|b"]'],
  ],
  ['alertmanager', 'list shortened', 'equal: [host, layer]', ['equal: [host]']],
  ['alertmanager', 'boolean', 'send_resolved: true', ['send_resolved: false']],
  ['prometheus', 'condition misspelt', '#if REMOTE_WRITE_TOKEN', ['#if REMOTE_WRITE_TOKEN_X']],
  [
    'compose',
    'address opened',
    "ports: ['${P:-127.0.0.1:9093}:9093']",
    ["ports: ['${P:-9093}:9093']"],
  ],
  ['compose', 'variable misspelt', 'URL: ${REDIS_URL:-x}', ['URL: ${REDIS_URL_X:-x}']],
  ['compose', 'default changed', 'URL: ${REDIS_URL:-x}', ['URL: ${REDIS_URL:-}']],
  [
    'compose',
    'list shortened',
    'cap_add: [SYSLOG, SETUID]',
    ['cap_add: [SETUID]', 'cap_add: [SYSLOG]'],
  ],
];

for (const [kind, operator, text, expected] of cases) {
  test(`mutations: ${kind}, ${operator} of ${text}`, () => {
    assert.deepEqual(results(text, kind, operator), expected);
  });
}

test('mutations: comments and words for people are left alone', () => {
  const text = `
# for: 5m
    annotations:
      summary: '5 of 10 > 3'
      description: >-
        More than 5 s, and true.

        severity: page
    # 7 times
`;
  assert.deepEqual(
    yamlMutations(text, 'rules').map((mutation) => apply(text, mutation)),
    [text.replace('    annotations:', '')],
  );
});

test('mutations: what is no YAML any more is told', () => {
  assert.equal(isYaml('a: [1, 2]'), true);
  assert.equal(isYaml('a: [1, 2'), false);
  assert.equal(isYaml('a: &x { b: 1 }\nc:\n  <<: *x\n'), true);
});
