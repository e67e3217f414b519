import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { formatOf, wantsHtml } from './page/accept.ts';
import { type Collector, type Family, single } from '../core/collector.ts';
import { healthy, hanging, level, serve, total } from '../../tools/rig/app-server.ts';
import { stopwatch } from '../../tools/rig/waited.ts';

test('GET /metrics: text by default, OpenMetrics when asked for', async (t) => {
  const { get } = await serve(t, [healthy]);
  const text = await get('/metrics');
  assert.equal(text.status, 200);
  assert.equal(text.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(text.body.toString(), /^things_total 3$/m);
  assert.match(text.body.toString(), /^stealwatch_collector_success\{collector="healthy"\} 1$/m);
  const open = await get('/metrics', { accept: 'application/openmetrics-text;version=1.0.0' });
  assert.match(open.headers['content-type'] ?? '', /^application\/openmetrics-text; version=1.0.0/);
  assert.match(open.body.toString(), /# TYPE things counter\nthings_total 3\n/);
  assert.ok(open.body.toString().endsWith('# EOF\n'));
});

test('wantsHtml: browsers, and nobody who does not name it', () => {
  const firefox = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
  assert.equal(wantsHtml(firefox), true);
  assert.equal(wantsHtml('TEXT/HTML;q=0.5, text/plain;q=0.5'), true);
  for (const accept of ['', '*/*', 'text/*', 'text/plain', 'text/html;q=0', 'text/html;q=x']) {
    assert.equal(wantsHtml(accept), false, accept);
  }
  assert.equal(wantsHtml('text/html;q=0.4,text/plain;q=0.5'), false);
});

test('formatOf: what Prometheus 2 and 3, browsers and curl send', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';
  assert.equal(formatOf(prometheus2), 'openmetrics');
  assert.equal(formatOf(prometheus3), 'openmetrics');
  assert.equal(formatOf('text/html,*/*;q=0.8'), 'text');
  assert.equal(formatOf('text/plain, application/openmetrics-text;q=0.2'), 'text');
  assert.equal(formatOf('*/*'), 'text');
  assert.equal(formatOf(''), 'text');
  assert.equal(formatOf(';;,q=,application/openmetrics-text;q=x'), 'text');
});

test('GET /metrics: gzip when asked for, and the same text', async (t) => {
  const { get } = await serve(t, [healthy]);
  const zipped = await get('/metrics', { 'accept-encoding': 'gzip' });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.match(gunzipSync(zipped.body).toString(), /^things_total 3$/m);
  assert.equal((await get('/metrics')).headers['content-encoding'], undefined);
});

test('GET /metrics: a hanging source costs its deadline once, then nothing, and hides no one', async (t) => {
  const { get, changes } = await serve(t, [healthy, hanging]);
  const first = await get('/metrics');
  assert.equal(first.status, 200);
  assert.match(first.body.toString(), /^things_total 3$/m);
  assert.match(first.body.toString(), /^stealwatch_collector_success\{collector="hanging"\} 0$/m);
  const watch = stopwatch();
  for (let i = 0; i < 10; i++) await get('/metrics');
  watch.within(1500, 'ten more scrapes waited for the hanging source');
  assert.deepEqual(changes, ['hanging: hanging: no answer within 2 s'], 'logged once, on change');
});

test("GET /metrics: each scrape leaves at its own time, and nobody's haste fails another's source", async (t) => {
  const answers: ((families: readonly Family[]) => void)[] = [];
  const slow: Collector = {
    name: 'slow',
    metrics: [total, level],
    collect: async () => new Promise((resolve) => answers.push(resolve)),
  };
  const { get, changes } = await serve(t, [slow]);
  const hasty = async () => {
    const watch = stopwatch();
    const { body } = await get('/metrics', { 'x-prometheus-scrape-timeout-seconds': '0.01' });
    watch.within(1000, 'leaves at its own time');
    return body.toString();
  };
  const patient = get('/metrics', { 'x-prometheus-scrape-timeout-seconds': '10' });
  assert.match(await hasty(), /^stealwatch_collector_success\{collector="slow"\} 0$/m);
  answers[0]?.([single(level, 5), single(total, 7)]);
  const complete = (await patient).body.toString();
  assert.match(complete, /^stealwatch_collector_success\{collector="slow"\} 1$/m);
  assert.match(complete, /^level 5$/m);

  const early = await hasty();
  assert.match(early, /^level NaN$/m, 'a gauge that cannot be read now stays');
  assert.match(early, /^things_total 7$/m, 'and so does a counter, at its last value');
  const joining = get('/metrics');
  await hasty();
  assert.equal(answers.length, 2, 'the second call is still under way');
  answers[1]?.([single(level, 6), single(total, 8)]);
  assert.match((await joining).body.toString(), /^level 6$/m);
  assert.deepEqual(changes, [], 'who leaves early tells nothing of the collector');
});

test('GET /metrics: fifty scrapes at once read each source once', async (t) => {
  let reads = 0;
  const { get } = await serve(t, [
    {
      ...healthy,
      async collect() {
        reads++;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return [single(level, reads)];
      },
    },
  ]);
  const answers = await Promise.all(Array.from({ length: 50 }, () => get('/metrics')));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(reads < 50, `${reads} reads for 50 scrapes`);
});
