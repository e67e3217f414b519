/** What to do about a query that has no data on the afternoon. */
import { parsePromql } from '../../alerts/testing/promql.ts';
import type { Afternoon } from './afternoon.ts';
import { familyOf } from './declared.ts';
import type { Target } from './model.ts';

type Metrics = Afternoon['metrics'];

/** Which file makes what an empty query asks for. */
export function whyEmpty(known: Metrics, title: string, { refId, expr }: Target): string {
  const published = (metric: string) => known.has(metric) || known.has(familyOf(metric, known));
  const absent = parsePromql(expr)
    .selectors.map(({ metric }) => metric)
    .filter((metric) => !metric.includes(':') && !published(metric));
  const files = 'host-series.ts, redis-series.ts, asynq-series.ts or exporter-series.ts';
  const todo =
    absent.length > 0
      ? `nothing in the afternoon has ${absent.join(', ')}: write it in dashboards/incident/${files}`
      : 'the afternoon in dashboards/incident/timelines.ts never comes to this';
  return `"${title}", query ${refId}: ${todo}: ${expr}`;
}
