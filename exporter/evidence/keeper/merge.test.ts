import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvidenceIncident, Rows } from '../format.ts';
import { merged } from './merge.ts';

const columns = ['time', 'redis_state'];
const of = (parts: readonly Rows[], more: Partial<EvidenceIncident> = {}): EvidenceIncident => ({
  id: 'b-1',
  formerIds: [],
  state: 'open',
  onset: { earliest: 100, latest: 110 },
  openedBy: [{ time: 111, rule: 'hung_task' }],
  cause: { name: 'unknown', text: 'later' },
  kernel: [],
  tasks: [],
  samples: { columns, parts },
  ...more,
});

const seconds = (from: number, to: number, value: number): Rows => ({
  step: 1,
  rows: Array.from({ length: to - from + 1 }, (_, i) => [from + i, value]),
});

const timesOf = ({ samples }: EvidenceIncident) =>
  samples.parts.map(({ step, rows }) => [step, rows[0]?.[0], rows.at(-1)?.[0]]);

test('merge: an exporter that started again has lost its samples, and we have not', () => {
  const both = merged(of([seconds(50, 150, 2)]), of([seconds(200, 220, 0)]));
  assert.deepEqual(timesOf(both), [[1, 50, 220]]);
  assert.equal(both.samples.parts[0]?.rows.length, 101 + 21);
});

test('merge: what was thinned there is as fine here as it was; what was not fetched is coarse', () => {
  const coarse = {
    step: 10,
    rows: [
      [60, 1],
      [70, 1],
      [80, 1],
    ],
  };
  const both = merged(of([seconds(51, 65, 2)]), of([coarse, seconds(81, 90, 2)]));
  assert.deepEqual(timesOf(both), [
    [1, 51, 60],
    [10, 70, 80],
    [1, 81, 90],
  ]);
});

test('merge: the later answer rules where both know the same second; twice is once', () => {
  const both = merged(of([seconds(50, 60, 1)]), of([seconds(55, 65, 2)]));
  assert.deepEqual(timesOf(both), [[1, 50, 65]]);
  assert.equal(both.samples.parts[0]?.rows.find(([time]) => time === 58)?.[1], 2);
  assert.deepEqual(merged(both, both), both);
});

test('merge: the minute under way is not kept beside the whole one', () => {
  const part = of([seconds(50, 59, 2), { step: 30, rows: [[90, 2]] }]);
  const whole = of([seconds(50, 59, 2), { step: 60, rows: [[120, 2]] }]);
  assert.deepEqual(timesOf(merged(part, whole)), [
    [1, 50, 59],
    [60, 120, 120],
  ]);
});

test('merge: columns of another version are matched by name', () => {
  const other = {
    samples: { columns: ['time', 'old', 'redis_state'], parts: [{ step: 1, rows: [[1, 9, 2]] }] },
  };
  const both = merged(of([], other), of([seconds(5, 5, 0)]));
  assert.deepEqual(both.samples.parts[0]?.rows, [
    [1, 2],
    [5, 0],
  ]);
});

test('merge: the onset, the cause, the names and the words of the kernel that are known stay known', () => {
  const excerpt = {
    kind: 'hung_task',
    time: 230,
    last: 230,
    count: 1,
    hash: 'ab',
    lines: ['head', ' frame+0x1/0x2'],
  };
  const earlier = of([], {
    id: 'b-99',
    formerIds: ['b-98'],
    onset: { earliest: 99, latest: 100 },
    openedBy: [{ time: 101, rule: 'redis_frozen' }],
    cause: { name: 'page_in_stuck', text: 'earlier' },
    kernel: [excerpt],
    redis: { states: [{ time: 101, state: 'frozen' }], reason: 'no answer' },
    tasks: [{ comm: 'x', state: 'D', wchan: '', reason: 'disk', since: 100, last: 150 }],
  });
  const later = of([], {
    kernel: [{ ...excerpt, count: 3, last: 470, lines: ['head'] }],
    redis: { states: [{ time: 301, state: 'frozen' }] },
  });
  const both = merged(earlier, later);
  assert.deepEqual(both.onset, earlier.onset);
  assert.deepEqual(both.cause, earlier.cause);
  assert.deepEqual(both.formerIds, ['b-98', 'b-99']);
  assert.deepEqual(both.openedBy, [...earlier.openedBy, ...later.openedBy]);
  assert.deepEqual(both.kernel, [{ ...excerpt, count: 3, last: 470 }]);
  assert.deepEqual(both.redis, earlier.redis);
  assert.deepEqual(both.tasks, earlier.tasks);
});

test('merge: when anything was ill last is the later of the two, where anybody says it', () => {
  assert.equal(merged(of([], { last: 300 }), of([], { last: 200 })).last, 300);
  assert.equal(merged(of([]), of([], { last: 200 })).last, 200);
  assert.equal('last' in merged(of([]), of([])), false);
});

const rescue = (time: number) => ({ time, result: 'released', cpus: [0], text: 'It woke.' });

test('merge: rescues that were known stay known, each once', () => {
  const both = merged(
    of([], { rescues: [rescue(120), rescue(130)] }),
    of([], { rescues: [rescue(130), rescue(140)] }),
  );
  assert.deepEqual(both.rescues, [120, 130, 140].map(rescue));
  assert.deepEqual(merged(of([], { rescues: [rescue(1)] }), of([])).rescues, [rescue(1)]);
  assert.equal('rescues' in merged(of([]), of([])), false);
});
