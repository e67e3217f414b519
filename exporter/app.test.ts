import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createHttpServer, formatOf } from './app.ts';
import { systemClock } from './clock.ts';
import { type Check, type Collector, counter, type Family, gauge, single } from './collector.ts';
import { connectionLimits } from './open-files.ts';
import { createRequestCounter } from './requests.ts';
import { createScraper } from './scrape.ts';
import { createTargets } from './targets.ts';
import { verdictOf } from './verdict.ts';

const total = counter({ name: 'things_total', help: 'Things, from the test.' });
const level = gauge({ name: 'level', help: 'Level, from the test.' });

const healthy: Collector = {
  name: 'healthy',
  metrics: [total, level],
  collect: async () => [single(total, 3), single(level, 1)],
};

/** A source that never answers. */
const hanging: Collector = {
  name: 'hanging',
  metrics: [],
  collect: () => new Promise(() => undefined),
};

function serverOf(collectors: readonly Collector[]) {
  const changes: string[] = [];
  const requests = createRequestCounter();
  const { server } = createHttpServer({
    clock: systemClock,
    collectors,
    scraper: createScraper(collectors, systemClock, {
      collectorChanged: (name, error) => changes.push(`${name}: ${error?.message ?? 'works'}`),
    }),
    targets: createTargets([], systemClock),
    requests,
    limits: connectionLimits,
    version: 'test',
    requestFailed: (path, error) => changes.push(`${path}: ${String(error)}`),
  });
  return { server, requests, changes };
}

async function serve(t: TestContext, collectors: readonly Collector[]) {
  const { server, requests, changes } = serverOf(collectors);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;

  async function get(path: string, headers: OutgoingHttpHeaders = {}, method = 'GET') {
    const sent = request({ host: '127.0.0.1', port, path, headers, method });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
  }
  return { get, requests, changes };
}

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
  const began = performance.now();
  for (let i = 0; i < 10; i++) await get('/metrics');
  assert.ok(performance.now() - began < 1500, 'ten more scrapes waited for the hanging source');
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
    const began = performance.now();
    const { body } = await get('/metrics', { 'x-prometheus-scrape-timeout-seconds': '0.01' });
    assert.ok(performance.now() - began < 1000, 'leaves at its own time');
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

test('GET /status: 503 as soon as a critical check fails, 200 for a failing one that is not', async (t) => {
  const failing: Check = {
    name: 'redis',
    critical: true,
    ok: false,
    state: 'frozen',
    reason: 'accepts connections and does not answer',
    sinceSeconds: 41,
    ageSeconds: 1,
  };
  let check = failing;
  const { get } = await serve(t, [{ ...healthy, report: () => ({ checks: [check] }) }, hanging]);
  const frozen = await get('/status');
  assert.equal(frozen.status, 503);
  assert.deepEqual(JSON.parse(frozen.body.toString()), {
    status: 'failing',
    verdict: verdictOf({}),
    checks: [failing],
    findings: [],
  });
  check = { ...failing, critical: false };
  assert.equal((await get('/status')).status, 200);
});

test('GET /status: a background clock that stopped is a failing critical check', async (t) => {
  let ageSeconds = 0.4;
  const { get } = await serve(t, [
    { ...healthy, report: () => ({ samplers: [{ name: 'steal', ageSeconds }] }) },
  ]);
  assert.equal((await get('/status')).status, 200);
  ageSeconds = 16;
  const stale = await get('/status');
  assert.equal(stale.status, 503);
  assert.match(stale.body.toString(), /the steal clock has not ticked for 16 s/);
});

test('GET /: the worst finding is the headline, all text is escaped, gaps stay gaps', async (t) => {
  const { get } = await serve(t, [
    {
      ...healthy,
      report: () => ({
        findings: [
          { severity: 'warning', text: 'Save points are on.' },
          { severity: 'bad', text: '<script>alert("x")</script> is blocked.' },
        ],
        signals: [
          { name: 'hung_task_log', supported: false, reason: 'needs CAP_SYSLOG' },
          { name: 'steal', supported: true, reason: 'from /proc/stat' },
        ],
        charts: [
          {
            title: 'Steal',
            unit: 'ratio',
            history: { stepSeconds: 5, points: () => [0.1, null, 0.25] },
          },
          {
            title: 'No Asynq here',
            unit: 'seconds',
            history: { stepSeconds: 5, points: () => [null, null] },
          },
        ],
      }),
    },
  ]);
  const page = (await get('/')).body.toString();
  assert.match(page, /<h1 class="bad">.*&lt;script&gt;alert\(&quot;x&quot;\)/);
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /<li class="warning">.*Save points are on\./);
  assert.match(page, /<td>hung_task_log<\/td><td>needs CAP_SYSLOG<\/td>/);
  assert.doesNotMatch(page, /<td>steal<\/td>/);
  assert.match(page, /now 25 %, highest in 0 min 25 %/);
  assert.doesNotMatch(page, /No Asynq here/);
  assert.equal(page.match(/<path d="(.*?)"/)?.[1]?.match(/M/g)?.length, 2, 'two runs, one gap');
});

test('GET /probe: forged targets are 404 and go nowhere', async (t) => {
  const { get } = await serve(t, [healthy]);
  for (const query of [
    '',
    '?target=',
    '?target=http://127.0.0.1:1/',
    '?target=a&target=b',
    '?target=%00',
  ]) {
    assert.equal((await get(`/probe${query}`)).status, 404, query);
  }
});

test('unknown paths are 404, other methods 405, and neither grows the series', async (t) => {
  const { get, requests } = await serve(t, [healthy]);
  const before = requests.counts().length;
  for (let i = 0; i < 20; i++) assert.equal((await get(`/wp-login-${i}.php`)).status, 404);
  assert.equal((await get('/livez')).body.toString(), 'ok\n');
  assert.equal((await get('/metrics', {}, 'POST')).status, 405);
  // other 404, /livez 200, /metrics 405.
  assert.equal(requests.counts().length, before + 3);
  const other = requests.counts().find(({ path, code }) => path === 'other' && code === '404');
  assert.equal(other?.count, 20);
});

test('headers over 8 KiB are refused, and the next request is served', async (t) => {
  const { get } = await serve(t, [healthy]);
  assert.equal((await get('/metrics', { 'x-long': 'x'.repeat(9000) })).status, 431);
  assert.equal((await get('/metrics')).status, 200);
});

test('the server gives up on headers that do not come, and keeps connections between scrapes', () => {
  const { server } = serverOf([]);
  assert.equal(server.headersTimeout, 5000);
  assert.ok(server.keepAliveTimeout > 60_000, 'a scrape a minute keeps its connection');
});

test('a request that fails by our own fault is 500, shows nothing, and is told with its path', async (t) => {
  const broken: Collector = {
    ...healthy,
    report() {
      throw new Error('secret cause');
    },
  };
  const { get, changes } = await serve(t, [broken]);
  const answer = await get('/status');
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.body.toString(), /secret/);
  assert.deepEqual(changes, ['/status: Error: secret cause']);
});
