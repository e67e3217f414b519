import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gauge } from '../core/collector.ts';
import { prepareFamilies } from '../asynq/prepare.ts';
import { serve } from '../../tools/rig/app-server.ts';

/** About 2 MB: what 500 queues make. */
const wide = gauge({ name: 'wide', help: 'Wide, from the test.', labels: ['queue'] });
const wideSamples = (value: number) =>
  Array.from({ length: 20_000 }, (_, i) => ({
    labels: { queue: `queue-${i}-${'x'.repeat(60)}` },
    value,
  }));

test('GET /metrics: a crowd that comes while a large answer is made costs a few of them', async (t) => {
  let reads = 0;
  const { get } = await serve(t, [
    {
      name: 'wide',
      metrics: [wide],
      collect: async () => [{ metric: wide, samples: wideSamples(++reads) }],
    },
  ]);
  for (const headers of [
    { 'accept-encoding': 'gzip' },
    {},
    { 'accept-encoding': 'gzip', 'x-prometheus-scrape-timeout-seconds': '1' },
  ]) {
    reads = 0;
    const scrapes = Array.from({ length: 40 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i * 5));
      return get('/metrics', headers);
    });
    const answers = await Promise.all(scrapes);
    for (const { status, headers: got, body } of answers) {
      assert.equal(status, 200);
      const text = (got['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      assert.match(text, /^stealwatch_collector_success\{collector="wide"\} 1$/m);
    }
    t.diagnostic(`${reads} renderings for 40 scrapes`);
    assert.ok(reads <= 20, `${reads} renderings for 40 scrapes`);
  }
});

test('GET /metrics: all who read a large plain page get it, beside some who do not read', async (t) => {
  const prepared = await prepareFamilies([wideSamples(1).slice(0, 150)], ([samples = []]) => [
    { metric: wide, samples: Array.from({ length: 600 }, () => samples).flat() },
  ]);
  const { get, port } = await serve(t, [
    { name: 'wide', metrics: [wide], collect: async () => prepared },
  ]);
  for (let i = 0; i < 20; i += 1) {
    const deaf = connect(port, '127.0.0.1')
      .pause()
      .on('error', () => undefined);
    t.after(() => deaf.destroy());
    deaf.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
  }
  const answers = await Promise.all(Array.from({ length: 40 }, async () => get('/metrics')));
  for (const { status, headers, body } of answers) {
    assert.equal(status, 200);
    assert.ok(body.length > 7e6);
    assert.equal(headers['content-length'], String(body.length));
    assert.match(body.toString('latin1', body.length - 30), /^stealwatch_verdict \d\n$/m);
  }
  const zipped = await get('/metrics', { 'accept-encoding': 'gzip' });
  assert.equal(gunzipSync(zipped.body).length, answers[0]?.body.length);
  assert.equal((await get('/livez')).status, 200);
  const { status, headers, body } = await get('/metrics', {}, 'HEAD');
  assert.deepEqual(
    [status, headers['content-length'], body.length],
    [200, answers[0]?.headers['content-length'], 0],
  );
});
