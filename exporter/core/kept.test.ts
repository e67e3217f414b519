import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byLabel,
  type Collector,
  counter,
  type Family,
  gauge,
  incomplete,
  isIncomplete,
  single,
} from './collector.ts';
import { keepingSeries } from './kept.ts';

const events = counter({ name: 'events_total', help: 'Events.', labels: ['kind'] });
const size = gauge({ name: 'size_bytes', help: 'Size.' });
const whole = (count: number): Family[] => [byLabel(events, { a: count, b: 2 }), single(size, 9)];

const plain = (families: readonly Family[]) =>
  Object.fromEntries(
    families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => [
        [metric.name, ...Object.values(labels)].join(' '),
        value,
      ]),
    ),
  );

/** A collector that answers in turn, and what comes of it: its failure, and all its values. */
function sequence(...answers: readonly (readonly Family[] | Error)[]) {
  const left = [...answers];
  const collector: Collector = {
    name: 'x',
    metrics: [events, size],
    async collect() {
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
  };
  const kept = keepingSeries(collector);
  return async () => {
    try {
      return [undefined, plain(await kept.collect(AbortSignal.timeout(1000)))];
    } catch (error) {
      assert.ok(error instanceof Error && isIncomplete(error));
      return [error.message, plain(error.families)];
    }
  };
}

const values = (a: number, bytes: number) => ({
  'events_total a': a,
  'events_total b': 2,
  size_bytes: bytes,
});

test('kept: a failure keeps counters and makes gauges NaN, for as long as it lasts', async () => {
  const next = sequence(whole(1), new Error('broken'), new Error('still'), whole(5));
  assert.deepEqual(await next(), [undefined, values(1, 9)]);
  assert.deepEqual(await next(), ['broken', values(1, NaN)]);
  assert.deepEqual(await next(), ['still', values(1, NaN)]);
  assert.deepEqual(await next(), [undefined, values(5, 9)]);
});

test('kept: before the first success there is nothing to keep', async () => {
  const next = sequence(new Error('broken'), [], whole(1));
  assert.deepEqual(await next(), ['broken', {}]);
  assert.deepEqual(await next(), [undefined, {}]);
  assert.deepEqual(await next(), [undefined, values(1, 9)]);
});

test('kept: of an incomplete answer the missing part is kept', async () => {
  const next = sequence(whole(1), incomplete('a part', [byLabel(events, { a: 3 })]), whole(4));
  await next();
  assert.deepEqual(await next(), ['a part', values(3, NaN)]);
  assert.deepEqual(await next(), [undefined, values(4, 9)]);
});

test('kept: an answer that lacks what was there is a failure that names it', async () => {
  const next = sequence(whole(1), [byLabel(events, { a: 3 })], [], [single(size, 1)]);
  await next();
  assert.deepEqual(await next(), [
    'events_total, size_bytes cannot be read any more',
    values(3, NaN),
  ]);
  assert.deepEqual(await next(), [
    'events_total, size_bytes cannot be read any more',
    values(3, NaN),
  ]);
  assert.deepEqual(await next(), ['events_total cannot be read any more', values(3, 1)]);
});

test('kept: an answer like the last is handed on as it is', async () => {
  const families = whole(1);
  const collector: Collector = { name: 'x', metrics: [], collect: async () => families };
  const kept = keepingSeries(collector);
  assert.equal(await kept.collect(AbortSignal.timeout(1000)), families);
  assert.equal(await kept.collect(AbortSignal.timeout(1000)), families);
});
