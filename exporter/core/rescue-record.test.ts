import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { createRescueRecorder, noRescues, readRescueRecord } from './rescue-record.ts';

test('rescue record: not there, made, and read by anybody', (t) => {
  const directory = fixtureTree(t, {});
  const path = join(directory, 'run/record.json');
  assert.equal(readRescueRecord(path), undefined);
  const recorder = createRescueRecorder(path);
  recorder.intend(1);
  recorder.intend(0);
  const rescue = { time: 12.5, result: 'released', cpus: [1, 0], text: 'x'.repeat(2000) } as const;
  recorder.done(rescue);
  recorder.done(rescue);
  recorder.watching({ lookedAt: 13 });
  assert.deepEqual(readRescueRecord(path), {
    schema: 1,
    counts: { released: 2, not_released: 0, refused: 0, failed: 0 },
    writes: [
      { sequence: 1, cpu: 1 },
      { sequence: 2, cpu: 0 },
    ],
    rescues: [
      { ...rescue, text: 'x'.repeat(1000) },
      { ...rescue, text: 'x'.repeat(1000) },
    ],
    watch: { lookedAt: 13 },
  });
  assert.equal(statSync(path).mode & 0o777, 0o644);
  assert.deepEqual(readdirSync(join(directory, 'run')), ['record.json']);
});

test('rescue record: bounded, and numbered on where the oldest are gone', (t) => {
  const path = join(fixtureTree(t, {}), 'record.json');
  const recorder = createRescueRecorder(path);
  const writes = Array.from({ length: 511 }, (_, i) => ({ sequence: i + 1, cpu: 0 }));
  writeFileSync(path, JSON.stringify({ ...noRescues, writes }));
  recorder.intend(5);
  recorder.intend(6);
  const kept = readRescueRecord(path)?.writes ?? [];
  assert.deepEqual([kept.length, kept[0]?.sequence, kept.at(-1)?.sequence], [512, 2, 513]);
});

test('rescue record: what is none is refused, and begun anew by who writes', (t) => {
  const path = join(fixtureTree(t, {}), 'record.json');
  const rescue = { time: 1, result: 'released', cpus: [0], text: '' };
  const wrong: readonly unknown[] = [
    null,
    [],
    {},
    { ...noRescues, schema: 2 },
    { ...noRescues, counts: { released: 1 } },
    { ...noRescues, counts: { ...noRescues.counts, failed: -1 } },
    { ...noRescues, counts: { ...noRescues.counts, failed: '1' } },
    { ...noRescues, writes: [{ sequence: 1 }] },
    { ...noRescues, writes: [{ sequence: 1.5, cpu: 0 }] },
    { ...noRescues, rescues: [{ ...rescue, result: 'great' }] },
    { ...noRescues, rescues: [{ ...rescue, text: 'x'.repeat(1001) }] },
    { ...noRescues, rescues: Array.from({ length: 17 }, () => rescue) },
    { ...noRescues, watch: { lookedAt: 'now' } },
    { ...noRescues, watch: null },
  ];
  for (const text of ['', '{', '\0', ...wrong.map((one) => JSON.stringify(one))]) {
    writeFileSync(path, text);
    assert.throws(() => readRescueRecord(path), /is no record of stealwatch rescue/, text);
  }
  createRescueRecorder(path).watching({ lookedAt: 1 });
  assert.deepEqual(readRescueRecord(path), { ...noRescues, watch: { lookedAt: 1 } });
  assert.deepEqual(readRescueRecord(join(path, 'x')), undefined);
});
