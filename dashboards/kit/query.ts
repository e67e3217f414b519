/** Queries as the panels use them: one data source variable, explicit format, explicit legend. */
import {
  type Dataquery,
  DataqueryBuilder,
  PromQueryFormat,
  QueryEditorMode,
} from '@grafana/grafana-foundation-sdk/prometheus';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';

export const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

/**
 * The matchers of the dashboard's own variables; every selector carries them. A machine is chosen by
 * its name: private addresses come again in the next region, and `instance` with them.
 */
export const here = 'job=~"$job",host=~"$host"';

/** The labels that tell two machines apart, to join by. */
export const sameMachine = 'on (host, job, instance)';

/** A selected machine does not answer, or none was ever asked: then "none here" and "all is well" are claims. */
export const somebodySilent = `min(up{${here}}) == 0 or on () absent(up{${here}}) - 1`;

/** Of the machines that answered the last scrape: a rate of two minutes outlasts who is gone by as much. */
export function ofWhoAnswers(expr: string): string {
  return `((${expr}) and ${sameMachine} up{${here}} == 1)`;
}

/** Something where somebody answered at some time of the range. */
export const heard = `group(max_over_time(up{${here}}[$__range] @ end()) == 1)`;

export interface Query {
  readonly expr: string;
  /** Series name; `{{label}}` is replaced. */
  readonly legend: string;
  readonly kind: 'range' | 'instant' | 'table' | 'heatmap';
}

/** Text in the source may be laid out over lines; the panel gets it on one. */
function oneLine(expr: string): string {
  return expr.trim().replaceAll(/\s*\n\s*/g, ' ');
}

/** One value per step of the range that is looked at. */
export function range(expr: string, legend: string): Query {
  return { expr: oneLine(expr), legend, kind: 'range' };
}

/** One value: at the end of the range. */
export function instant(expr: string, legend: string): Query {
  return { expr: oneLine(expr), legend, kind: 'instant' };
}

/** One row per series, labels as columns. */
export function rows(expr: string): Query {
  return { expr: oneLine(expr), legend: '', kind: 'table' };
}

/** Buckets of a histogram over time. */
export function buckets(expr: string): Query {
  return { expr: oneLine(expr), legend: '{{le}}', kind: 'heatmap' };
}

const formats = {
  range: PromQueryFormat.TimeSeries,
  instant: PromQueryFormat.TimeSeries,
  table: PromQueryFormat.Table,
  heatmap: PromQueryFormat.Heatmap,
} as const;

/** refIds are letters in the order of the list, so transformations can name them. */
export function targets(queries: readonly Query[]): Builder<Dataquery>[] {
  return queries.map(({ expr, legend, kind }, i) => {
    const target = new DataqueryBuilder()
      .datasource(datasource)
      .editorMode(QueryEditorMode.Code)
      .expr(expr)
      .format(formats[kind])
      .legendFormat(legend)
      .exemplar(false)
      .refId(refId(i));
    return kind === 'range' || kind === 'heatmap' ? target.range() : target.instant();
  });
}

/** A, B, ... Z: no panel has more. */
export function refId(i: number): string {
  if (i >= 26) throw new Error(`a panel with ${i + 1} queries, expected at most 26`);
  return String.fromCodePoint(65 + i);
}
