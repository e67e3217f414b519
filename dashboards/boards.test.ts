import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { shippedSpec } from '../alerts/slo/shipped.ts';
import { committed, expressions } from './lint/model.ts';
import { interpolate } from '../alerts/testing/promql.ts';

test('the period of the SLOs is written in alerts/slo.yml and nowhere in the boards', () => {
  const sources = ['boards', 'kit'].flatMap((room) =>
    readdirSync(join(import.meta.dirname, room)).map((name) => join(room, name)),
  );
  assert.ok(sources.includes('boards/slo.ts'));
  for (const name of sources) {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8');
    assert.doesNotMatch(text, /\b28d|\b28[- ]day|sum28d/, name);
  }
  const asked = committed()
    .flatMap(expressions)
    .map(({ expr }) => expr);
  const record = `slo:sli_error:ratio_rate${shippedSpec().periodDays}d{`;
  assert.ok(
    asked.some((expr) => expr.includes(record)),
    record,
  );
});

/** promtool refuses what the grammar alone lets pass, for example rate(sum(x)). */
function promtoolCheck(t: { after(fn: () => void): void }, exprs: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'dashboards-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const rules = exprs.map((expr, i) => ({ record: `panel:query:${i}`, expr: interpolate(expr) }));
  const file = join(directory, 'rules.yml');
  writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
  return execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8', stdio: 'pipe' });
}

test('promtool takes every query as a rule', (t) => {
  const queries = committed().flatMap(expressions);
  assert.ok(queries.length > 100, `${queries.length} queries`);
  assert.match(
    promtoolCheck(
      t,
      queries.map(({ expr }) => expr),
    ),
    new RegExp(`SUCCESS: ${queries.length} rules found`),
  );
  assert.throws(() => promtoolCheck(t, ['rate(sum(up)[5m])']), /parse error/);
  assert.throws(() => promtoolCheck(t, ['rate(sum(up))']), /expected type range vector/);
});
