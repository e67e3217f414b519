/** Ask a panel's queries as Grafana would: its variables, its step, its instant or range. */
import type { DashboardModel, PanelModel, Target } from './model.ts';
import type { Prometheus, Series } from '../../tools/rig/prometheus.ts';
import { interpolate } from '../../alerts/testing/promql.ts';

export interface View {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** A regular expression, as Grafana makes it from the selection. */
  readonly host: string;
  readonly scrapeSeconds: number;
  /** Points that fit: the panel's width in pixels. */
  readonly points: number;
}

export interface Asked {
  readonly target: Target;
  readonly series: readonly Series[];
}

const nice = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600,
];

/**
 * Grafana rounds the step to a nice one, never below the scrape interval or the panel's own. Here
 * it is a multiple of the scrape as well, because backfilled series have no lookback.
 */
function stepOf(panel: PanelModel, view: View): number {
  const own = { '1h': 3600, '2m': 120, '1m': 60 }[panel.interval ?? ''] ?? view.scrapeSeconds;
  const wanted = (view.to - view.from) / view.points;
  const rounded = nice.find((step) => step >= wanted) ?? 86_400;
  const step = Math.max(own, rounded);
  return Math.ceil(step / view.scrapeSeconds) * view.scrapeSeconds;
}

function expressionOf(target: Target, panel: PanelModel, view: View): string {
  const step = stepOf(panel, view);
  const rate = Math.max(step + view.scrapeSeconds, 4 * view.scrapeSeconds);
  const rangeSeconds = view.to - view.from;
  return interpolate(target.expr, {
    rateInterval: `${rate}s`,
    interval: `${step}s`,
    range: `${rangeSeconds}s`,
    rangeSeconds,
    toMs: view.to * 1000,
    job: 'stealwatch',
    host: view.host,
  });
}

export async function askPanel(
  prometheus: Prometheus,
  panel: PanelModel,
  view: View,
): Promise<Asked[]> {
  const step = stepOf(panel, view);
  const answers: Asked[] = [];
  for (const target of panel.targets) {
    const expr = expressionOf(target, panel, view);
    const from = Math.ceil(view.from / step) * step;
    const series = target.range
      ? await prometheus.range(expr, { from, to: view.to, step })
      : await prometheus.instant(expr, view.to);
    answers.push({ target, series });
  }
  return answers;
}

export function hasData({ series }: Asked): boolean {
  return series.some(({ points }) => points.some(([, value]) => Number.isFinite(value)));
}

/** What a panel without numbers says: a table in a row of its own, all others their `noValue`. */
export function saysInstead(panel: PanelModel, asked: readonly Asked[]): string {
  const notes = asked.flatMap(({ series }) => series.flatMap(({ labels }) => labels['note'] ?? []));
  return notes[0] ?? panel.fieldConfig.defaults.noValue ?? '';
}

export function panelNamed(model: DashboardModel | undefined, title: string): PanelModel {
  const found = model?.panels.find((panel) => panel.title === title);
  if (found === undefined) throw new Error(`no panel "${title}"`);
  return found;
}
