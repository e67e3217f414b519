/** Panels with a time axis, as SVG. */
import type { PanelModel } from '../lint/model.ts';
import type { Asked, View } from '../lint/panels.ts';
import { escape, formatValue, legendOf, shownBy } from './format.ts';

export interface Box {
  readonly width: number;
  readonly height: number;
}

interface Scale {
  readonly x: (time: number) => number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

const palette = [
  '#8AB8FF',
  '#F2A93B',
  '#5FA8A0',
  '#B877D9',
  '#C98B3A',
  '#9AA5B1',
  '#E0709B',
  '#7FB26B',
];

function svg(box: Box, inner: string): string {
  return `<svg width="${box.width}" height="${box.height}" viewBox="0 0 ${box.width} ${box.height}">${inner}</svg>`;
}

function text(
  x: number,
  y: number,
  value: string,
  anchor: 'start' | 'middle' | 'end',
  more = '',
): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${more}>${escape(value)}</text>`;
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0.5, width).toFixed(1)}" height="${height.toFixed(1)}" fill="${fill}"/>`;
}

function axisOf(panel: PanelModel, box: Box): number {
  const own = panel.fieldConfig.defaults.custom?.['axisWidth'];
  const yAxis = panel.options['yAxis'] as { axisWidth?: number } | undefined;
  return Math.min(Number(own ?? yAxis?.axisWidth ?? 64), box.width * 0.34);
}

function scaleOf(panel: PanelModel, box: Box, view: View): Scale {
  const left = axisOf(panel, box);
  const right = box.width - 8;
  const bottom = box.height - 20;
  return {
    left,
    right,
    bottom,
    x: (time) => left + ((time - view.from) / (view.to - view.from)) * (right - left),
  };
}

function times({ x, bottom, left, right }: Scale, view: View): string {
  const wanted = Math.max(2, Math.floor((right - left) / 90));
  const nice = [60, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400];
  const step = nice.find((seconds) => (view.to - view.from) / seconds <= wanted) ?? 86_400;
  const marks: string[] = [];
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
    marks.push(`<line x1="${x(at)}" x2="${x(at)}" y1="4" y2="${bottom}" class="grid"/>`);
    const anchor = x(at) > right - 16 ? 'end' : 'middle';
    marks.push(text(x(at), bottom + 14, new Date(at * 1000).toISOString().slice(11, 16), anchor));
  }
  return marks.join('');
}

interface Drawn {
  readonly name: string;
  readonly color: string;
  readonly dashed: boolean;
  readonly points: readonly (readonly [number, number])[];
  readonly step: number;
}

function fixedColor(panel: PanelModel, refId: string): { color?: string; dashed: boolean } {
  const own = panel.fieldConfig.overrides.filter(({ matcher }) => matcher.options === refId);
  const find = (id: string) =>
    own.flatMap(({ properties }) => properties).find((property) => property.id === id)?.value;
  const color = (find('color') as { fixedColor?: string } | undefined)?.fixedColor;
  return {
    ...(color === undefined ? {} : { color }),
    dashed: find('custom.lineStyle') !== undefined,
  };
}

function drawnOf(panel: PanelModel, asked: readonly Asked[], step: number): Drawn[] {
  let next = 0;
  return asked.flatMap(({ target, series }) => {
    const { color, dashed } = fixedColor(panel, target.refId);
    return series.map(({ labels, points }) => ({
      name: legendOf(target.legendFormat, labels),
      color: color ?? palette[next++ % palette.length] ?? '#888',
      dashed,
      points,
      step,
    }));
  });
}

/** Steps without a value stay empty. */
function path({ points, step }: Drawn, x: (t: number) => number, y: (v: number) => number): string {
  let last = -Infinity;
  const parts: string[] = [];
  for (const [time, value] of points) {
    if (!Number.isFinite(value)) continue;
    parts.push(
      `${time - last > step * 1.5 ? 'M' : 'L'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`,
    );
    last = time;
  }
  return parts.join('');
}

function stackedUp(drawn: readonly Drawn[]): Drawn[] {
  const sums = new Map<number, number>();
  return drawn.map((one) => ({
    ...one,
    points: one.points.map(([time, value]) => {
      const sum = (sums.get(time) ?? 0) + value;
      sums.set(time, sum);
      return [time, sum] as const;
    }),
  }));
}

/** Round numbers between two bounds; powers of ten on a logarithmic axis. */
function ticksOf(low: number, top: number, logarithmic: boolean): number[] {
  if (logarithmic) {
    const from = Math.ceil(Math.log10(low));
    const count = Math.floor(Math.log10(top)) - from + 1;
    return Array.from({ length: Math.max(0, count) }, (_, i) => 10 ** (from + i));
  }
  const raw = (top - low) / 4 || 1;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = magnitude * ([1, 2, 5, 10].find((n) => n * magnitude >= raw) ?? 10);
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: 6 }, (_, i) => first + i * step).filter(
    (value) => value <= top * 1.0001,
  );
}

export function timeseries(
  panel: PanelModel,
  asked: readonly Asked[],
  step: number,
  view: View,
  box: Box,
): string {
  const { unit, min, max, custom = {}, thresholds } = panel.fieldConfig.defaults;
  const logarithmic =
    (custom['scaleDistribution'] as { type?: string } | undefined)?.type === 'log';
  const stacked = (custom['stacking'] as { mode?: string } | undefined)?.mode === 'normal';
  const raw = drawnOf(panel, asked, step);
  const drawn = stacked ? stackedUp(raw) : raw;
  const values = drawn
    .flatMap(({ points }) => points.map(([, value]) => value))
    .filter(Number.isFinite);
  const scale = scaleOf(panel, { ...box, height: box.height - 22 }, view);
  const top = max ?? Math.max(...values, logarithmic ? 1e-9 : 0);
  const positive = values.filter((value) => value > 0);
  const low = logarithmic ? Math.min(...positive, top) : (min ?? Math.min(0, ...values));
  const of = (value: number) => (logarithmic ? Math.log10(Math.max(value, low)) : value);
  const span = of(top === low ? low + 1 : top) - of(low) || 1;
  const y = (value: number) => scale.bottom - ((of(value) - of(low)) / span) * (scale.bottom - 8);
  const ticks = ticksOf(low, top, logarithmic).map(
    (value) =>
      `<line x1="${scale.left}" x2="${scale.right}" y1="${y(value)}" y2="${y(value)}" class="grid"/>${text(scale.left - 6, y(value) + 4, formatValue(value, unit), 'end')}`,
  );
  const limits =
    (custom['thresholdsStyle'] as { mode?: string } | undefined)?.mode === 'dashed'
      ? (thresholds?.steps ?? [])
      : [];
  const dashes = limits.flatMap(({ value, color }) =>
    value === null || value > top || value < low
      ? []
      : [
          `<line x1="${scale.left}" x2="${scale.right}" y1="${y(value)}" y2="${y(value)}" stroke="${color === 'transparent' ? '#E0403F' : color}" stroke-dasharray="6 5"/>`,
        ],
  );
  const lines = drawn.map(
    (one) =>
      `<path d="${path(one, scale.x, y)}" fill="none" stroke="${one.color}" stroke-width="1.3" ${one.dashed ? 'stroke-dasharray="6 4"' : ''}/>`,
  );
  const legend = raw
    .slice(0, 12)
    .map(
      ({ name, color, dashed }) =>
        `<span class="key"><i style="border-top:3px ${dashed ? 'dashed' : 'solid'} ${color}"></i>${escape(name)}</span>`,
    )
    .join('');
  const chart = svg(
    { ...box, height: box.height - 22 },
    ticks.join('') + times(scale, view) + dashes.join('') + lines.join(''),
  );
  return `${chart}<div class="legend">${legend}</div>`;
}

export function stateTimeline(
  panel: PanelModel,
  asked: readonly Asked[],
  step: number,
  view: View,
  box: Box,
): string {
  const scale = scaleOf(panel, box, view);
  const lanes = drawnOf(panel, asked, step);
  const height = (scale.bottom - 4) / Math.max(1, lanes.length);
  const rows = lanes.map(({ name, points }, row) => {
    const y = 4 + row * height;
    const runs: { from: number; to: number; value: number }[] = [];
    for (const [time, value] of points) {
      if (!Number.isFinite(value)) continue;
      const run = runs.at(-1);
      if (run !== undefined && run.value === value && time - run.to <= step * 0.5)
        run.to = time + step;
      else runs.push({ from: time, to: time + step, value });
    }
    const bars = runs.map(({ from, to, value }) => {
      const { text: word, color } = shownBy(panel, value);
      const width = scale.x(Math.min(to, view.to)) - scale.x(from);
      const label =
        width > word.length * 7 + 8
          ? text(scale.x(from) + 5, y + height * 0.5 + 4, word, 'start', 'class="on"')
          : '';
      return rect(scale.x(from), y + height * 0.08, width, height * 0.84, color) + label;
    });
    return text(scale.left - 6, y + height * 0.5 + 4, name, 'end') + bars.join('');
  });
  return svg(box, times(scale, view) + rows.join(''));
}

/** Oranges, pale to strong, as d3 has them; weak values are pale on both themes. */
function orange(share: number): string {
  const t = Math.sqrt(Math.min(1, Math.max(0, share)));
  const mix = (a: number, b: number) => Math.round(a + (b - a) * t);
  return `rgb(${mix(253, 150)},${mix(226, 54)},${mix(197, 4)})`;
}

interface Row {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

/** Prometheus counts buckets cumulatively; a cell is what falls into its bucket alone. */
function bucketRows(asked: readonly Asked[]): Row[] {
  const series = asked
    .flatMap((one) => one.series)
    .sort(
      (a, b) =>
        Number(a.labels['le']?.replace('+Inf', 'Infinity')) -
        Number(b.labels['le']?.replace('+Inf', 'Infinity')),
    );
  return series.map(({ labels, points }, i) => {
    const below = new Map(series[i - 1]?.points);
    return {
      name: formatValue(Number(labels['le']), 's') || '+Inf',
      points: points.map(([time, value]) => [time, value - (below.get(time) ?? 0)] as const),
    };
  });
}

export function heatmap(
  panel: PanelModel,
  asked: readonly Asked[],
  step: number,
  view: View,
  box: Box,
): string {
  const scale = scaleOf(panel, box, view);
  const isBuckets = panel.targets[0]?.format === 'heatmap';
  const rows = isBuckets ? bucketRows(asked) : drawnOf(panel, asked, step);
  const color = panel.options['color'] as { max?: number } | undefined;
  const most =
    color?.max ?? Math.max(...rows.flatMap(({ points }) => points.map(([, value]) => value)), 1e-9);
  const height = (scale.bottom - 4) / Math.max(1, rows.length);
  const cells = rows.map(({ name, points }, i) => {
    const y = scale.bottom - (i + 1) * height;
    const row = points.map(([time, value]) => {
      const [from, to] = [Math.max(scale.left, scale.x(time - step)), scale.x(time)];
      return value > 1e-9 ? rect(from, y + 1, to - from, height - 1, orange(value / most)) : '';
    });
    return (
      (rows.length <= 8 || i % 2 === 1
        ? text(scale.left - 6, y + height / 2 + 4, name, 'end')
        : '') + row.join('')
    );
  });
  return svg(box, times(scale, view) + cells.join(''));
}
