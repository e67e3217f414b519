/**
 * docs/images/incident-timeline.svg: the incident timeline of the forensics page, from its JSON and what a
 * real Prometheus answers to its queries on the fixture of the February freeze. Not how Grafana draws it.
 */
import { join } from 'node:path';
import { type Afternoon, view } from '../lint/afternoon.ts';
import { committed, type PanelModel } from '../lint/model.ts';
import { askPanel, stepOf } from '../lint/panels.ts';

export const picturePath = join(import.meta.dirname, '../../docs/images/incident-timeline.svg');

const width = 1600;
const lane = { height: 36, bar: 30 };
const left = 150;
const right = width - 12;
const top = 44;
const tickSeconds = 600;
const colors = { page: '#111217', text: '#ccccdc', faint: '#2a2d33', word: '#ffffff' };

type Point = readonly [time: number, value: number];

interface Run {
  readonly from: number;
  readonly to: number;
  readonly value: number;
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** What has one value for a while. A step without a value is a gap. */
function runsOf(points: readonly Point[], step: number): Run[] {
  const runs: Run[] = [];
  for (const [from, value] of points) {
    if (!Number.isFinite(value)) continue;
    const last = runs.at(-1);
    if (last?.value === value && from <= last.to) {
      runs.splice(-1, 1, { ...last, to: from + step });
    } else runs.push({ from, to: from + step, value });
  }
  return runs;
}

function meaningOf(panel: PanelModel, value: number): { text: string; color: string } {
  for (const { options } of panel.fieldConfig.defaults.mappings ?? []) {
    const meaning = options[String(value)];
    if (meaning !== undefined) return meaning;
  }
  throw new Error(`${panel.title}: ${value} means nothing`);
}

function textAt(x: number, y: number, text: string, more: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(text)}</text>`;
}

function timelinePanel(): PanelModel {
  const panel = committed()
    .flatMap(({ panels }) => panels)
    .find(({ title }) => title.startsWith('Incident timeline'));
  if (panel === undefined) throw new Error('no page has an incident timeline any more');
  return panel;
}

export async function timelinePicture({
  prometheus,
}: Pick<Afternoon, 'prometheus'>): Promise<string> {
  const panel = timelinePanel();
  const shown = view('vps1', '16:35:00', '18:30:00');
  const step = stepOf(panel, shown);
  const asked = await askPanel(prometheus, panel, shown);
  const lanes = asked.flatMap(({ target, series }) =>
    series.map(({ points }) => ({ name: target.legendFormat, runs: runsOf(points, step) })),
  );
  const bottom = top + lanes.length * lane.height;
  const x = (time: number) =>
    left + ((Math.min(time, shown.to) - shown.from) / (shown.to - shown.from)) * (right - left);

  function bar(y: number, { from, to, value }: Run): string {
    const { text, color } = meaningOf(panel, value);
    const length = x(to) - x(from);
    const word =
      length > text.length * 7 + 8
        ? textAt(x(from) + 5, y + 20, text, `fill="${colors.word}"`)
        : '';
    return `<rect x="${x(from).toFixed(1)}" y="${y}" width="${length.toFixed(1)}" height="${lane.bar}" fill="${color}"/>${word}`;
  }

  const marks: string[] = [];
  for (
    let at = Math.ceil(shown.from / tickSeconds) * tickSeconds;
    at <= shown.to;
    at += tickSeconds
  ) {
    const time = new Date(at * 1000).toISOString().slice(11, 16);
    marks.push(
      `<path d="M${x(at).toFixed(1)} ${top - 4}V${bottom}" stroke="${colors.faint}"/>`,
      textAt(x(at), bottom + 20, time, `text-anchor="${at === shown.to ? 'end' : 'middle'}"`),
    );
  }
  const rows = lanes.map(({ name, runs }, i) => {
    const y = top + i * lane.height;
    const label = textAt(left - 8, y + 20, name, 'text-anchor="end"');
    return [label, ...runs.map((run) => bar(y, run))].join('\n');
  });
  const height = bottom + 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="13" fill="${colors.text}">
<rect width="${width}" height="${height}" fill="${colors.page}"/>
${textAt(12, 24, panel.title, 'font-size="15" font-weight="600"')}
${marks.join('\n')}
${rows.join('\n')}
</svg>
`;
}
