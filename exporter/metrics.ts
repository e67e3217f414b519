/**
 * Plain data to exposition text. The only file that knows prom-client.
 *
 * prom-client only renders here: a fresh registry per scrape, filled with ready values. Its own
 * collect() hooks are not used, because one that rejects or hangs takes the whole scrape down.
 */
import { Registry, type Metric as PromMetric } from 'prom-client';
import type { Family, HistogramValue, Labels, Metric } from './collector.ts';

export type Format = 'text' | 'openmetrics';

export const contentTypes = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const satisfies Record<Format, string>;

interface Line {
  readonly metricName?: string;
  readonly labels: Labels;
  /** prom-client formats an object it is given here once, and remembers the text. */
  readonly sharedLabels?: Labels;
  readonly value: number;
}

const noLabels: Labels = {};

/** "1.0", not "1": rules match `le` as text and OpenMetrics writes it with a decimal. */
function boundText(bound: number | undefined): string {
  if (bound === undefined) return '+Inf';
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}

function histogramLines(metric: Metric, labels: Labels, { counts, sum }: HistogramValue): Line[] {
  if (counts.length !== metric.buckets.length + 1) {
    throw new Error(
      `${metric.name}: ${counts.length} bucket counts, expected ${metric.buckets.length + 1}`,
    );
  }
  let cumulative = 0;
  const lines: Line[] = counts.map((count, i) => {
    cumulative += count;
    const le = boundText(metric.buckets[i]);
    return { metricName: `${metric.name}_bucket`, labels: { ...labels, le }, value: cumulative };
  });
  lines.push({ metricName: `${metric.name}_sum`, labels, value: sum });
  lines.push({ metricName: `${metric.name}_count`, labels, value: cumulative });
  return lines;
}

function linesOf({ metric, samples }: Family): Line[] {
  return samples.flatMap(({ labels, value }) =>
    typeof value === 'number'
      ? [{ labels: noLabels, sharedLabels: labels, value }]
      : histogramLines(metric, labels, value),
  );
}

/** Render families in the order given. A family without samples is left out. */
export async function render(families: readonly Family[], format: Format): Promise<string> {
  const registry = new Registry(contentTypes[format]);
  for (const family of families) {
    const { metric } = family;
    if (family.samples.length === 0) continue;
    const { name, help, type } = metric;
    const openMetricsName =
      format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    const ready = {
      name,
      help,
      type,
      get: () => ({ name: openMetricsName, help, type, values: linesOf(family) }),
    };
    // The registry calls nothing but `name`, `type` and `get`; its type asks for a metric class.
    registry.registerMetric(ready as unknown as PromMetric);
  }
  // prom-client prints NaN as "Nan", which the exposition format does not know, and puts an empty
  // line between families, which nobody needs.
  return (await registry.metrics()).replaceAll(/ Nan$/gm, ' NaN').replaceAll('\n\n', '\n');
}
