/** One test that every collector must pass: what ARCHITECTURE.md promises of all of them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { type Clock, manualClock, systemClock } from '../measure/clock.ts';
import type { Collector, Family } from '../core/collector.ts';
import { scrapeMetrics } from '../core/scrape.ts';
import { everyCollector } from '../../tools/rig/every-collector.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { freePort } from '../../tools/rig/redis-server.ts';
import { collectorNames } from './index.ts';

/** Gauges that are called `_total` because Asynq's own exporter calls them so. */
const gaugesNamedTotal = ['asynq_tasks_enqueued_total', 'asynq_queue_paused_total'];

const garbage = Object.fromEntries(
  [
    'stat',
    'loadavg',
    'meminfo',
    'vmstat',
    'diskstats',
    'interrupts',
    'pressure/cpu',
    'pressure/memory',
    'pressure/io',
    'sys/kernel/hung_task_warnings',
    'sys/kernel/hung_task_timeout_secs',
    'sys/kernel/hung_task_detect_count',
    '1/stat',
    '1/status',
    '1/task/1/stat',
    '1/wchan',
  ].map((path) => [path, 'garbage \u0000 1 2 -3 \n']),
);

async function collectorsOn(
  t: TestContext,
  tree: Record<string, string>,
  clock: Clock = systemClock,
): Promise<Collector[]> {
  const collectors = everyCollector(fixtureTree(t, tree), await freePort(), clock);
  t.after(async () => {
    await Promise.all(collectors.map(async (collector) => collector.close?.()));
  });
  return collectors;
}

async function familiesOf(collector: Collector): Promise<readonly Family[]> {
  try {
    return await collector.collect(AbortSignal.timeout(5000));
  } catch (error) {
    assert.ok(
      error instanceof Error,
      `${collector.name} rejects with something else than an Error`,
    );
    return [];
  }
}

function seriesOf({ metric, samples }: Family): string[] {
  return samples.map(
    ({ labels }) => `${metric.name}${JSON.stringify(metric.labels.map((label) => labels[label]))}`,
  );
}

test('contract: names, files and declarations', async (t) => {
  const collectors = await collectorsOn(t, {});
  assert.deepEqual(
    collectors.map(({ name }) => name),
    collectorNames,
  );
  const metrics = [...collectors.flatMap((collector) => collector.metrics), ...scrapeMetrics];
  const names = metrics.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)], 'a metric is declared twice');
  for (const name of collectorNames) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    for (const file of [`${name}.ts`, `${name}.test.ts`]) {
      assert.ok(existsSync(new URL(file, import.meta.url)), `collectors/${file} is missing`);
    }
  }
  for (const { name, type, help, labels, buckets } of metrics) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.match(help, /^[A-Z0-9].*\.$/s, `${name}: HELP is a sentence`);
    assert.ok(
      help.length <= 90,
      `${name}: HELP is short, ${help.length}; docs/metrics.md has note`,
    );
    assert.equal(
      name.endsWith('_total'),
      type === 'counter' || gaugesNamedTotal.includes(name),
      `${name}: _total is for counters`,
    );
    assert.equal(buckets.length > 0, type === 'histogram', name);
    assert.deepEqual(
      [...buckets],
      [...buckets].sort((a, b) => a - b),
      `${name}: ascending`,
    );
    assert.ok(
      labels.every((label) => /^[a-z][a-z_]*$/.test(label) && label !== 'le'),
      name,
    );
  }
});

for (const [machine, tree] of Object.entries({ 'an empty machine': {}, garbage: garbage })) {
  test(`contract: families are as declared on ${machine}`, async (t) => {
    for (const collector of await collectorsOn(t, tree)) {
      const families = await familiesOf(collector);
      for (const family of families) {
        const { metric, samples } = family;
        assert.ok(
          collector.metrics.includes(metric),
          `${collector.name}: ${metric.name} undeclared`,
        );
        for (const { labels, value } of samples) {
          assert.deepEqual(Object.keys(labels).sort(), [...metric.labels].sort(), metric.name);
          assert.ok(
            Object.values(labels).every((text) => typeof text === 'string'),
            metric.name,
          );
          assert.equal(typeof value === 'object', metric.type === 'histogram', metric.name);
          if (metric.type === 'counter') assert.ok(Number(value) >= 0, metric.name);
        }
        const series = seriesOf(family);
        assert.deepEqual(series, [...new Set(series)], 'a series appears twice');
      }
      assert.deepEqual(
        (await familiesOf(collector)).flatMap(seriesOf),
        families.flatMap(seriesOf),
        `${collector.name}: series came or went between two reads`,
      );
    }
  });
}

test('contract: reports come from memory, say why, and close can be called twice', async (t) => {
  for (const collector of await collectorsOn(t, {})) {
    const report = collector.report?.() ?? {};
    for (const { name, supported, reason } of report.signals ?? []) {
      assert.match(name, /^[a-z_]+$/);
      assert.ok(supported || reason.length > 20, `${collector.name}: ${name} does not say why`);
    }
    for (const { text } of report.findings ?? []) {
      assert.match(text, /^[A-Za-z0-9].*[.)]$/s, `${collector.name}: a finding is a sentence`);
    }
    for (const { ageSeconds } of report.samplers ?? []) assert.ok(ageSeconds >= 0);
    await collector.close?.();
    await collector.close?.();
  }
});

/** Every background clock ticks at least every 5 s. */
const longestPeriod = 5;

test('contract: every background clock says that it ticks as long as it does', async (t) => {
  const clock = manualClock();
  const collectors = await collectorsOn(t, { kmsg: '' }, clock);
  const ages = () => collectors.flatMap((collector) => collector.report?.().samplers ?? []);
  assert.ok(ages().length >= 9, 'there are background clocks');
  for (let second = 0; second < 40; second += 1) {
    clock.advance(1);
    // Some look once all timers that are due have fired.
    await new Promise((resolve) => setImmediate(resolve));
    for (const { name, ageSeconds } of ages()) {
      assert.ok(ageSeconds <= longestPeriod, `${name}: ${ageSeconds} s old while it ticks`);
    }
  }
  clock.stall(100);
  for (const { name, ageSeconds } of ages()) {
    // The canary keeps the time of its own thread, which went on.
    if (name !== 'cold_page')
      assert.ok(ageSeconds >= 100, `${name}: ${ageSeconds} s after a stall`);
  }
});
