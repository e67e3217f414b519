import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertsOf, ruleFiles, runTests } from '../testing/rule-files.ts';
import { allTools } from '../../tools/rig/prometheus-tools.ts';
import { before, playOf, type Row, stateNames } from './play.ts';
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

/** `host="ALERT number state"` of every sample in a line of promtool's. */
const hostsIn = (line: string) =>
  [...line.matchAll(/host="(\w+) \d+ ([^"]*)"/g)].map(
    ([, alert = '', state = '']) => `${alert} in the state "${state}"`,
  );

/** What promtool says of a play, by alert and state; undefined where it says something else. */
function wrongStates(text: string, step: number): string | undefined {
  const failed = [...text.matchAll(/time: (\w+),\s+exp: ?(.*)\s+got: ?(.*)/g)];
  const lines = failed.flatMap(([, time = '', exp = '', got = '']) => {
    const [wanted, found] = [hostsIn(exp), hostsIn(got)];
    const at = `${time} after the start (the trouble begins after ${before * step} s)`;
    const quiet = wanted.filter((host) => !found.includes(host));
    const firing = found.filter((host) => !wanted.includes(host));
    return quiet
      .map((host) => `${host} is quiet ${at}`)
      .concat(firing.map((host) => `${host} fires ${at}`));
  });
  if (lines.length === 0) return undefined;
  const todo =
    'Mend the rule, or its row in alerts/states/: "except" takes a state and why; play.ts says what each state is.';
  return `${lines.join('\n')}\n${todo}`;
}

test('what promtool says of a play is told by alert and state', () => {
  const said = `expr: "count", time: 38m,
          exp: {host="A 1 new"} 1E+00, {host="A 1 one nan"} 1E+00
          got: {host="A 1 new"} 1E+00, {host="A 1 limit"} 1E+00`;
  const at = '38m after the start (the trouble begins after 90 s)';
  const told = wrongStates(said, 2)?.split('\n').slice(0, 2);
  assert.deepEqual(told, [
    `A in the state "one nan" is quiet ${at}`,
    `A in the state "limit" fires ${at}`,
  ]);
  assert.equal(wrongStates('parse error', 2), undefined);
});

for (const { label, promtool } of allTools()) {
  for (const [name, rows] of grouped(table)) {
    const [{ file, step = 2 } = { file: '' }] = rows;
    test(`${name}: each alert in each state of its inputs (${label})`, () => {
      const { code, text } = runTests(
        { program: promtool },
        {
          rule_files: [file],
          evaluation_interval: `${step}s`,
          tests: [playOf(rows)],
        },
      );
      assert.ok(code === 0, wrongStates(text, step) ?? text);
    });
  }
}
