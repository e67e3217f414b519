import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Check, Collector, Finding } from '../core/collector.ts';
import { hanging, healthy, serve, serverOf } from '../../tools/rig/app-server.ts';
import { verdictOf } from '../core/verdict.ts';

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
  assert.match(frozen.body.toString(), /\}\n$/, 'whose prompt would stand behind it');
  assert.equal(frozen.status, 503);
  assert.deepEqual(JSON.parse(frozen.body.toString()), {
    status: 'failing',
    verdict: verdictOf({}),
    checks: [failing],
    findings: [],
    askedSecondsAgo: {},
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
  const page = (await get('/', { accept: 'text/html' })).body.toString();
  assert.match(page, /<h1 class="bad">.*&lt;script&gt;alert\(&quot;x&quot;\)/);
  assert.doesNotMatch(page, /<script/);
  assert.match(page, /<li class="warning">.*Save points are on\./);
  assert.match(page, /<td>hung_task_log<\/td><td>needs CAP_SYSLOG<\/td>/);
  assert.doesNotMatch(page, /<td>steal<\/td>/);
  assert.match(page, /highest in 5 s: 25 %, in 15 s: 25 %/);
  assert.doesNotMatch(page, /No Asynq here/);
  assert.equal(page.match(/<path d="(.*?)"/)?.[1]?.match(/M/g)?.length, 2, 'two runs, one gap');
});

test('GET /: text but for a browser, zipped or not, with the state of all of it in a header', async (t) => {
  let findings: readonly Finding[] = [];
  const { get } = await serve(t, [
    { ...healthy, report: () => ({ findings, evidence: { stealOfDemand: 0 } }) },
  ]);
  const state = async () => (await get('/')).headers['stealwatch-state'];
  const plain = await get('/', { accept: '*/*' });
  assert.equal(plain.headers['content-type'], 'text/plain; charset=utf-8');
  assert.match(plain.body.toString(), /^ok    Your host is quiet/);
  assert.equal(plain.headers['vary'], 'Accept, Accept-Encoding');
  assert.equal(plain.headers['cache-control'], 'no-store');
  const zipped = await get('/', { accept: '*/*', 'accept-encoding': 'gzip' });
  assert.deepEqual(gunzipSync(zipped.body), plain.body);
  const html = await get('/', { accept: 'text/html,*/*;q=0.8' });
  assert.equal(html.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(String(html.headers['content-security-policy']), /^default-src 'none'/);
  assert.match(html.body.toString(), /^<!doctype html>/);
  const unnamed = await get('/');
  assert.equal(unnamed.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(await state(), 'good');
  findings = [{ severity: 'warning', text: 'Save points are on.' }];
  assert.equal(await state(), 'warning');
  findings = [{ severity: 'bad', text: 'Redis is down.' }];
  assert.equal(await state(), 'bad');
  findings = [{ severity: 'warning', text: 'A task hung, 20 min ago.', past: true }];
  assert.equal(await state(), 'good');
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
  for (const path of ['/livez', '/healthz', '/-/healthy']) {
    assert.equal((await get(path)).body.toString(), 'ok\n', path);
  }
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
