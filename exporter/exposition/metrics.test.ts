import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byLabel,
  counter,
  type Family,
  gauge,
  histogram,
  oneHot,
  single,
} from '../core/collector.ts';
import { createRenderer, type Format } from './metrics.ts';

const depth = gauge({ name: 'depth', help: 'How deep, from the test.', labels: ['queue'] });
const seen = counter({ name: 'seen_total', help: 'How many, from the test.' });
const ping = histogram({ name: 'ping_seconds', help: 'How slow.', buckets: [0.05, 1] });

const render = (families: readonly Family[], format: Format) => createRenderer(format)(families);

test('render: label values with quotes, backslashes, newlines, braces and commas are escaped', async () => {
  const text = await render([byLabel(depth, { 'a"b\\c\nd{},:': 1 })], 'text');
  assert.equal(
    text,
    '# HELP depth How deep, from the test.\n# TYPE depth gauge\ndepth{queue="a\\"b\\\\c\\nd{},:"} 1\n',
  );
});

test('render: label values that hold separators stay two series', async () => {
  const text = await render([byLabel(depth, { 'a,b:c': 1, 'a,b': 2 })], 'text');
  assert.match(text, /depth\{queue="a,b:c"\} 1\ndepth\{queue="a,b"\} 2\n/);
});

test('render: NaN and infinities are written as the format spells them', async () => {
  const values = byLabel(depth, { a: Number.NaN, b: Infinity, c: -Infinity });
  assert.match(
    await render([values], 'text'),
    /queue="a"\} NaN\ndepth\{queue="b"\} \+Inf\ndepth\{queue="c"\} -Inf\n$/,
  );
});

test('render: a family without samples is left out, never a 0', async () => {
  assert.doesNotMatch(await render([{ metric: seen, samples: [] }], 'text'), /seen/);
});

test('render: histogram buckets accumulate and their bounds have a decimal', async () => {
  const text = await render([single(ping, { counts: [2, 3, 1], sum: 4.5 })], 'text');
  assert.deepEqual(text.trim().split('\n').slice(2), [
    'ping_seconds_bucket{le="0.05"} 2',
    'ping_seconds_bucket{le="1.0"} 5',
    'ping_seconds_bucket{le="+Inf"} 6',
    'ping_seconds_sum 4.5',
    'ping_seconds_count 6',
  ]);
});

test('render: a histogram with the wrong number of counts fails loudly', async () => {
  await assert.rejects(
    render([single(ping, { counts: [1], sum: 1 })], 'text'),
    /ping_seconds: 1 bucket counts, expected 3/,
  );
});

test('render: OpenMetrics names the counter without _total and its sample with it, twice the same', async () => {
  const families: Family[] = [single(seen, 7)];
  const first = await render(families, 'openmetrics');
  assert.equal(
    first,
    '# HELP seen How many, from the test.\n# TYPE seen counter\nseen_total 7\n# EOF\n',
  );
  assert.equal(await render(families, 'openmetrics'), first);
  assert.match(await render(families, 'text'), /^seen_total 7$/m);
});

test('render: what changed is rendered anew, what did not change is the same text', async () => {
  const rendered = createRenderer('text');
  const waited = { counts: [0, 1, 0], sum: 0.5 };
  const before = [byLabel(depth, { a: 1, b: 2 }), single(seen, 7), single(ping, waited)];
  const first = await rendered(before);
  assert.equal(
    await rendered(
      before.map(({ metric, samples }) => ({ metric, samples: structuredClone(samples) })),
    ),
    first,
  );
  for (const [change, expected] of [
    [byLabel(depth, { a: 1, b: 3 }), 'depth{queue="b"} 3'],
    [byLabel(depth, { a: 1, c: 3 }), 'depth{queue="c"} 3'],
    [byLabel(depth, { a: NaN }), 'depth{queue="a"} NaN'],
    [byLabel(depth, { a: NaN, b: 1 }), 'depth{queue="b"} 1'],
    [single(seen, -0), 'seen_total 0'],
    [single(ping, { ...waited, sum: 0.75 }), 'ping_seconds_sum 0.75'],
    [single(ping, { counts: [1, 0, 0], sum: 0.75 }), 'ping_seconds_bucket{le="0.05"} 1'],
  ] as const) {
    const text = await rendered([change]);
    assert.equal(text, await render([change], 'text'));
    assert.ok(text.split('\n').includes(expected), text);
  }
  assert.equal(await rendered(before), first);
});

test('render: a metric that two collectors publish fails loudly', async () => {
  await assert.rejects(render([single(seen, 1), single(seen, 1)], 'text'), /twice: seen_total/);
});

test('render: two renderings at once of one family do not mix', async () => {
  const rendered = createRenderer('text');
  const texts = await Promise.all([1, 2, 3].map((value) => rendered([single(seen, value)])));
  assert.deepEqual(
    texts.map((text) => text.split('\n')[2]),
    ['seen_total 1', 'seen_total 2', 'seen_total 3'],
  );
});

test('render: a gauge named _total is served in every format, or its pages find nothing', async () => {
  const paused = gauge({ name: 'asynq_queue_paused_total', help: 'Paused.' });
  for (const format of ['text', 'openmetrics'] as const) {
    const text = await render([single(paused, 0)], format);
    assert.match(text, /^# TYPE asynq_queue_paused_total gauge\nasynq_queue_paused_total 0$/m);
  }
});

test('oneHot: exactly one state holds, and an unknown one is refused', () => {
  assert.deepEqual(
    oneHot(depth, ['up', 'frozen'], 'frozen').samples.map(({ value }) => value),
    [0, 1],
  );
  assert.throws(() => oneHot(depth, ['up', 'frozen'], 'gone'), /state gone is none of up frozen/);
});

test('render: only a value is spelled NaN, text that holds the word stays as it is', async () => {
  const strange = { ...depth, help: 'Not a Nan Nan' };
  const text = await render([byLabel(strange, { 'a Nan b': 1, 'x Nan': NaN })], 'text');
  assert.match(text, /^depth\{queue="a Nan b"\} 1$/m);
  assert.match(text, /^depth\{queue="x Nan"\} NaN$/m);
});
