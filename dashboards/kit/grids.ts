/** The kinds of panel that show many cells at once: tables, heatmaps, bars. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as BarChartPanel } from '@grafana/grafana-foundation-sdk/barchart';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import {
  type DataLink,
  type Frame,
  type Panel,
  type Step,
  laneAxis,
  mappings,
  missing,
  steps,
} from './panels.ts';
import type { Meaning } from './palette.ts';
import { buckets, datasource, refId, rows, somebodySilent, targets } from './query.ts';

/** A column of a table. Its value comes from a query of its own, or from a label. */
export interface Column {
  readonly title: string;
  /** The query whose value it shows. Without one the column is the label named `label`. */
  readonly expr?: string;
  readonly label?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly steps?: readonly Step[];
  readonly meanings?: readonly Meaning[];
  readonly width?: number;
  /** Where a click on the cell leads. */
  readonly link?: DataLink;
}

/** Where this gives anything, these words are why there is no row. */
export interface Reason {
  readonly when: string;
  readonly says: string;
}

export interface Table extends Frame {
  readonly columns: readonly Column[];
  /**
   * What a row says where there is no other: a table without rows is drawn as its headers and nothing below, which
   * is silence. Before it come `reasons`, and that somebody does not answer; the first that holds.
   */
  readonly noValue: string;
  readonly reasons?: readonly Reason[];
  /** Its rows are not of the exporter, or say themselves of one that does not answer. */
  readonly saysItself?: true;
  /** Columns to sort by, the largest first; the second where the first says the same, so that rows keep their places. */
  readonly sortBy?: readonly { readonly column: string; readonly smallestFirst?: true }[];
  /** Further transformations after the columns have their titles. */
  readonly transformations?: readonly dashboard.DataTransformerConfig[];
}

function cell(column: Column): dashboard.DynamicConfigValue[] {
  const properties: dashboard.DynamicConfigValue[] = [];
  const { unit, decimals, meanings, width, link } = column;
  if (unit !== undefined) properties.push({ id: 'unit', value: unit });
  if (decimals !== undefined) properties.push({ id: 'decimals', value: decimals });
  if (width !== undefined) properties.push({ id: 'custom.width', value: width });
  if (link !== undefined) properties.push({ id: 'links', value: [link] });
  if (meanings !== undefined)
    properties.push({ id: 'mappings', value: [...mappings(meanings), missing('–')] });
  if (column.steps !== undefined) {
    properties.push({
      id: 'thresholds',
      value: {
        mode: 'absolute',
        steps: column.steps.map(({ from, color }) => ({ value: from, color })),
      },
    });
  }
  if (column.steps !== undefined || meanings !== undefined) {
    properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
  }
  return properties;
}

const exporterSilent: Reason = {
  when: somebodySilent,
  says: 'An exporter does not answer: nothing is known of it.',
};

/** The label, and the column, in which a table says why it has no rows. Where it has some there is no such column. */
const note = { label: 'note', title: 'Note' } as const;

/** A row without a number: NaN is drawn as a dash. */
const noteRow = (when: string, says: string) =>
  `label_replace(group(${when}) * NaN, "${note.label}", "${says}", "", "")`;

/** The rows of the query, or one that says why there is none. */
function orNote(expr: string, { reasons = [], saysItself, noValue }: Table): string {
  const first = saysItself === true ? reasons : [exporterSilent, ...reasons];
  const notes = first.map(({ when, says }) => noteRow(when, says));
  return [expr, ...notes, noteRow('vector(0)', noValue)].join(' or on () ');
}

/**
 * Rows with the same labels become one row. Every query must therefore keep exactly the labels
 * that are columns: Grafana's `merge` joins on all of them.
 */
export function table(o: Table): Panel {
  const [first = '', ...others] = o.columns.flatMap(({ expr }) => expr ?? []);
  const queries = [orNote(first, o), ...others].map(rows);
  const single = queries.length === 1;
  let next = 0;
  const columns: readonly Column[] = [note, ...o.columns];
  const source = columns.map(({ expr, label }) => {
    if (expr === undefined) return label ?? '';
    const letter = refId(next++);
    return single ? 'Value' : `Value #${letter}`;
  });
  return (
    new TablePanel()
      .title(o.title)
      .description(o.description)
      .datasource(datasource)
      .span(o.w)
      .height(o.h)
      .targets(targets(queries))
      .unit('none')
      // Of cells without a value, which would say it each: so these have a dash of their own.
      .noValue(o.noValue)
      .mappings([missing('–')])
      .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
      .thresholds(steps([{ from: null, color: 'text' }]))
      .align(common.FieldTextAlignment.Auto)
      .cellHeight(common.TableCellHeight.Sm)
      .showHeader(true)
      .filterable(false)
      .transformations([
        { id: 'merge', options: {} },
        {
          id: 'filterFieldsByName',
          options: { include: { names: source } },
        },
        {
          id: 'organize',
          options: {
            excludeByName: {},
            indexByName: Object.fromEntries(source.map((name, i) => [name, i])),
            renameByName: Object.fromEntries(source.map((name, i) => [name, columns[i]?.title])),
          },
        },
        ...(o.transformations ?? []),
      ])
      .sortBy(
        (o.sortBy ?? []).map(({ column, smallestFirst }) =>
          new common.TableSortByFieldStateBuilder()
            .displayName(column)
            .desc(smallestFirst !== true),
        ),
      )
      .overrides([
        {
          matcher: { id: 'byName', options: note.title },
          properties: [{ id: 'custom.cellOptions', value: { type: 'auto', wrapText: true } }],
        },
        ...o.columns.flatMap((column) => {
          const properties = cell(column);
          return properties.length === 0
            ? []
            : [{ matcher: { id: 'byName', options: column.title }, properties }];
        }),
      ])
  );
}

export interface Heat extends Frame {
  /** Unit of what a cell counts. */
  readonly unit: string;
  /** Unit of the rows, which are buckets. */
  readonly rowUnit: string;
  /** Buckets by `le`. */
  readonly expr: string;
  /** What is there in the range if anything was counted in it. */
  readonly counted: string;
  readonly color: string;
  readonly axis?: number;
  /** The name of the only row where nothing was: a heatmap takes no `noValue` and says "No data". */
  readonly noValue: string;
}

/** Not at single steps: a row that has words for a name takes the scale from the others. */
const orRow = ({ expr, counted, noValue }: Heat) =>
  `${expr} or on () (label_replace(vector(0), "le", "${noValue}", "", "") unless on () group(present_over_time(${counted}[$__range] @ end())))`;

/** One hue, faint to strong on either theme (Grafana turns its schemes round on the dark one); the number stands in the tooltip and the scale below. */
export function heat(o: Heat): Panel {
  const color = new heatmap.HeatmapColorOptionsBuilder()
    .mode(heatmap.HeatmapColorMode.Opacity)
    .fill(o.color)
    .scale(heatmap.HeatmapColorScale.Exponential)
    .exponent(0.5)
    .steps(32)
    .reverse(false)
    .min(0);
  return new heatmap.PanelBuilder()
    .title(o.title)
    .description(o.description)
    .datasource(datasource)
    .span(o.w)
    .height(o.h)
    .targets(targets([buckets(orRow(o))]))
    .unit(o.unit)
    .noValue(o.noValue)
    .calculate(false)
    .color(color)
    .cellGap(1)
    .showValue(common.VisibilityMode.Never)
    .showLegend()
    .cellValues(new heatmap.CellValuesBuilder().unit(o.unit))
    .yAxis(
      new heatmap.YAxisConfigBuilder()
        .unit(o.rowUnit)
        .axisPlacement(common.AxisPlacement.Left)
        .axisWidth(o.axis ?? laneAxis)
        .reverse(false),
    )
    .rowsFrame(new heatmap.RowsHeatmapOptionsBuilder().layout(common.HeatmapCellLayout.Auto))
    .tooltip(
      new heatmap.HeatmapTooltipBuilder()
        .mode(common.TooltipDisplayMode.Single)
        .showColorScale(true),
    );
}

export interface Bars extends Frame {
  readonly unit: string;
  readonly expr: string;
  /** The label along the x axis; it is sorted as a number when `numeric`. */
  readonly label: string;
  readonly numeric?: boolean;
  /** How far the axis goes at least: bars of 0 would stand on one to 10000 %. */
  readonly softMax: number;
  readonly color: string;
  readonly noValue: string;
}

/** A label is text: for its numbers to be in order it is a number while they are sorted. */
const converted = ({ numeric, label }: Bars, destinationType: 'number' | 'string') =>
  numeric === true
    ? [
        {
          id: 'convertFieldType',
          options: { conversions: [{ targetField: label, destinationType }], fields: {} },
        },
      ]
    : [];

/** One bar per value of a label, for the whole range. */
export function bars(o: Bars): Panel {
  return (
    new BarChartPanel()
      .title(o.title)
      .description(o.description)
      .datasource(datasource)
      .span(o.w)
      .height(o.h)
      .targets(targets([rows(o.expr)]))
      .unit(o.unit)
      .min(0)
      .noValue(o.noValue)
      .colorScheme(
        new dashboard.FieldColorBuilder()
          .mode(dashboard.FieldColorModeId.Fixed)
          .fixedColor(o.color),
      )
      .thresholds(steps([{ from: null, color: 'transparent' }]))
      .transformations([
        { id: 'filterFieldsByName', options: { include: { names: [o.label, 'Value'] } } },
        ...converted(o, 'number'),
        { id: 'sortBy', options: { fields: {}, sort: [{ field: o.label }] } },
        ...converted(o, 'string'),
      ])
      // The unit is that of the bars; hours would be percent.
      .overrides([
        {
          matcher: { id: 'byName', options: o.label },
          properties: [{ id: 'unit', value: 'none' }],
        },
      ])
      .xField(o.label)
      .orientation(common.VizOrientation.Vertical)
      .stacking(common.StackingMode.None)
      .showValue(common.VisibilityMode.Auto)
      .barWidth(0.8)
      .groupWidth(0.7)
      .fillOpacity(80)
      .lineWidth(0)
      .gradientMode(common.GraphGradientMode.None)
      .axisWidth(64)
      .axisSoftMax(o.softMax)
      .legend(
        new common.VizLegendOptionsBuilder()
          .displayMode(common.LegendDisplayMode.List)
          .placement(common.LegendPlacement.Bottom)
          .showLegend(false)
          .calcs([]),
      )
      .tooltip(
        new common.VizTooltipOptionsBuilder()
          .mode(common.TooltipDisplayMode.Single)
          .sort(common.SortOrder.None),
      )
  );
}
