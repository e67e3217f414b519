/** What can be asked for: the metrics that collectors declare, recorded rules, Prometheus's own. */
import { scrapeMetrics } from '../../exporter/core/scrape.ts';
import { targetMetrics } from '../../exporter/http/probe-targets.ts';
import { declaredCollectors } from '../../tools/rig/every-collector.ts';
import { recordingRules } from './backfill.ts';
import { parsePromql } from '../../alerts/testing/promql.ts';

/** Set by the scrape job on every series; the last three by whoever wants to use them. */
export const targetLabels: readonly string[] = [
  'job',
  'instance',
  'host',
  'provider',
  'price',
  'redis_save',
];

/** Of Prometheus and Alertmanager, about a scrape and about themselves. */
const prometheusOwn: Readonly<Record<string, readonly string[]>> = {
  up: [],
  scrape_duration_seconds: [],
  scrape_samples_scraped: [],
  prometheus_notifications_errors_total: ['alertmanager'],
  prometheus_notifications_dropped_total: [],
  alertmanager_notifications_failed_total: ['integration'],
  prometheus_tsdb_size_retentions_total: [],
  ALERTS: ['alertname', 'alertstate', 'severity', 'layer', 'slo', 'queue'],
};

/** Name of each metric the exporter may publish, with its labels; a histogram under its own name. */
export async function exported(): Promise<Map<string, readonly string[]>> {
  const collectors = await declaredCollectors();
  const metrics = [...collectors.flatMap((collector) => collector.metrics), ...scrapeMetrics];
  return new Map(
    metrics.map(
      ({ name, type, labels }) =>
        [name, type === 'histogram' ? [...labels, 'le'] : labels] as const,
    ),
  );
}

/** Labels a recorded series may have: those of what it reads, of its own, and what it groups by. */
function recorded(known: ReadonlyMap<string, readonly string[]>): Map<string, readonly string[]> {
  const result = new Map<string, readonly string[]>();
  for (let round = 0; round < 8; round++) {
    for (const { record, expr, labels = {} } of recordingRules()) {
      const { selectors, created } = parsePromql(expr);
      const read = selectors.flatMap(
        ({ metric }) => known.get(familyOf(metric, known)) ?? result.get(metric) ?? [],
      );
      const all = [...(result.get(record) ?? []), ...read, ...created, ...Object.keys(labels)];
      result.set(record, [...new Set(all)]);
    }
  }
  return result;
}

/** `x_bucket`, `x_sum` and `x_count` belong to the histogram `x`. */
export function familyOf(metric: string, known: ReadonlyMap<string, unknown>): string {
  const family = metric.replace(/_(bucket|sum|count)$/, '');
  return known.has(metric) ? metric : family;
}

/** Everything with its labels, those of the scrape job left out. */
export async function queryable(): Promise<Map<string, readonly string[]>> {
  const probed = targetMetrics.map(({ name, labels }) => [name, labels] as const);
  const known = new Map([...Object.entries(prometheusOwn), ...probed, ...(await exported())]);
  return new Map([...known, ...recorded(known)]);
}
