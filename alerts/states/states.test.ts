import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsOf, ruleFiles, runTests } from '../testing/rule-files.ts';
import { allTools } from '../testing/tools.ts';
import { playOf, type Row, stateNames } from './play.ts';
import { elsewhere, table } from './table.ts';
import { inStep } from '../../tools/rig/in-step.ts';

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, ({ file, step = 2 }) => `${file} every ${step} s`);
}

test('every alert has a row, and every row an alert', () => {
  const layers = new Map(
    ruleFiles.flatMap(alertsOf).map(({ alert, labels }) => [alert, labels['layer'] ?? '']),
  );
  const rows = [...table.map(({ alert }) => alert), ...Object.keys(elsewhere)];
  inStep({
    have: new Set(rows),
    want: layers.keys(),
    missing: (name) =>
      `${name}: add a row to alerts/states/${layers.get(name)}.ts: what it is in each state of its inputs`,
    needless: (name) => `${name}: no such alert, take its rows out of alerts/states/`,
  });
});

test('every exception is about a state that is played', () => {
  for (const row of table) {
    const names = stateNames(row);
    assert.ok(
      names.every((name) => /^[\w ,:-]+$/.test(name)),
      'a name is part of a matcher',
    );
    for (const name of Object.keys(row.except ?? {})) assert.ok(names.includes(name), name);
  }
});

for (const { label, promtool } of allTools()) {
  for (const [name, rows] of grouped(table)) {
    const [{ file, step = 2 } = { file: '' }] = rows;
    test(`${name}: each alert in each state of its inputs (${label})`, () => {
      const { code, text } = runTests(promtool, {
        rule_files: [file],
        evaluation_interval: `${step}s`,
        tests: [playOf(rows)],
      });
      assert.equal(code, 0, text);
    });
  }
}
