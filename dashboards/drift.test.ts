/** Neither side moves alone: what is asked for exists, what exists is asked for. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { writeFixture } from './incident/fixture.ts';
import type { LabelValues } from './incident/recorder.ts';
import { allRuleExpressions } from './lint/backfill.ts';
import { exported, familyOf, queryable, targetLabels } from './lint/declared.ts';
import { committed, expressions } from './lint/model.ts';
import { publishedValues } from './lint/published.ts';
import { parsePromql } from '../alerts/testing/promql.ts';
import { asynqmonMetricsPage, filledIn, redisDashboard763 } from './lint/public-queries.ts';
import { unused } from './unused.ts';
import { inStep } from '../tools/rig/in-step.ts';

let fixture: LabelValues;
before(() => {
  const directory = mkdtempSync(join(tmpdir(), 'drift-'));
  fixture = writeFixture(join(directory, 'fixture.om'));
  rmSync(directory, { recursive: true });
});

const panels = committed().flatMap(expressions);
const asked = [...panels, ...allRuleExpressions()];

interface Problem {
  readonly where: string;
  readonly text: string;
}

/** What a query asks for that does not exist. */
function strange(
  { where, expr }: { readonly where: string; readonly expr: string },
  known: ReadonlyMap<string, readonly string[]>,
): Problem[] {
  const { selectors, grouping, created } = parsePromql(expr);
  const available = new Set([...targetLabels, ...created]);
  const problems: Problem[] = [];
  for (const { metric, matchers } of selectors) {
    const labels = known.get(familyOf(metric, known));
    if (labels === undefined) {
      problems.push({ where, text: `nothing publishes ${metric || 'a selector without a name'}` });
      continue;
    }
    for (const label of labels) available.add(label);
    for (const { label } of matchers) {
      if (![...labels, ...targetLabels].includes(label)) {
        problems.push({ where, text: `${metric} has no label ${label}` });
      }
    }
  }
  for (const label of grouping) {
    if (!available.has(label))
      problems.push({ where, text: `nothing here has the label ${label}` });
  }
  return problems;
}

test('every metric and label that a panel or a rule asks for exists', async () => {
  const known = await queryable();
  assert.deepEqual(
    asked.flatMap((query) => strange(query, known)),
    [],
  );
});

test('a wrong name is found: the most used dashboard of all asks for node_kernel_hung_tasks', async () => {
  const known = await queryable();
  const found = (expr: string) => strange({ where: '', expr }, known).map(({ text }) => text);
  assert.deepEqual(found('rate(node_kernel_hung_tasks[5m])'), [
    'nothing publishes node_kernel_hung_tasks',
  ]);
  assert.deepEqual(found('redis_up{state="up"}'), ['redis_up has no label state']);
  assert.deepEqual(found('sum by (colour) (redis_up)'), ['nothing here has the label colour']);
});

test('every metric is asked for, or listed with the reason why not', async () => {
  const known = await exported();
  const used = new Set(
    asked.flatMap(({ expr }) =>
      parsePromql(expr).selectors.map(({ metric }) => familyOf(metric, known)),
    ),
  );
  const idle = [...known.keys()].filter((name) => !used.has(name));
  inStep({
    have: Object.keys(unused),
    want: idle,
    missing: (name) =>
      `${name}: show it in a panel or use it in a rule, or write into dashboards/unused.ts why not`,
    needless: (name) =>
      `${name}: take it out of dashboards/unused.ts, it is ${known.has(name) ? 'asked for' : 'not published any more'}`,
  });
});

test('what is listed as there for other pages is asked for by them', async () => {
  const known = await exported();
  const queries = [...redisDashboard763, ...asynqmonMetricsPage].map(filledIn);
  const theirs = new Set(
    queries.flatMap((query) => parsePromql(query).selectors.map(({ metric }) => metric)),
  );
  for (const metric of theirs) assert.ok(known.has(metric), `${metric} is not published`);
});

test('the fixture publishes what the exporter would, under the same labels', async () => {
  const known = await queryable();
  for (const [metric, labels] of fixture) {
    const declared = known.get(familyOf(metric, known));
    assert.ok(declared, `the fixture invents ${metric}`);
    const alsoBucket = metric.endsWith('_bucket') ? [] : ['le'];
    assert.deepEqual(
      [...labels.keys()].sort(),
      declared
        .filter((label) => (metric === 'ALERTS' ? labels.has(label) : !alsoBucket.includes(label)))
        .sort(),
      metric,
    );
  }
});

/** Labels whose values are a set that the exporter knows; the others name what somebody runs. */
const closed = new Set(
  'age cause code collector event kind mode path reason resource result sampler signal state verdict'.split(
    ' ',
  ),
);

/** Of collectors that look after other machines, which nobody has on the afternoon. */
const elsewhere = new Set(['evidence']);

test('a closed label has in the fixture the values that the exporter gives it, and all of them', async (t) => {
  const published = await publishedValues(t);
  const compared = new Set<string>();
  for (const [metric, labels] of fixture) {
    for (const [label, values] of labels) {
      const real = published.get(metric)?.get(label);
      if (real === undefined || !closed.has(label)) continue;
      compared.add(`${metric} ${label}`);
      inStep({
        have: values,
        want: [...real].filter((value) => !elsewhere.has(value)),
        missing: (value) =>
          `${metric}{${label}="${value}"} is published: have it in dashboards/incident`,
        needless: (value) => `${metric}{${label}="${value}"} is invented by dashboards/incident`,
      });
    }
  }
  for (const one of [
    'stealwatch_collector_success collector',
    'stealwatch_collector_duration_seconds collector',
    'stealwatch_signal_supported signal',
    'stealwatch_sampler_age_seconds sampler',
    'stealwatch_heartbeats_total result',
    'redis_state state',
  ]) {
    assert.ok(compared.has(one), `${one} was not compared`);
  }
});
