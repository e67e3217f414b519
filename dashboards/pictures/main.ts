/**
 * Pictures for the documentation: `npm run pictures`.
 *
 * Grafana is not needed and not imitated: this draws the layout of each dashboard's JSON, filled
 * with what a real Prometheus answers to its queries on the fixture of the February freeze. It
 * proves that the pages fit a desk and a phone, in dark and in light; not how Grafana looks.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startAfternoon, view } from '../lint/afternoon.ts';
import { type DashboardModel, type PanelModel, committed } from '../lint/model.ts';
import { type Asked, type View, askPanel, hasData, stepOf } from '../lint/panels.ts';
import { barchart, empty, stat, table } from './blocks.ts';
import { type Box, heatmap, stateTimeline, timeseries } from './charts.ts';
import { escape } from './format.ts';

const directory = join(import.meta.dirname, '../../docs/images');
const themes = {
  dark: { page: '#111217', panel: '#181b1f', text: '#ccccdc', faint: '#2a2d33' },
  light: { page: '#f4f5f5', panel: '#ffffff', text: '#24292e', faint: '#e2e4e6' },
} as const;
type Theme = keyof typeof themes;

const widths = { desk: 1600, phone: 390 } as const;
const row = 30;
const gap = 8;

/** What is looked at: the incident on vps1; all hosts where hosts are compared. */
function lookedAt({ uid }: DashboardModel): View {
  if (uid === 'stealwatch-compare') return view('all', '16:30:00', '19:30:00');
  if (uid === 'stealwatch-asynq') return view('vps1', '17:00:00', '17:48:30');
  return view('vps1', '16:35:00', '18:30:00');
}

function body(panel: PanelModel, asked: readonly Asked[], at: View, box: Box): string {
  if (panel.type === 'stat') return stat(panel, asked, box);
  if (panel.type === 'table') return table(panel, asked);
  if (panel.type === 'barchart') return barchart(panel, asked, box);
  if (!asked.some(hasData)) return empty(panel);
  const step = stepOf(panel, at);
  if (panel.type === 'state-timeline') return stateTimeline(panel, asked, step, at, box);
  if (panel.type === 'heatmap') return heatmap(panel, asked, step, at, box);
  return timeseries(panel, asked, step, at, box);
}

interface Placed {
  readonly panel: PanelModel;
  readonly asked: readonly Asked[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** At a desk the grid of the JSON; on a phone one column, by y and then x, as Grafana does. */
function place(
  panels: readonly PanelModel[],
  answers: readonly Asked[][],
  width: number,
): Placed[] {
  const unit = (width - gap) / 24;
  let below = gap;
  const numbered = panels.map((panel, i) => ({ panel, asked: answers[i] ?? [] }));
  if (width > 768) {
    return numbered.map(({ panel, asked }) => {
      const { x, y, w, h } = panel.gridPos;
      return {
        panel,
        asked,
        x: gap + x * unit,
        y: gap + y * (row + gap),
        width: w * unit - gap,
        height: h * (row + gap) - gap,
      };
    });
  }
  numbered.sort(
    (a, b) => a.panel.gridPos.y - b.panel.gridPos.y || a.panel.gridPos.x - b.panel.gridPos.x,
  );
  return numbered.map(({ panel, asked }) => {
    const height = panel.gridPos.h * (row + gap) - gap;
    const y = below;
    below += height + gap;
    return { panel, asked, x: gap, y, width: width - 2 * gap, height };
  });
}

function page(
  model: DashboardModel,
  placed: readonly Placed[],
  at: View,
  width: number,
  theme: Theme,
  release: string,
): string {
  const { page: background, panel: surface, text, faint } = themes[theme];
  const bottom = Math.max(...placed.map(({ y, height }) => y + height));
  const boxes = placed.map(({ panel, asked, x, y, width: w, height }) => {
    const inner = body(panel, asked, at, { width: w - 16, height: height - 38 });
    return `<section style="left:${x}px;top:${y}px;width:${w}px;height:${height}px"><h2>${escape(panel.title)}</h2>${inner}</section>`;
  });
  return `<!doctype html><meta charset="utf-8"><style>
* { box-sizing: border-box } body { margin: 0; background: ${background}; color: ${text}; font: 12px sans-serif; width: ${width}px }
header { padding: 10px 12px 2px; font-size: 17px } main { position: relative; height: ${bottom + gap}px }
section { position: absolute; background: ${surface}; border: 1px solid ${faint}; border-radius: 3px; padding: 6px 8px; overflow: hidden }
h2 { margin: 0 0 6px; font-size: 13px; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
svg { display: block } svg text { fill: ${text}; font-size: 11px } svg text.on { fill: #fff } .grid { stroke: ${faint} }
.tile { font-size: 32px; padding: 10px 4px } .spark { position: absolute; bottom: 6px; left: 8px } .tile small { font-size: 13px; display: block; opacity: .8 } .none { font-size: 14px; opacity: .75 }
.filled { color: #fff; border-radius: 3px; padding: 10px 14px } .legend { height: 20px; overflow: hidden; white-space: nowrap }
.key { margin-right: 14px } .key i { display: inline-block; width: 16px; margin-right: 5px; vertical-align: middle }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: 5px 6px; border-bottom: 1px solid ${faint} } td.number { font-variant-numeric: tabular-nums }
footer { padding: 4px 12px 12px; opacity: .7 }
</style><header>${escape(model.title)}</header><main>${boxes.join('')}</main>
<footer>Drawn from stealwatch's ${model.uid}.json and the answers of Prometheus ${release} on a made-up February freeze. Not a screenshot of Grafana.</footer>`;
}

async function main(): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const afternoon = await startAfternoon();
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const release = await afternoon.prometheus.release();
    for (const model of committed()) {
      const at = lookedAt(model);
      const answers: Asked[][] = [];
      for (const panel of model.panels)
        answers.push(await askPanel(afternoon.prometheus, panel, at));
      for (const [name, width] of Object.entries(widths)) {
        for (const theme of ['dark', 'light'] as const) {
          const placed = place(model.panels, answers, width);
          const tab = await browser.newPage({ viewport: { width, height: 800 } });
          await tab.setContent(page(model, placed, at, width, theme, release));
          const file = `${model.uid.replace('stealwatch-', '')}-${name}-${theme}.png`;
          await tab.screenshot({ path: join(directory, file), fullPage: true });
          await tab.close();
        }
      }
    }
  } finally {
    await browser.close();
    await afternoon.close();
  }
}

await main();
