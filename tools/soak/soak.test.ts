import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage } from '../rig/exposition.ts';
import { continuity } from './continuity.ts';
import { growthOf } from './growth.ts';

const page = (text: string) => readPage(text);

test('soak: a series that goes and a counter that goes back are told, a new one and a gauge are not', () => {
  const read = continuity();
  assert.deepEqual(
    read(page('a_total{x="1"} 5\ng 3\nstealwatch_blocked_process_seconds{p="1"} 1\n')),
    [],
  );
  assert.deepEqual(read(page('a_total{x="1"} 4\ng 2\nnew 1\n')), [
    'a_total{x="1"} went back from 5 to 4',
  ]);
  assert.deepEqual(read(page('a_total{x="1"} 4\nnew 1\n')), ['g is gone']);
});

test('soak: Redis may be restarted, and two gauges are called _total', () => {
  const read = continuity();
  read(page('redis_commands_total{cmd="get"} 9\nasynq_queue_paused_total{queue="a"} 1\n'));
  assert.deepEqual(
    read(page('redis_commands_total{cmd="get"} 1\nasynq_queue_paused_total{queue="a"} 0\n')),
    [],
  );
});

test('soak: growth is what the last quarter has more than the second, by their medians', () => {
  const flat = [9, 5, 5, 5, 5, 100, 5, 5, 5, 5, 5, 5];
  assert.equal(growthOf(flat), 0);
  assert.equal(growthOf(flat.map((value, i) => value + i)), 6);
  assert.ok(Number.isNaN(growthOf([1, 2, 3])));
});
