/**
 * What the exporter really publishes: every label of every metric with its values, from all collectors on
 * a recorded machine, and from the golden file, which the shipped process wrote beside a real Redis.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createScraper } from '../../exporter/core/scrape.ts';
import { systemClock } from '../../exporter/measure/clock.ts';
import { everyCollector } from '../../tools/rig/every-collector.ts';
import { fixtureTree } from '../../tools/rig/fixture-tree.ts';
import { freePort } from '../../tools/rig/redis-server.ts';
import type { LabelValues } from '../incident/recorder.ts';

const exporter = join(import.meta.dirname, '../../exporter');

type Growing = Map<string, Map<string, Set<string>>>;

function note(all: Growing, metric: string, labels: Readonly<Record<string, string>>): void {
  const ofMetric = all.get(metric) ?? new Map<string, Set<string>>();
  all.set(metric, ofMetric);
  for (const [label, value] of Object.entries(labels)) {
    ofMetric.set(label, (ofMetric.get(label) ?? new Set()).add(value));
  }
}

/** Of lines as Prometheus reads them, with a value or without. */
function noteLines(all: Growing, text: string): void {
  for (const [, metric = '', inner = ''] of text.matchAll(/^(\w+)\{(.*?)\}/gm)) {
    const pairs = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    note(all, metric, Object.fromEntries(pairs.map(([, label, value]) => [label, value])));
  }
}

export async function publishedValues(t: TestContext): Promise<LabelValues> {
  const root = fixtureTree(t, { kmsg: '' });
  cpSync(join(exporter, 'fixtures/firecracker-6.18/proc'), root, { recursive: true });
  const collectors = everyCollector(root, await freePort());
  try {
    const scraper = createScraper(collectors, systemClock, { collectorChanged: () => undefined });
    const all: Growing = new Map();
    for (const { metric, samples } of await scraper.scrape(3)) {
      for (const { labels } of samples) note(all, metric.name, labels);
    }
    noteLines(all, readFileSync(join(exporter, 'golden/metrics.txt'), 'utf8'));
    return all;
  } finally {
    await Promise.all(collectors.map(async (collector) => collector.close?.()));
  }
}
