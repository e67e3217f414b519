/** What one scrape says of the collectors, family by family. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { type Collector, type Family, gauge, type Report, single } from './collector.ts';
import { createScraper, scrapeMetrics } from './scrape.ts';
import { verdicts } from './verdict.ts';

const level = gauge({ name: 'level', help: 'Level, from the test.' });

function collectorNamed(name: string, report: Report = {}, more: Partial<Collector> = {}) {
  return {
    name,
    metrics: [level],
    collect: async () => [single(level, 1)],
    report: () => report,
    ...more,
  } satisfies Collector;
}

/** By metric: label value or nothing, and value. */
function told(families: readonly Family[]): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    families.map(({ metric, samples }) => [
      metric.name,
      Object.fromEntries(
        samples.map(({ labels, value }) => [labels[metric.labels[0] ?? ''] ?? '', value]),
      ),
    ]),
  );
}

test('scrape: its own families, of every collector or of those that ask a server', async () => {
  const clock = manualClock(1_700_000_000);
  const asking = collectorNamed(
    'asking',
    { signals: [{ name: 'one', supported: true, reason: 'seen' }] },
    {
      source: 'network',
      async collect() {
        clock.stall(0.123_456_789);
        return [single(level, 1)];
      },
    },
  );
  const reading = collectorNamed('reading', {
    signals: [{ name: 'two', supported: false, reason: 'why not' }],
    samplers: [{ name: 'steal', ageSeconds: 0.987_654_321 }],
    evidence: { stealOfDemand: 0.5, ownCpu: 0 },
  });
  const failing = collectorNamed(
    'failing',
    {},
    {
      async collect() {
        throw new Error('broken');
      },
    },
  );
  const changes: string[] = [];
  const { scrape } = createScraper([asking, reading, failing], clock, {
    collectorChanged: (name, error) => changes.push(`${name}: ${error?.message ?? 'works'}`),
  });
  const families = await scrape(5);
  assert.deepEqual(told(families), {
    level: { '': 1 },
    stealwatch_collector_success: { asking: 1, reading: 1, failing: 0 },
    stealwatch_collector_duration_seconds: { asking: 0.123_457 },
    stealwatch_collector_last_success_timestamp_seconds: { asking: clock.wall() },
    stealwatch_signal_supported: { one: 1, two: 0 },
    stealwatch_sampler_age_seconds: { steal: 0.987_654 },
    stealwatch_verdict: { '': verdicts.indexOf('cpu_steal') },
  });
  const own = families.map(({ metric }) => metric).filter((metric) => metric !== level);
  assert.deepEqual(own, scrapeMetrics, 'all that is declared, in that order');
  assert.deepEqual(changes, ['failing: broken']);
});

test('scrape: a change is told once, in both directions, and a start that works is none', async () => {
  let works = true;
  const moody = collectorNamed(
    'moody',
    {},
    {
      async collect() {
        if (works) return [];
        throw new Error('broken');
      },
    },
  );
  const changes: string[] = [];
  const { scrape } = createScraper([moody], manualClock(), {
    collectorChanged: (name, error) => changes.push(`${name}: ${error?.message ?? 'works'}`),
  });
  for (const next of [true, true, false, false, true, true, false]) {
    works = next;
    await scrape(5);
  }
  assert.deepEqual(changes, ['moody: broken', 'moody: works', 'moody: broken']);
});

test('scrape: servers have their questions before a file is read, wherever they stand in the list', async () => {
  const order: string[] = [];
  const reading = collectorNamed(
    'reading',
    {},
    {
      async collect() {
        order.push('a file is read');
        return [single(level, 1)];
      },
    },
  );
  const asking = collectorNamed(
    'asking',
    {},
    {
      source: 'network',
      async collect() {
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        order.push('the question is on its way');
        return [single(level, 1)];
      },
    },
  );
  const scraper = createScraper([reading, asking], manualClock(), { collectorChanged() {} });
  await scraper.scrape(2);
  assert.deepEqual(order, ['the question is on its way', 'a file is read']);
});
