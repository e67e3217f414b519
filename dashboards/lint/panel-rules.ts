/** Rules about a single panel and its queries. */
import type { PanelModel } from './model.ts';
import { parsePromql } from '../../alerts/testing/promql.ts';

type PanelCheck = (panel: PanelModel) => Generator<string>;

/** From Grafana's packages/grafana-data/src/valueFormats/categories.ts: those in use here. */
const units = new Set([
  'none',
  'short',
  'percentunit',
  'bytes',
  'Bps',
  's',
  'm',
  'h',
  'ops',
  'cps',
  'reqps',
  'text',
]);

const panelTypes = new Set([
  'stat',
  'timeseries',
  'state-timeline',
  'table',
  'heatmap',
  'barchart',
]);

/** Queries that leave the host variables out, and why that is right. */
const withoutHost: ReadonlyMap<string, string> = new Map([
  ['ALERTS', 'an alert about a machine that is gone, or seen from outside, has another job'],
  ['alertmanager_notifications_failed_total', 'of Alertmanager, about all hosts'],
  ['prometheus_notifications_errors_total', 'of Prometheus, about all hosts'],
  ['slo:objective:ratio', 'one for all hosts'],
  ['slo:error_budget:ratio', 'one for all hosts'],
  ['slo:time_period:days', 'one for all hosts'],
]);

/**
 * Counters read bare, and why. The two are gauges whose names end in `_total` because Asynq's own
 * exporter calls them so.
 */
const totalGauges = new Set(['asynq_queue_paused_total', 'asynq_tasks_enqueued_total']);

export const panelChecks: Readonly<Record<string, PanelCheck>> = {
  *'panel-datasource-rule'(panel) {
    for (const { uid } of [
      panel.datasource,
      ...panel.targets.map(({ datasource }) => datasource),
    ]) {
      if (uid !== '${datasource}') yield `data source ${uid}`;
    }
  },
  *'panel-title-description-rule'(panel) {
    if (panel.title.trim() === '') yield 'no title';
    if (panel.description.length < 40) yield 'the description says too little';
  },
  *'panel-units-rule'(panel) {
    const inOverrides = panel.fieldConfig.overrides.flatMap(({ properties }) =>
      properties.filter(({ id }) => id === 'unit').map(({ value }) => String(value)),
    );
    for (const unit of [panel.fieldConfig.defaults.unit, ...inOverrides]) {
      if (!units.has(unit)) yield `unit ${unit}`;
    }
  },
  /** A count has no fractions. */
  *'whole-counts'({ type, fieldConfig: { defaults } }) {
    if (type === 'stat' && defaults.unit === 'none' && (defaults.decimals ?? 0) > 0)
      yield `a count with ${defaults.decimals} decimals`;
  },
  /** What a line, a lane or a figure is called where one points at it. */
  *'target-legend-rule'({ targets }) {
    for (const { refId, format, legendFormat } of targets)
      if (format !== 'table' && legendFormat === '') yield `query ${refId} has no name`;
  },
  *'panel-no-targets-rule'(panel) {
    if (panel.targets.length === 0) yield 'no query';
    const letters = panel.targets.map(({ refId }) => refId);
    if (new Set(letters).size !== letters.length) yield `query letters ${letters.join(' ')}`;
  },
  *'panel-type'(panel) {
    if (!panelTypes.has(panel.type))
      yield `type ${panel.type}: gauges and the like say less than a number`;
    if (
      panel.type === 'stat' &&
      panel.gridPos.w > 6 &&
      panel.options['colorMode'] !== 'background_solid'
    ) {
      yield 'a figure wider than 6';
    }
  },
  *'panel-says-why-it-is-empty'(panel) {
    if ((panel.fieldConfig.defaults.noValue ?? '') === '')
      yield 'nothing stands there without data';
  },
  *'one-filled-panel'(panel) {
    if (panel.options['colorMode'] === 'background_solid' && panel.gridPos.y > 0) {
      yield 'filled, and not the verdict at the top';
    }
  },
  *'gaps-are-data'(panel) {
    const { spanNulls, insertNulls } = panel.fieldConfig.defaults.custom ?? {};
    if (['timeseries', 'state-timeline'].includes(panel.type) && spanNulls !== false)
      yield 'draws over gaps';
    // A fixed number is shorter than the step of a long range, and then every point stands alone.
    if (insertNulls !== undefined) yield 'insertNulls is set: Grafana uses the step of the query';
  },
  *'meaning-in-words'(panel) {
    const lists = [
      panel.fieldConfig.defaults.mappings ?? [],
      ...panel.fieldConfig.overrides.flatMap(({ properties }) =>
        properties.flatMap(({ id, value }) =>
          id === 'mappings'
            ? [value as PanelModel['fieldConfig']['defaults']['mappings'] & object]
            : [],
        ),
      ),
    ];
    for (const mapping of lists.flat().filter(({ type }) => type === 'value')) {
      const words = Object.values(mapping.options).map(({ text }) => text);
      if (words.some((word) => (word ?? '') === '')) yield 'a value is told by its colour alone';
      if (new Set(words).size !== words.length) yield `the same word twice: ${words.join(', ')}`;
    }
    if (panel.type === 'state-timeline' && panel.options['showValue'] === 'never')
      yield 'lanes without words';
  },
  *'one-hue-heatmap'(panel) {
    const color = panel.options['color'] as { mode?: string } | undefined;
    if (panel.type === 'heatmap' && color?.mode !== 'opacity') yield `colours by ${color?.mode}`;
  },
  *'overrides-fit'(panel) {
    const letters = new Set(panel.targets.map(({ refId }) => refId));
    const organize = panel.transformations?.find(({ id }) => id === 'organize');
    const titles = new Set(
      Object.values((organize?.options['renameByName'] ?? {}) as Record<string, string>),
    );
    for (const { matcher } of panel.fieldConfig.overrides) {
      const on = String(matcher.options);
      if (matcher.id === 'byFrameRefID' && !letters.has(on)) yield `an override for query ${on}`;
      if (panel.type === 'table' && matcher.id === 'byName' && !titles.has(on))
        yield `an override for column ${on}`;
    }
  },
  *'table-columns'(panel) {
    if (panel.type !== 'table') return;
    const filter = panel.transformations?.find(({ id }) => id === 'filterFieldsByName');
    const names = (filter?.options['include'] as { names?: string[] } | undefined)?.names ?? [];
    const values = names.filter((name) => name.startsWith('Value'));
    if (values.length !== panel.targets.length)
      yield `${values.length} value columns of ${panel.targets.length} queries`;
    // Of the row that says why there is no other: made by the query itself.
    const labels = names.filter((name) => !name.startsWith('Value') && name !== 'note');
    for (const { expr, refId } of panel.targets) {
      const { grouping } = parsePromql(expr);
      for (const label of labels)
        if (!grouping.includes(label)) yield `query ${refId} drops the column ${label}`;
    }
  },
  *'target-promql-rule'(panel) {
    for (const { expr, refId } of panel.targets) {
      for (const error of parsePromql(expr).errors) yield `query ${refId}: ${error}`;
    }
  },
  *'target-rate-interval-rule'(panel) {
    // A table or a figure looks at the whole range, a calendar at its cell: all others at a step.
    for (const { expr, refId, range } of panel.targets) {
      for (const { call, range: window } of parsePromql(expr.replaceAll('$__rate_interval', '9m9s'))
        .selectors) {
        const stepwise = range && panel.type !== 'stat' && panel.interval !== '1h';
        if (stepwise && ['rate', 'irate', 'increase'].includes(call) && window !== '9m9s') {
          yield `query ${refId}: ${call} over ${window}, expected $__rate_interval`;
        }
      }
    }
  },
  *'target-counter-agg-rule'(panel) {
    for (const { expr, refId } of panel.targets) {
      for (const { metric, call } of parsePromql(expr).selectors) {
        if (!metric.endsWith('_total') || totalGauges.has(metric)) continue;
        if (!['rate', 'irate', 'increase'].includes(call))
          yield `query ${refId}: ${metric} without rate or increase`;
      }
    }
  },
  *'target-job-rule target-host-rule'(panel) {
    for (const { expr, refId } of panel.targets) {
      for (const { metric, matchers } of parsePromql(expr).selectors) {
        if (withoutHost.has(metric)) continue;
        for (const label of ['job', 'host']) {
          if (!matchers.some((matcher) => matcher.label === label && matcher.op === '=~')) {
            yield `query ${refId}: ${metric} is not limited to $${label}`;
          }
        }
      }
    }
  },
};
