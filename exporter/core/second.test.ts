import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { columns } from './second.ts';

const words = { mean: 'mean', max: 'highest', sum: 'sum' } as const;

test('columns of the flight recorder: docs/evidence-format.md has each, and how seconds become one row', () => {
  const page = join(import.meta.dirname, '../../docs/evidence-format.md');
  const rows = readFileSync(page, 'utf8').matchAll(
    /^\| (`[a-z0-9_`, ]+`) \| (mean|highest|sum) \|/gm,
  );
  const said = [...rows].flatMap(([, names = '', fold = '']) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, fold] as const),
  );
  const expected = Object.entries(columns).map(([name, fold]) => [name, words[fold]] as const);
  assert.deepEqual(Object.fromEntries(said), Object.fromEntries(expected));
});
