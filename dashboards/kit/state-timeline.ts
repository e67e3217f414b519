/** State timelines: one lane per signal, and its state as a word. */
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as StateTimelinePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { type Meaning, colors } from './palette.ts';
import {
  type DataLink,
  dataLink,
  type Frame,
  laneAxis,
  legend,
  mappings,
  type Panel,
} from './panels.ts';
import { type Query, datasource, heard, targets } from './query.ts';

export interface Lanes extends Frame {
  readonly lanes: readonly Query[];
  readonly meanings: readonly Meaning[];
  readonly axis?: number;
  readonly noValue?: string;
  /** Where a click on a lane leads. */
  readonly link?: DataLink;
  /** How many lanes are drawn at once, where there may be hundreds. */
  readonly perPage?: number;
  /** One cell per step of this length, for calendars: `1h`. */
  readonly minStep?: string;
}

/** Nobody answered in all of the range. */
const unanswered: Meaning = { value: -2, text: 'no answer', color: colors.degraded };

/** A single gap stays one; without any series there is an error of Grafana's in place of all lanes. */
function orUnanswered(lane: Query): Query {
  const nobody = `(vector(${unanswered.value}) unless on () ${heard})`;
  const [, label] = /\{\{(\w+)\}\}/.exec(lane.legend) ?? [];
  const named =
    label === undefined ? nobody : `label_replace(${nobody}, "${label}", "All", "", "")`;
  return { ...lane, expr: `${lane.expr} or on () ${named}` };
}

/** One lane per signal, coloured by state; the state's word stands in the lane. */
export function lanes(o: Lanes): Panel {
  const panel = new StateTimelinePanel()
    .title(o.title)
    .description(o.description)
    .datasource(datasource)
    .span(o.w)
    .height(o.h)
    .targets(targets(o.lanes.map(orUnanswered)))
    .unit('none')
    .noValue(o.noValue ?? 'Nothing was measured in this range.')
    // Not by thresholds: with those and merged values Grafana draws "0+" and "1+", not the words.
    .colorScheme(
      new dashboard.FieldColorBuilder()
        .mode(dashboard.FieldColorModeId.Fixed)
        .fixedColor(colors.unknown),
    )
    .mappings(mappings([unanswered, ...o.meanings]))
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.85)
    .mergeValues(true)
    .alignValue(common.TimelineValueAlignment.Left)
    .lineWidth(0)
    .fillOpacity(90)
    .spanNulls(false)
    .axisWidth(o.axis ?? laneAxis)
    .disablePagination()
    .legend(legend(false))
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Single)
        .sort(common.SortOrder.None),
    );
  if (o.perPage !== undefined) panel.perPage(o.perPage);
  if (o.minStep !== undefined) panel.interval(o.minStep);
  if (o.link !== undefined) panel.dataLinks([dataLink(o.link)]);
  return panel;
}
