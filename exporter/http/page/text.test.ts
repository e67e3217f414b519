import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { overviewOf } from './overview.ts';
import { textOf } from './text.ts';

const text = (report: Report, incidents: readonly IncidentSummary[] = []) =>
  textOf(overviewOf({ reports: [report], version: '1', incidents, wall: 1e9 }));

test('text: whatever others wrote, it stays on its line and within 80 columns', () => {
  const hostile = `\u001b[2J\nBAD   forged${'x'.repeat(300)}\u202e`;
  const check = { name: hostile, critical: true, ok: false, sinceSeconds: 0, ageSeconds: 0 };
  const said = text({
    findings: [{ severity: 'bad', text: hostile }],
    signals: [{ name: hostile, supported: false, reason: hostile }],
    checks: [{ ...check, state: hostile, reason: hostile }],
  });
  const lines = said.split('\n');
  assert.ok(lines.every((line) => line.length <= 80 && !/\p{Cc}|\u202e/u.test(line)));
  assert.equal(lines.filter((line) => line.startsWith('BAD   forged')).length, 0);
});

test('text: of many incidents the newest, and how many more there are', () => {
  const one = { id: 'x', seconds: 10, open: false, met: ['x'], cause: { name: 'x', text: 'X.' } };
  const began = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...one, began: i * 60 }));
  const shown = (count: number) => text({}, began(count)).match(/^1970-.*|^and .*/gm);
  assert.deepEqual(shown(3)?.length, 3);
  assert.deepEqual(shown(5), [
    '1970-01-01 00:04:00 UTC, 10 s',
    '1970-01-01 00:03:00 UTC, 10 s',
    '1970-01-01 00:02:00 UTC, 10 s',
    'and 2 before, which a browser shows at /',
  ]);
});
