/**
 * Rules about what Grafana makes of a panel. Each was seen in its real front end; docs/dashboards/grafana.md
 * says what, in which version, and names the rule.
 */
import { parsePromql } from '../../alerts/testing/promql.ts';
import { contrast, panelGrounds } from './colour.ts';
import { textWidth } from './font.ts';
import type { Mapping, PanelModel } from './model.ts';

type PanelCheck = (panel: PanelModel) => Generator<string>;

/** A column of the grid at 1600 pixels with the menu docked, and what of a panel is no title. */
const column = 52.8;
const besideTitle = 64;
/** Of a tile, what is no figure. */
const besideFigure = 32;
/** Of a table, what is no column, the bar at the window's edge with it; and how wide a column is at least of which nothing is said. */
const besideColumns = 32;
const leastColumn = 150;
/** Between a lane's name and its lane. */
const besideName = 20;

const isDash = ({ type, options }: Mapping) =>
  type === 'special' && JSON.stringify(options).includes('"null+nan"');

/** Counters whose names do not say so, because redis_exporter calls them so. */
const counters = new Set(['redis_aof_delayed_fsync']);

/** Its rates only divide or judge a backlog that was read just now. */
const setsOffAgainstNow = new Set(['Time to drain']);

/** They are of the one that is asked. */
const ofPrometheus = /^(?:prometheus|alertmanager)_/;

/** Colours that are hard to see on the ground of a panel. */
export function* faint(json: string): Generator<string> {
  for (const [color] of new Set(json.matchAll(/#[\dA-F]{6}\b/gi))) {
    for (const [theme, ground] of Object.entries(panelGrounds)) {
      const ratio = contrast(color, ground);
      if (ratio < 3) yield `${color} is ${ratio.toFixed(1)} to 1 on the ${theme} theme, expected 3`;
    }
  }
}

export const drawnChecks: Readonly<Record<string, PanelCheck>> = {
  *'lanes-keep-their-words'({ type, fieldConfig: { defaults } }) {
    if (type !== 'state-timeline') return;
    if ((defaults.mappings ?? []).length === 0) yield 'lanes without words';
    if (defaults.color?.mode === 'thresholds')
      yield 'coloured by thresholds, which are drawn as 0+';
  },
  *'lane-names-fit'({ type, targets, fieldConfig: { defaults } }) {
    if (type !== 'state-timeline') return;
    const room = Number(defaults.custom?.['axisWidth'] ?? 0) - besideName;
    for (const { legendFormat } of targets) {
      const width = textWidth(legendFormat, 12, 'regular');
      if (!legendFormat.includes('{{') && width > room)
        yield `"${legendFormat}" is ${width.toFixed(0)} px wide, there are ${room}`;
    }
  },
  /** What stands in a tile at the size of its numbers; the one that is filled makes room for itself. */
  *'words-of-figures-fit'({ type, options, gridPos: { w }, fieldConfig: { defaults } }) {
    const { valueSize } = (options['text'] ?? {}) as { valueSize?: number };
    if (type !== 'stat' || valueSize === undefined) return;
    const room = w * column - besideFigure;
    const words = (defaults.mappings ?? [])
      .filter((mapping) => mapping.type === 'value')
      .flatMap((mapping) => Object.values(mapping.options).map(({ text }) => text));
    for (const text of [...words, defaults.noValue ?? '']) {
      const width = textWidth(text, valueSize, 'medium');
      if (width > room)
        yield `"${text}" is ${width.toFixed(0)} px wide, there are ${room.toFixed(0)}`;
    }
  },
  *'titles-fit'({ title, gridPos: { w } }) {
    const width = textWidth(title, 14, 'medium');
    const room = w * column - besideTitle;
    if (width > room)
      yield `the title is ${width.toFixed(0)} px wide, there are ${room.toFixed(0)}`;
  },
  *'bars-have-names'({ type, options, fieldConfig: { overrides } }) {
    if (type !== 'barchart') return;
    if (options['xTickLabelMaxLength'] !== undefined)
      yield 'names are cut to a number of characters';
    const named = overrides.find(({ matcher }) => matcher.options === options['xField']);
    if (!named?.properties.some(({ id, value }) => id === 'unit' && value === 'none'))
      yield 'the unit of the bars is that of their names as well';
  },
  *'empty-cells-have-a-dash'({ type, fieldConfig: { defaults, overrides } }) {
    if (type !== 'table') return;
    const mapped = overrides.flatMap(({ matcher, properties }) =>
      properties
        .filter(({ id }) => id === 'mappings')
        .map(({ value }) => [String(matcher.options), value as readonly Mapping[]] as const),
    );
    for (const [where, list] of [['the table', defaults.mappings ?? []] as const, ...mapped])
      if (!list.some(isDash)) yield `${where}: an empty cell would say what the empty table says`;
  },
  /** The rest is reached by scrolling sideways, which nobody sees that there is. */
  *'table-columns-fit'({ type, transformations, gridPos: { w }, fieldConfig: { overrides } }) {
    if (type !== 'table') return;
    const of = (name: string) => transformations?.find(({ id }) => id === name)?.options ?? {};
    const { names = [] } = (of('filterFieldsByName')['include'] ?? {}) as { names?: string[] };
    const titles = (of('organize')['renameByName'] ?? {}) as Readonly<Record<string, string>>;
    const widths = new Map(
      overrides.flatMap(({ matcher, properties }) =>
        properties
          .filter(({ id }) => id === 'custom.width')
          .map(({ value }) => [matcher.options, Number(value)] as const),
      ),
    );
    const wanted = names
      .filter((name) => name !== 'note')
      .reduce((sum, name) => sum + (widths.get(titles[name] ?? name) ?? leastColumn), 0);
    const room = w * column - besideColumns;
    if (wanted > room) yield `its columns take ${wanted} px, there are ${room.toFixed(0)}`;
  },
  /** A table without rows is its headers and nothing below: silence, and its `noValue` is not drawn. */
  *'tables-say-why-they-are-empty'({ type, targets, transformations }) {
    if (type !== 'table') return;
    const always =
      /or on \(\) label_replace\(group\(vector\(0\)\) \* NaN, "note", "[^"]+", "", ""\)$/;
    if (!always.test(targets[0]?.expr ?? '')) yield 'without rows it says nothing';
    const filter = transformations?.find(({ id }) => id === 'filterFieldsByName');
    const { names = [] } = (filter?.options['include'] ?? {}) as { names?: readonly string[] };
    if (names[0] !== 'note') yield 'the column of what it says then is not shown first';
  },
  *'heatmaps-say-why-they-are-empty'({ type, targets }) {
    if (type !== 'heatmap') return;
    for (const { refId, expr } of targets)
      if (!expr.includes('or on () (label_replace(vector(0), "le", "'))
        yield `query ${refId}: without buckets it says "No data"`;
  },
  *'lanes-say-why-they-are-empty'({ type, targets }) {
    if (type !== 'state-timeline') return;
    for (const { refId, expr } of targets)
      if (!/or on \(\) (?:label_replace\()?\(vector\(-2\) unless on \(\) group\(/.test(expr))
        yield `query ${refId}: where nobody answers there is no lane`;
  },
  /** A rate outlasts who is gone by its window, a rule by what it looks back. A range that is chosen is of the past. */
  *'now-is-of-who-answers'({ type, title, targets }) {
    if ((type !== 'stat' && type !== 'table') || setsOffAgainstNow.has(title)) return;
    for (const { refId, expr } of targets) {
      const [rows = ''] = expr.split(/ or on \(\) (?:label_replace\(group|\(min\(up)/);
      const { selectors } = parsePromql(rows.replaceAll('$__range', '8m8s'));
      const asks = selectors.some(({ metric }) => metric === 'up');
      for (const { metric, range } of selectors) {
        const outlasts = /^\d/.test(range ?? '') && range !== '8m8s' && !ofPrometheus.test(metric);
        if (!asks && (outlasts || metric === 'instance:stealwatch_verdict:code'))
          yield `query ${refId}: ${metric} of who does not answer any more`;
      }
    }
  },
  *'figures-are-of-now'({ type, targets }) {
    if (type !== 'stat') return;
    for (const { refId, instant, range } of targets)
      if (!instant || range)
        yield `query ${refId}: the last of a range is also that of who is gone`;
  },
  *'quiet-axis'({ type, fieldConfig: { defaults } }) {
    const { scaleDistribution, axisSoftMax } = defaults.custom ?? {};
    const logarithmic = (scaleDistribution as { type?: string } | undefined)?.type === 'log';
    if (type !== 'timeseries' || logarithmic || defaults.max !== undefined) return;
    if (!(Number(axisSoftMax) > 0)) yield 'zeros would be drawn on an axis to 100';
  },
  *'contrast-in-both-themes'(panel) {
    yield* faint(JSON.stringify(panel.fieldConfig));
    yield* faint(JSON.stringify(panel.options));
  },
  *'description-names-its-source'({ description, targets }) {
    const asked = targets.flatMap(({ expr }) =>
      parsePromql(expr).selectors.map(({ metric }) => metric),
    );
    const named = [...description.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    const sources = named.map((text) => text.replace(/\{.*$/, '')).filter((text) => text !== '');
    if (!sources.some((text) => asked.some((one) => one.startsWith(text))))
      yield 'the description names none of the metrics that it asks for';
  },
  *'rate-of-a-gauge'({ targets }) {
    for (const { expr, refId } of targets)
      for (const { metric, call } of parsePromql(expr).selectors)
        if (
          ['rate', 'irate', 'increase'].includes(call) &&
          !/_(?:total|sum|count|bucket)$/.test(metric) &&
          !counters.has(metric)
        )
          yield `query ${refId}: ${call} of ${metric}, which is no counter`;
  },
};
