import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { systemClock } from '../measure/clock.ts';
import { isIncomplete } from '../core/collector.ts';
import { createRequestCounter } from '../core/requests.ts';
import { parseRedis } from '../config/values.ts';
import { until } from '../../tools/rig/redis-server.ts';
import { countFds, exporterCollector } from './exporter.ts';

const config = { redis: parseRedis('redis://127.0.0.1') };
const quiet = {
  config,
  clock: systemClock,
  log: { dropped: () => 0, problem: () => undefined },
  webConfig: undefined,
};

test('exporter: lost log lines and a kept web configuration are told', async (t) => {
  const reason = 'ENOSPC';
  const collector = exporterCollector({
    config,
    clock: systemClock,
    requests: createRequestCounter(),
    log: { dropped: () => 7, problem: () => ({ reason, sinceSeconds: 3 }) },
    webConfig: { problem: () => ({ reason: 'web.yml: nothing is in it', sinceSeconds: 40 }) },
  });
  t.after(async () => collector.close?.());
  const families = await collector.collect(AbortSignal.timeout(1000));
  const value = (name: string) =>
    families.find(({ metric }) => metric.name === name)?.samples[0]?.value;
  assert.equal(value('stealwatch_log_lines_dropped_total'), 7);
  assert.equal(value('stealwatch_web_config_in_force'), 0);
  const { checks = [], findings = [] } = collector.report?.() ?? {};
  assert.deepEqual(
    checks.map(({ name, critical, ok, state, sinceSeconds }) => [
      name,
      critical,
      ok,
      state,
      sinceSeconds,
    ]),
    [
      ['log', false, false, 'lost', 3],
      ['web_config', false, false, 'kept', 40],
    ],
  );
  assert.deepEqual(
    findings.map(({ text }) => text),
    [
      'Log lines are being lost: ENOSPC.',
      'The web configuration has changed and is kept as it was: web.yml: nothing is in it.',
    ],
  );
});

test('exporter: a Redis that nobody named is asked for, one that is not there on purpose is not', async (t) => {
  const said = (text: string) => {
    const collector = exporterCollector({
      ...quiet,
      config: { redis: parseRedis(text) },
      requests: createRequestCounter(),
    });
    t.after(async () => collector.close?.());
    return collector.report?.().findings ?? [];
  };
  assert.deepEqual(said('none'), []);
  const [asks, ...more] = said('unset');
  assert.deepEqual(more, []);
  assert.equal(asks?.severity, 'warning');
  assert.match(asks?.text ?? '', /^No Redis is watched, .*REDIS_URL in \.env.*, or none\.$/);
});

test('exporter: with nothing to tell, and no web configuration', async (t) => {
  const collector = exporterCollector({ ...quiet, requests: createRequestCounter() });
  t.after(async () => collector.close?.());
  const { checks = [], findings = [] } = collector.report?.() ?? {};
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [['log', true]],
  );
  assert.deepEqual(findings, []);
  const names = (await collector.collect(AbortSignal.timeout(1000))).map(
    ({ metric }) => metric.name,
  );
  assert.ok(!names.includes('stealwatch_web_config_in_force'));
});

test('exporter: build, requests and cost of this very process', async () => {
  const requests = createRequestCounter();
  const collector = exporterCollector({ ...quiet, requests });
  requests.count('/metrics', 200);
  const families = await collector.collect(AbortSignal.timeout(1000));
  const value = (name: string, labels: Record<string, string> = {}) =>
    Number(
      families
        .find(({ metric }) => metric.name === name)
        ?.samples.find((sample) =>
          Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
        )?.value,
    );
  assert.equal(value('stealwatch_build_info', { node: process.version }), 1);
  assert.equal(value('stealwatch_http_requests_total', { path: '/metrics', code: '200' }), 1);
  assert.equal(value('stealwatch_http_requests_total', { path: '/status', code: '503' }), 0);
  assert.ok(value('process_cpu_seconds_total') > 0);
  assert.ok(value('process_resident_memory_bytes') > 1e7);
  assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 300);
  await collector.close?.();
});

test('exporter: open files are counted, those of the counting left out', async (t) => {
  const collector = exporterCollector({ ...quiet, requests: createRequestCounter() });
  t.after(async () => collector.close?.());
  const open = async () =>
    (await collector.collect(AbortSignal.timeout(1000))).find(
      ({ metric }) => metric.name === 'process_open_fds',
    )?.samples[0]?.value;
  const before = Number(await open());
  const fds = [1, 2, 3].map(() => openSync('/dev/null', 'r'));
  t.after(() => {
    for (const fd of fds) closeSync(fd);
  });
  assert.equal(await open(), before + 3);
  assert.ok(Math.abs(before + 3 - readdirSync('/proc/self/fd').length) <= 1);
});

test('exporter: a blocked event loop shows as lag', async () => {
  const collector = exporterCollector({ ...quiet, requests: createRequestCounter() });
  await new Promise((resolve) => setTimeout(resolve, 250));
  const end = performance.now() + 700;
  while (performance.now() < end);
  await new Promise((resolve) => setTimeout(resolve, 250));
  const families = await collector.collect(AbortSignal.timeout(1000));
  const lag = families.find(({ metric }) => metric.name === 'nodejs_eventloop_lag_p99_seconds');
  assert.ok(Number(lag?.samples[0]?.value) > 0.3, JSON.stringify(lag?.samples));
  await collector.close?.();
});

test('exporter: kernels before 6.2 do not count open files, so they are listed', () => {
  const counted = countFds();
  assert.equal(
    countFds(() => 0),
    counted === 0 ? readdirSync('/proc/self/fd').length - 1 : counted,
  );
  assert.equal(
    countFds(() => 77),
    77,
  );
});

test('exporter: a lag is of the time since the last scrape, and its timer ends with the collector', async (t) => {
  const lag = monitorEventLoopDelay({ resolution: 250 });
  const told: string[] = [];
  for (const name of ['enable', 'reset', 'disable'] as const) {
    const original = lag[name].bind(lag);
    t.mock.method(lag, name, () => {
      told.push(name);
      return original();
    });
  }
  const collector = exporterCollector({ ...quiet, requests: createRequestCounter(), lag });
  // Nothing has been measured yet, so nothing is thrown away either.
  await collector.collect(AbortSignal.timeout(1000));
  for (let scrapes = 0; scrapes < 2; scrapes += 1) {
    await until('a period has ended', () => lag.count > 0);
    await collector.collect(AbortSignal.timeout(1000));
  }
  await collector.close?.();
  assert.deepEqual(told, ['enable', 'reset', 'reset', 'disable']);
});

test('exporter: without a free descriptor it says so and loses no other value', async (t) => {
  const collector = exporterCollector({ ...quiet, requests: createRequestCounter() });
  t.after(async () => collector.close?.());
  t.mock.method(process.memoryUsage, 'rss', () => {
    throw new Error('EMFILE: too many open files, uv_resident_set_memory');
  });
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), (error: Error) => {
    assert.match(error.message, /EMFILE/);
    assert.ok(isIncomplete(error));
    const unknown = error.families.filter(({ samples }) => Number.isNaN(samples[0]?.value));
    assert.deepEqual(
      unknown.map(({ metric }) => metric.name),
      ['process_resident_memory_bytes'],
    );
    return true;
  });
});
