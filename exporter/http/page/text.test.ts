import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { overviewOf } from './overview.ts';
import { textOf, textWidths, widthFor } from './text.ts';

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

const flowing = (text: string) => text.replaceAll(/\s+/g, ' ');

test('text: a narrow terminal gets lines that it need not break, and commands whole', () => {
  const long = 'Redis at redis://127.0.0.1:6379 accepts connections and has not answered for 41 s.';
  const check = { name: 'redis', critical: true, ok: false, state: 'frozen', reason: long };
  const one = { id: 'x', began: 0, seconds: 94, open: true, quietSeconds: 60, met: ['x'] };
  const overview = overviewOf({
    reports: [
      {
        checks: [{ ...check, sinceSeconds: 41, ageSeconds: 0 }],
        findings: [{ severity: 'bad', text: long }],
        signals: [{ name: 'steal', supported: false, reason: long }],
      },
    ],
    version: '1',
    incidents: Array.from({ length: 5 }, () => ({ ...one, cause: { name: 'x', text: long } })),
    wall: 0,
  });
  for (const width of textWidths) {
    const lines = textOf(overview, width).split('\n');
    // The last says how it ends, for whoever reads it by a program.
    assert.ok(
      lines.slice(0, -2).every((line) => line.length <= width),
      String(width),
    );
    assert.ok(lines.includes('      stealwatch rescue'));
    assert.equal(flowing(lines.join(' ')), flowing(textOf(overview)), 'nothing is lost');
  }
  assert.deepEqual(
    [0, 39, 40, 59, 60, 79, 80, 9999].map(widthFor),
    [40, 40, 40, 40, 60, 60, 80, 80],
  );
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
