import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSink } from '../../../tools/rig/http-sink.ts';
import { type Prometheus, startPrometheus } from '../../../tools/rig/prometheus.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import type { Facts, Measure } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';

/** Of one afternoon: up to the freeze, frozen, reset. */
const begin = Date.UTC(2026, 9, 14, 12) / 1000;
const froze = begin + 4 * 3600;
const reset = froze + 3600;
const back = reset + 120;
const end = back + 1800;
const step = 15;

type Value = (at: number) => number | undefined;
const always =
  (value: number): Value =>
  () =>
    value;
const counter =
  (perSecond: number): Value =>
  (at) =>
    (at >= back ? at - back : at - begin) * perSecond;
const during =
  (then: number, otherwise: number): Value =>
  (at) =>
    at >= froze && at < reset ? then : otherwise;

const samples: readonly (readonly [name: string, labels: string, value: Value])[] = [
  ['stealwatch_cpu_seconds_total', 'mode="idle"', counter(1.8)],
  ['stealwatch_cpu_seconds_total', 'mode="user"', counter(0.15)],
  ['stealwatch_cpu_seconds_total', 'mode="steal"', counter(0.05)],
  ['stealwatch_cpu_steal_seconds_total', 'cpu="1"', counter(0.05)],
  ['stealwatch_load1', '', during(2.5, 0.5)],
  ['stealwatch_memory_bytes', 'kind="total"', always(8e9)],
  ['stealwatch_memory_bytes', 'kind="available"', always(2e9)],
  ['stealwatch_blocked_tasks', 'reason="host_page_in"', during(2, 0)],
  ['stealwatch_blocked_tasks', 'reason="disk"', always(0)],
  ['stealwatch_async_page_faults_total', '', counter(3.25)],
  ['redis_up', '', during(0, 1)],
  ['redis_unresponsive_seconds', '', (at) => during(at - froze, 0)(at)],
  ['stealwatch_disk_operations_total', 'device="vda",op="read"', counter(2)],
  ['stealwatch_disk_seconds_total', 'device="vda",op="read"', counter(0.01)],
  ['asynq_queue_latency_seconds', 'queue="mails ä"', (at) => during(at - froze, 0)(at)],
  ['stealwatch_boot_time_seconds', '', (at) => (at >= back ? back - 30 : begin - 1e6)],
  [
    'ALERTS',
    'alertname="RedisDown",alertstate="firing",severity="page"',
    (at) => (at >= froze + 60 && at < reset ? 1 : undefined),
  ],
];

/** As Prometheus would have scraped it from one host, and a second one beside it. */
function openMetrics(): string {
  const lines = samples.flatMap(([name, labels, value]) =>
    ['db-1', 'db-2'].flatMap((host) =>
      [...Array((end - begin) / step).keys()].flatMap((index) => {
        const at = begin + index * step;
        const scraped = at < reset || at >= back ? value(at) : undefined;
        const own = host === 'db-2' && name === 'ALERTS' ? undefined : scraped;
        const set = [labels, `host="${host}"`].filter((part) => part !== '').join(',');
        return own === undefined ? [] : [`${name}{${set}} ${own} ${at}`];
      }),
    ),
  );
  return `${lines.join('\n')}\n# EOF\n`;
}

async function started(
  t: Parameters<typeof temporaryRoot>[0],
): Promise<{ server: Prometheus; url: string }> {
  const directory = temporaryRoot(t);
  const file = join(directory, 'data.txt');
  writeFileSync(file, openMetrics());
  const server = await startPrometheus(directory, step);
  t.after(() => server.stop());
  await server.load(file);
  return { server, url: server.url };
}

function read(root: string, more: Partial<GatherOptions>, now = end): Promise<Facts> {
  return gather(
    { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more },
    { env: {}, now: () => now, uid: 0, procfs: createPseudoFs('/nowhere') },
  );
}

const problemsOf = (facts: Facts): string =>
  facts.sources.flatMap(({ problems }) => problems).join('\n');

test('prometheus: what it remembers of one host becomes series, alerts, boots and gaps', async (t) => {
  const { url } = await started(t);
  const root = temporaryRoot(t);
  const facts = await read(root, { prometheus: url, host: 'db-1' });
  const valueAt = (measure: Measure, at: number, of?: string) => {
    const fine = facts.series
      .filter((series) => series.measure === measure && series.of === of)
      .toSorted((one, other) => one.stepSeconds - other.stepSeconds)[0];
    const point = fine?.points.find((one) => one.at >= at);
    return point && Math.round(point.value * 1000) / 1000;
  };
  const frozen = froze + 1800;
  assert.equal(valueAt('cpu_idle', frozen), 0.9);
  assert.equal(valueAt('cpu_own', frozen), 0.075);
  assert.equal(valueAt('steal_of_demand', frozen), 0.25);
  assert.equal(valueAt('cpu_steal', frozen, 'cpu1'), 0.05);
  assert.equal(valueAt('load_1m', frozen), 2.5);
  assert.equal(valueAt('memory_used', frozen), 0.75);
  assert.equal(valueAt('threads_waiting_for_page', frozen), 2);
  assert.equal(valueAt('threads_waiting_for_page', froze - 300), 0);
  assert.equal(valueAt('host_page_ins', frozen), 3.25);
  assert.equal(valueAt('redis_up', frozen), 0);
  assert.equal(valueAt('disk_await_seconds', frozen, 'vda'), 0.005);
  assert.ok((valueAt('queue_latency_seconds', frozen, 'mails ä') ?? 0) >= 1800);
  assert.ok((valueAt('redis_latency_seconds', frozen) ?? 0) >= 1800);
  const [alert] = facts.alerts;
  assert.equal(alert?.name, 'RedisDown');
  assert.ok(Math.abs((alert?.from ?? 0) - froze - 60) <= 2 * step, 'when it began');
  assert.ok(Math.abs((alert?.to ?? 0) - reset) <= 2 * step, 'when it was over');
  assert.deepEqual(
    facts.boots.map(({ start, end }) => [start.latest, end?.how]),
    [
      [begin - 1e6 + 1, 'unknown'],
      [back - 30 + 1, undefined],
    ],
  );
  const gap = facts.gaps[0];
  assert.ok(Math.abs((gap?.from ?? 0) - reset) <= 60 && Math.abs((gap?.to ?? 0) - back) <= 60);
  assert.equal(problemsOf(facts), '');

  const several = await read(root, { prometheus: url });
  assert.match(problemsOf(several), /it knows 2 hosts: name one with --host \(db-1, db-2\)/);
  const unknown = await read(root, { prometheus: url, host: 'db-3"} or vector(1) #' });
  assert.deepEqual(unknown.series, []);
  assert.match(problemsOf(unknown), /it has nothing of db-3/);
});

test('prometheus: what does not answer as one costs itself, and no secret of its URL is told', async (t) => {
  const root = temporaryRoot(t);
  const cases: readonly (readonly [status: number, body: string, said: RegExp])[] = [
    [401, 'no', /it refuses us \(401\): put the user and the password into the URL/],
    [200, '<html>', /it answers 200 and no JSON/],
    [200, 'null', /it answers 200 and no JSON/],
    [
      200,
      '{"status":"success","data":{"result":[{"metric":{"host":"a"}',
      /no JSON: is it a Prometheus, or cut off/,
    ],
    [400, '{"status":"error","error":"bad\\nquery"}', /it says: bad query/],
    [200, '{"status":"success","data":{"result":7}}', /no metrics of stealwatch/],
    [200, `"${'x'.repeat(9e6)}"`, /larger than 8 MB/],
  ];
  for (const [status, body, said] of cases) {
    const sink = await startSink((_, response) => response.writeHead(status).end(body));
    const url = sink.url.replace('//', '//user:hunter2@');
    const facts = await read(root, { prometheus: `${url}/?token=hunter3` });
    await sink.close();
    assert.match(problemsOf(facts), said);
    assert.doesNotMatch(JSON.stringify(facts), /hunter/);
  }
  const facts = await read(root, { prometheus: 'http://127.0.0.1:1' });
  assert.match(problemsOf(facts), /ECONNREFUSED/);
});

test('prometheus: asked about another machine, the logs of this one are left out', async (t) => {
  const { url } = await started(t);
  const root = temporaryRoot(t);
  placed(
    root,
    'stat',
    `cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nbtime ${begin + 50_000_000}\nprocs_blocked 0\n`,
  );
  const watcher = { env: {}, now: () => end, uid: 0, procfs: createPseudoFs(root) };
  const options = { root: '/', lastBoot: false, kernLog: [], sysstat: [], redisLog: [] };
  const facts = await gather({ ...options, prometheus: url, host: 'db-1' }, watcher);
  assert.deepEqual([...new Set(facts.sources.map(({ kind }) => kind))], ['prometheus']);
  assert.match(JSON.stringify(facts.missing), /another machine than the one that was asked for/);
  assert.deepEqual(facts.machine, { addresses: [] });
});

/** Of each metric one series that has one value all the time. */
const oneValue = (valueOf: (query: string) => string) =>
  startSink(({ url = '' }, response) => {
    const { searchParams } = new URL(url, 'http://x');
    const [query = '', from, to, by] = ['query', 'start', 'end', 'step'].map(
      (name) => searchParams.get(name) ?? '',
    );
    const values: [number, string][] = [];
    for (let at = Number(from); at <= Number(to); at += Number(by))
      values.push([at, valueOf(query)]);
    const metric = query.includes('ALERTS')
      ? { alertname: 'RedisDown', severity: 'page' }
      : { host: 'h' };
    const data = { resultType: 'matrix', result: [{ metric, values }] };
    response.end(JSON.stringify({ status: 'success', data }));
  });

test('prometheus: an alert that fires when the time asked for ends is not known to fire since', async (t) => {
  const sink = await oneValue(() => '1');
  t.after(() => sink.close());
  const root = temporaryRoot(t);
  const asked = { prometheus: sink.url, host: 'h', from: froze, to: froze + 3600 };
  const old = await read(root, asked, end + 9 * 86_400);
  assert.ok(old.alerts.length > 0);
  for (const { to = Infinity } of old.alerts) assert.ok(to <= froze + 2 * 3600, `${to - froze}`);
  const { to: _to, ...until } = asked;
  const { alerts } = await read(root, { ...until, from: end - 3600 });
  assert.ok(alerts.length > 0 && alerts.every(({ to }) => to === undefined), 'it fires now');
});

test('prometheus: a boot time that no calendar has costs that boot alone', async (t) => {
  const sink = await oneValue((query) => (query.includes('boot_time') ? '1e300' : '0.5'));
  t.after(() => sink.close());
  const facts = await read(temporaryRoot(t), { prometheus: sink.url, host: 'h' });
  assert.deepEqual(facts.boots, []);
  assert.ok(facts.series.length > 0, problemsOf(facts));
});
