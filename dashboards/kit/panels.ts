/**
 * The kinds of panel the dashboards are made of. Each sets everything a reader sees explicitly:
 * legend, reducer, unit, axis width, what a gap looks like and what stands there without data.
 */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesPanel } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Meaning, colors } from './palette.ts';
import { type Query, datasource, range, refId, somebodySilent, targets } from './query.ts';

export type Panel = Builder<dashboard.Panel>;

/** What every panel has. Width of 24 columns, height in units of 30 pixels. */
export interface Frame {
  readonly title: string;
  /** What it means, where the number comes from, what to do. Markdown. */
  readonly description: string;
  readonly w: number;
  readonly h: number;
}

/** Colours from a value upwards. The first has no lower bound. */
export interface Step {
  readonly from: number | null;
  readonly color: string;
}

/**
 * Wide enough for the longest name of a lane in Inter at 12 px. All panels of a page that stand above each
 * other have it, so that times line up.
 */
export const laneAxis = 150;

/** A number that means no good or bad. */
export const plain: readonly Step[] = [{ from: null, color: 'text' }];

/** Quiet below `warn`, amber from there, red from `bad`. */
export function rising({ warn, bad }: { readonly warn: number; readonly bad: number }): Step[] {
  return [
    { from: null, color: 'text' },
    { from: warn, color: colors.degraded },
    { from: bad, color: colors.bad },
  ];
}

/** The other way round: red up to `bad`, amber up to `warn`, quiet above. */
export function falling({ warn, bad }: { readonly warn: number; readonly bad: number }): Step[] {
  return [
    { from: null, color: colors.bad },
    { from: bad, color: colors.degraded },
    { from: warn, color: 'text' },
  ];
}

export function steps(list: readonly Step[]): Builder<dashboard.ThresholdsConfig> {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(list.map(({ from, color }) => ({ value: from, color })));
}

export function mappings(meanings: readonly Meaning[]): dashboard.ValueMapping[] {
  return meanings.length === 0
    ? []
    : [
        {
          type: dashboard.MappingType.ValueToText,
          options: Object.fromEntries(
            meanings.map(({ value, text, color }, index) => [
              String(value),
              { text, color, index },
            ]),
          ),
        },
      ];
}

/** What stands where a number is missing, in grey: whatever colour the lowest numbers have. */
export function missing(text: string, color: string = colors.unknown): dashboard.ValueMapping {
  return {
    type: dashboard.MappingType.SpecialValue,
    options: {
      match: dashboard.SpecialValueMatch.NullAndNan,
      result: { text, color, index: 0 },
    },
  };
}

export function legend(
  show: boolean,
  values: readonly string[] = [],
): Builder<common.VizLegendOptions> {
  return new common.VizLegendOptionsBuilder()
    .displayMode(common.LegendDisplayMode.List)
    .placement(common.LegendPlacement.Bottom)
    .showLegend(show)
    .calcs([...values]);
}

export interface DataLink {
  readonly title: string;
  readonly url: string;
}

export function dataLink({ title, url }: DataLink): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(title).url(url);
}

/** Every series at the crosshair, the highest first. */
function tooltip(): Builder<common.VizTooltipOptions> {
  return new common.VizTooltipOptionsBuilder()
    .mode(common.TooltipDisplayMode.Multi)
    .sort(common.SortOrder.Descending);
}

/** Fixed colour, and whatever else a single series needs. Matched by the query's letter. */
interface SeriesStyle {
  readonly color?: string;
  readonly dashed?: boolean;
  readonly unit?: string;
}

export interface Line extends Query, SeriesStyle {}

/** One or more series of a graph, all of them drawn the same way. */
export function line(expr: string, legend: string, style: SeriesStyle = {}): Line {
  return Object.assign(range(expr, legend), style);
}

function styles(lines: readonly Line[]): {
  matcher: dashboard.MatcherConfig;
  properties: dashboard.DynamicConfigValue[];
}[] {
  return lines.flatMap(({ color, dashed, unit }, i) => {
    const properties: dashboard.DynamicConfigValue[] = [];
    if (color !== undefined) {
      properties.push({ id: 'color', value: { mode: 'fixed', fixedColor: color } });
    }
    if (dashed === true) {
      properties.push({ id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } });
    }
    if (unit !== undefined) properties.push({ id: 'unit', value: unit });
    if (properties.length === 0) return [];
    return [{ matcher: { id: 'byFrameRefID', options: refId(i) }, properties }];
  });
}

export interface Lines extends Frame {
  readonly unit: string;
  readonly lines: readonly Line[];
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly stacked?: boolean;
  readonly logarithmic?: boolean;
  /** Dashed lines across the panel. */
  readonly limits?: readonly Step[];
  /** Width of the axis in pixels; panels that stand above each other share it. */
  readonly axis?: number;
  readonly points?: boolean;
  /** What stands in the panel when nothing was measured: why, and that it proves nothing. */
  readonly noValue?: string;
  /** The shortest step: for rules that are evaluated less often than the scrape. */
  readonly minStep?: string;
  /** How far the axis goes at least, where what is usual for the unit does not fit. */
  readonly softMax?: number;
  readonly softMin?: number;
  /** What the legend says of each line, over the range. */
  readonly values?: readonly ('min' | 'max')[];
  /** Where a click on a line leads. */
  readonly link?: DataLink;
}

/** A quiet panel has an axis all the same: without one Grafana draws zeros on 0 to 100, or 10000 %. */
const quietAxis: Readonly<Record<string, number>> = {
  percentunit: 0.1,
  s: 0.1,
  none: 4,
  short: 4,
  cps: 1,
  ops: 1,
  bytes: 1e6,
  Bps: 1e3,
};

/** Numbers over time. Thin lines, no fill, gaps stay gaps. */
export function lines(o: Lines): Panel {
  const panel = new TimeseriesPanel()
    .title(o.title)
    .description(o.description)
    .datasource(datasource)
    .span(o.w)
    .height(o.h)
    .targets(targets(o.lines))
    .unit(o.unit)
    .noValue(o.noValue ?? 'Nothing was measured in this range.')
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .drawStyle(common.GraphDrawStyle.Line)
    .lineInterpolation(common.LineInterpolation.Linear)
    .lineWidth(o.stacked === true ? 0 : 1)
    .fillOpacity(o.stacked === true ? 80 : 0)
    .gradientMode(common.GraphGradientMode.None)
    .showPoints(o.points === true ? common.VisibilityMode.Always : common.VisibilityMode.Auto)
    .pointSize(4)
    .spanNulls(false)
    .axisWidth(o.axis ?? 64)
    .stacking(
      new common.StackingConfigBuilder().mode(
        o.stacked === true ? common.StackingMode.Normal : common.StackingMode.None,
      ),
    )
    .scaleDistribution(
      o.logarithmic === true
        ? new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10)
        : new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Linear),
    )
    .legend(legend(true, o.values))
    .tooltip(tooltip())
    .overrides(styles(o.lines));
  if (o.min !== undefined) panel.min(o.min);
  if (o.max !== undefined) panel.max(o.max);
  else if (o.logarithmic !== true) panel.axisSoftMax(o.softMax ?? quietAxis[o.unit] ?? 1);
  if (o.softMin !== undefined) panel.axisSoftMin(o.softMin);
  if (o.decimals !== undefined) panel.decimals(o.decimals);
  if (o.minStep !== undefined) panel.interval(o.minStep);
  if (o.link !== undefined) panel.dataLinks([dataLink(o.link)]);
  panel.thresholds(steps(o.limits ?? [{ from: null, color: 'transparent' }]));
  panel.thresholdsStyle(
    new common.GraphThresholdsStyleConfigBuilder().mode(
      o.limits === undefined
        ? common.GraphThresholdsStyleMode.Off
        : common.GraphThresholdsStyleMode.Dashed,
    ),
  );
  return panel;
}

export interface Figure extends Frame {
  readonly unit: string;
  readonly query: Query;
  readonly decimals?: number;
  readonly steps: readonly Step[];
  readonly meanings?: readonly Meaning[];
  readonly noValue: string;
  /** Its query says of a machine that does not answer what there is to say. */
  readonly saysItself?: true;
  /** Fill the panel with the colour. For the verdict alone. */
  readonly filled?: boolean;
  /** Show the series name beside the value: one tile per host. */
  readonly named?: boolean;
}

/** One size of numbers on all tiles of a row. The verdict is as large as its panel lets it, also on a phone. */
function sizes(filled: boolean): Builder<common.VizTextDisplayOptions> {
  const text = new common.VizTextDisplayOptionsBuilder().titleSize(14);
  return filled ? text : text.valueSize(28);
}

/** What a figure says where nobody has a number, and not everybody was asked. */
export const unanswered: Meaning = { value: -999, text: 'no answer', color: colors.degraded };
const nobodyAnswers = `(${somebodySilent}) - ${-unanswered.value}`;

const exprOf = ({ query: { expr }, saysItself }: Figure) =>
  saysItself === true ? expr : `${expr} or on () ${nobodyAnswers}`;
const meaningsOf = ({ meanings = [], saysItself }: Figure) =>
  saysItself === true ? meanings : [...meanings, unanswered];

/**
 * One number, large: as it is at the end of the range. Asked as one value, because the last of a range is also
 * that of a machine which has been gone for half an hour. No line behind it: that would be a second tile.
 */
export function figure(o: Figure): Panel {
  const panel = new StatPanel()
    .title(o.title)
    .description(o.description)
    .datasource(datasource)
    .span(o.w)
    .height(o.h)
    .targets(targets([{ ...o.query, expr: exprOf(o), kind: 'instant' }]))
    .unit(o.unit)
    .noValue(o.noValue)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds))
    .thresholds(steps(o.steps))
    .mappings([
      ...mappings(meaningsOf(o)),
      missing(o.noValue, o.filled === true ? colors.degraded : colors.unknown),
    ])
    .reduceOptions(
      new common.ReduceDataOptionsBuilder().values(false).calcs(['lastNotNull']).fields(''),
    )
    .colorMode(
      o.filled === true ? common.BigValueColorMode.BackgroundSolid : common.BigValueColorMode.Value,
    )
    .graphMode(common.BigValueGraphMode.None)
    .justifyMode(common.BigValueJustifyMode.Auto)
    .textMode(
      o.named === true ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value,
    )
    .wideLayout(false)
    .text(sizes(o.filled === true))
    .showPercentChange(false)
    .orientation(o.filled === true ? common.VizOrientation.Horizontal : common.VizOrientation.Auto);
  if (o.decimals !== undefined) panel.decimals(o.decimals);
  return panel;
}
