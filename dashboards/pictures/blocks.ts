/** Panels without a time axis: figures, tables, bars. */
import type { Mapping, PanelModel, ThresholdSteps } from '../lint/model.ts';
import type { Asked } from '../lint/panels.ts';
import type { Box } from './charts.ts';
import { type Shown, escape, formatValue, legendOf, shown, shownBy } from './format.ts';

function paint({ text, color }: Shown, tag = 'span'): string {
  const style = color === 'text' ? '' : ` style="color:${color}"`;
  return `<${tag}${style}>${escape(text)}</${tag}>`;
}

/** The range behind a figure, along the lower edge of its panel. */
function sparkline(panel: PanelModel, asked: readonly Asked[], box: Box): string {
  if (panel.options['graphMode'] !== 'area') return '';
  const points = (asked[0]?.series[0]?.points ?? []).filter(([, value]) => Number.isFinite(value));
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last[0] === first[0]) return '';
  const most = Math.max(...points.map(([, value]) => value), 1e-9);
  const height = box.height * 0.35;
  const path = points.map(([time, value]) => {
    const x = ((time - first[0]) / (last[0] - first[0])) * box.width;
    return `${x.toFixed(1)},${(height - 2 - (Math.max(0, value) / most) * (height - 4)).toFixed(1)}`;
  });
  return `<svg class="spark" width="${box.width}" height="${height}"><polyline points="${path.join(' ')}" fill="none" stroke="#9AA5B1"/></svg>`;
}

export function stat(panel: PanelModel, asked: readonly Asked[], box: Box): string {
  const filled = panel.options['colorMode'] === 'background';
  const named = panel.options['textMode'] === 'value_and_name';
  const tiles = asked.flatMap(({ target, series }) =>
    series.flatMap(({ labels, points }) => {
      const last = points.findLast(([, value]) => Number.isFinite(value))?.[1];
      if (last === undefined) return [];
      const show = shownBy(panel, last);
      const name = named ? `<small>${escape(legendOf(target.legendFormat, labels))}</small>` : '';
      return [
        filled
          ? `<div class="tile filled" style="background:${show.color}">${name}${escape(show.text)}</div>`
          : `<div class="tile">${name}${paint(show)}</div>`,
      ];
    }),
  );
  return tiles.length === 0 ? empty(panel) : tiles.join('') + sparkline(panel, asked, box);
}

export function empty(panel: PanelModel): string {
  return `<div class="tile none">${escape(panel.fieldConfig.defaults.noValue ?? '')}</div>`;
}

interface Cells {
  readonly key: string;
  readonly values: Map<string, string>;
}

/** `merge` joins the rows of all queries on their labels, then columns get their titles. */
function rowsOf(asked: readonly Asked[]): Cells[] {
  const rows = new Map<string, Cells>();
  for (const { target, series } of asked) {
    const column = asked.length === 1 ? 'Value' : `Value #${target.refId}`;
    for (const { labels, points } of series) {
      const key = JSON.stringify(
        Object.entries(labels)
          .filter(([name]) => name !== '__name__')
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
      const row = rows.get(key) ?? { key, values: new Map(Object.entries(labels)) };
      row.values.set(column, String(points[0]?.[1] ?? Number.NaN));
      rows.set(key, row);
    }
  }
  return [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function cell(panel: PanelModel, title: string, value: string | undefined): string {
  const properties = panel.fieldConfig.overrides.flatMap(({ matcher, properties }) =>
    matcher.options === title ? properties : [],
  );
  const find = (id: string) => properties.find((property) => property.id === id)?.value;
  if (value === undefined || value === 'NaN') return '<td></td>';
  if (Number.isNaN(Number(value))) return `<td>${escape(value)}</td>`;
  const show = shown(
    Number(value),
    (find('unit') as string | undefined) ?? 'none',
    find('decimals') as number | undefined,
    find('mappings') as readonly Mapping[] | undefined,
    find('thresholds') as ThresholdSteps | undefined,
  );
  return `<td class="number">${paint(show)}</td>`;
}

export function table(panel: PanelModel, asked: readonly Asked[]): string {
  const organize = panel.transformations?.find(({ id }) => id === 'organize');
  const titles = Object.entries(
    (organize?.options['renameByName'] ?? {}) as Record<string, string>,
  );
  const order = (organize?.options['indexByName'] ?? {}) as Record<string, number>;
  titles.sort(([a], [b]) => (order[a] ?? 0) - (order[b] ?? 0));
  const calculated = panel.transformations?.find(({ id }) => id === 'calculateField')?.options as
    | { alias: string; binary: { left: string; right: string } }
    | undefined;
  const rows = rowsOf(asked);
  if (rows.length === 0) return empty(panel);
  const heads = [
    ...titles.map(([, title]) => title),
    ...(calculated === undefined ? [] : [calculated.alias]),
  ];
  const body = rows.map(({ values }) => {
    const named = new Map(titles.map(([source, title]) => [title, values.get(source)]));
    if (calculated !== undefined) {
      const { left, right } = calculated.binary;
      named.set(calculated.alias, (Number(named.get(left)) / Number(named.get(right))).toFixed(2));
    }
    return `<tr>${heads.map((title) => cell(panel, title, named.get(title))).join('')}</tr>`;
  });
  return `<table><tr>${heads.map((title) => `<th>${escape(title)}</th>`).join('')}</tr>${body.join('')}</table>`;
}

export function barchart(panel: PanelModel, asked: readonly Asked[], box: Box): string {
  const label = String(panel.options['xField']);
  const bars = asked
    .flatMap(({ series }) => series)
    .map(({ labels, points }) => ({ name: labels[label] ?? '', value: points[0]?.[1] ?? 0 }))
    .sort((a, b) => Number(a.name) - Number(b.name) || (a.name < b.name ? -1 : 1));
  if (bars.length === 0) return empty(panel);
  const most = Math.max(...bars.map(({ value }) => value), 1e-9);
  const width = (box.width - 20) / bars.length;
  const color = panel.fieldConfig.defaults.color?.fixedColor ?? '#888';
  const parts = bars.map(({ name, value }, i) => {
    const height = (value / most) * (box.height - 50);
    const x = 10 + i * width;
    const middle = x + width / 2;
    return `<rect x="${x + width * 0.15}" y="${box.height - 24 - height}" width="${width * 0.7}" height="${height}" fill="${color}"/>
<text x="${middle}" y="${box.height - 8}" text-anchor="middle">${escape(name)}</text>
<text x="${middle}" y="${box.height - 30 - height}" text-anchor="middle">${formatValue(value, panel.fieldConfig.defaults.unit)}</text>`;
  });
  return `<svg width="${box.width}" height="${box.height}">${parts.join('')}</svg>`;
}
