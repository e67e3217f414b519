import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, columnNames, type Second } from '../core/second.ts';
import { createTable, type Table } from './table.ts';

const rowOf = (second: Second) => columnNames.map((name) => second[name] ?? NaN);
const at = (name: Column) => columnNames.indexOf(name) + 1;

interface Row {
  readonly step: number;
  readonly values: readonly (number | null)[];
}

const rowsOf = (table: Table, owner: number): Row[] =>
  [...table.texts(owner)].map(({ step, text }) => ({
    step,
    values: JSON.parse(text) as (number | null)[],
  }));

const bytesOf = (table: Table, owners: readonly number[]) =>
  owners
    .flatMap((owner) => [...table.texts(owner)])
    .reduce((sum, { text }) => sum + text.length + 1, 0);

test('evidence table: rows come back as they were, each to its incident', () => {
  const table = createTable(100_000);
  table.append(1, 10, 1, rowOf({ cpu_own: 0.25, threads_in_d: 2 }));
  table.append(2, 500.1234, 1, rowOf({ redis_state: 2 }));
  const [row] = rowsOf(table, 1);
  assert.deepEqual([row?.values[0], row?.values[at('cpu_own')]], [10, 0.25]);
  assert.equal(row?.values[at('redis_state')], null);
  assert.equal(row?.values.length, columnNames.length + 1);
  assert.deepEqual(
    rowsOf(table, 2).map(({ step, values }) => [step, values[0], values[at('redis_state')]]),
    [[1, 500.123, 2]],
  );
  table.drop(1);
  assert.deepEqual(rowsOf(table, 1), []);
  assert.equal(rowsOf(table, 2).length, 1);
  assert.equal(table.bytes(), bytesOf(table, [2]));
});

test('evidence table: what is full is thinned where it is oldest, and the newest stays', () => {
  const most = 64_000;
  const table = createTable(most);
  for (let second = 1; second <= 3600; second += 1) {
    table.append(1, second, 1, rowOf({ oldest_wait_seconds: second, cpu_own: second % 2 }));
    assert.ok(table.bytes() <= most + 200);
  }
  const rows = rowsOf(table, 1);
  assert.equal(table.bytes(), bytesOf(table, [1]));
  const steps = rows.map(({ step }) => step);
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => b - a),
    'coarse ones first',
  );
  assert.ok(steps.filter((step) => step === 1).length >= 300);
  // Nothing is lost of what the rows speak of, but its detail.
  const [first] = rows;
  assert.equal(first?.step, 10);
  assert.equal(first.values[0], 10);
  assert.equal(first.values[at('oldest_wait_seconds')], 10);
  assert.equal(first.values[at('cpu_own')], 0.5);
  assert.equal(
    rows.reduce((sum, { step }) => sum + step, 0),
    3600,
  );
  assert.equal(rows.at(-1)?.values[0], 3600);
});

test('evidence table: the oldest incident pays first, and a flood of rows ends nothing', () => {
  const table = createTable(60_000);
  for (let second = 1; second <= 300; second += 1) table.append(1, second, 1, rowOf({}));
  for (let second = 1001; second <= 60_000; second += 1) {
    table.append(2, second, 1, rowOf({ load_1m: 12.345 }));
  }
  assert.ok(rowsOf(table, 1).every(({ step }) => step === 600));
  assert.equal(rowsOf(table, 2).at(-1)?.values[0], 60_000);
  assert.ok(table.size() <= 4096);
  assert.equal(table.bytes(), bytesOf(table, [1, 2]));
  assert.ok(table.bytes() <= 60_200);
});

test('evidence table: minutes of days fit, and what is too old goes', () => {
  const table = createTable(60_000);
  for (let minute = 1; minute <= 20_000; minute += 1) {
    table.append(1, minute * 60, 60, rowOf({ stalled_seconds: 1 }));
  }
  const rows = rowsOf(table, 1);
  assert.ok(table.bytes() <= 60_200);
  assert.equal(rows.at(-1)?.values[0], 1_200_000);
  assert.equal(rows[1]?.step, 600);
  assert.equal(rows[1].values[at('stalled_seconds')], 10);
});
