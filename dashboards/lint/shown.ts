/** What a person reads off a board: the number of a figure, a cell of a table, the peaks of a chart. */
import type { Prometheus } from '../../tools/rig/prometheus.ts';
import type { DashboardModel } from './model.ts';
import { askPanel, panelNamed, type View } from './panels.ts';

type Point = readonly [time: number, value: number];

export interface Shown {
  /** The number a figure shows: the last of its one series, NaN skipped. */
  figure(dashboard: string, title: string, at: View): Promise<number>;
  /** The cell of a table: the value of the query of a column, for one row. */
  cell(
    dashboard: string,
    title: string,
    column: string,
    row: Readonly<Record<string, string>>,
    at: View,
  ): Promise<number>;
  /** Largest value of each series of a panel, by legend or by the one label it has. */
  peaks(dashboard: string, title: string, at: View): Promise<Map<string, number>>;
  /** The lanes of the incident timeline. */
  lanes(at: View): Promise<Map<string, readonly Point[]>>;
}

export function shownBy(prometheus: Prometheus, models: readonly DashboardModel[]): Shown {
  const panelOf = (dashboard: string, title: string) =>
    panelNamed(
      models.find(({ uid }) => uid === `stealwatch-${dashboard}`),
      title,
    );

  return {
    async figure(dashboard, title, at) {
      const [asked] = await askPanel(prometheus, panelOf(dashboard, title), at);
      const points = asked?.series[0]?.points.filter(([, value]) => Number.isFinite(value)) ?? [];
      return points.at(-1)?.[1] ?? Number.NaN;
    },
    async cell(dashboard, title, column, row, at) {
      const panel = panelOf(dashboard, title);
      const names = panel.transformations?.find(({ id }) => id === 'organize')?.options[
        'renameByName'
      ];
      const source = Object.entries((names ?? { Value: column }) as Record<string, string>).find(
        ([, name]) => name === column,
      )?.[0];
      const asked = await askPanel(prometheus, panel, at);
      const answer = asked.find(({ target }) =>
        ['Value', `Value #${target.refId}`].includes(source ?? ''),
      );
      const found = answer?.series.find(({ labels }) =>
        Object.entries(row).every(([name, value]) => labels[name] === value),
      );
      return found?.points[0]?.[1] ?? Number.NaN;
    },
    async peaks(dashboard, title, at) {
      const result = new Map<string, number>();
      for (const { target, series } of await askPanel(prometheus, panelOf(dashboard, title), at)) {
        for (const { labels, points } of series) {
          const name = target.legendFormat.replaceAll(
            /\{\{(\w+)\}\}/g,
            (_, key: string) => labels[key] ?? '',
          );
          result.set(name, Math.max(...points.map(([, value]) => value).filter(Number.isFinite)));
        }
      }
      return result;
    },
    async lanes(at) {
      const panel = panelOf('freeze', 'Incident timeline: cause at the top, symptom at the bottom');
      const asked = await askPanel(prometheus, panel, at);
      return new Map(
        asked.map(({ target, series }) => [target.legendFormat, series[0]?.points ?? []]),
      );
    },
  };
}
