/**
 * What a screen costs: every query of each dashboard over 24 hours at a 5 s scrape, asked one
 * after the other of a real Prometheus. One machine with everything (Redis, Asynq, canary), the
 * day that ends in the February freeze.
 */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ms, table } from './figures.ts';
import { median } from '../rig/quantile.ts';
import { record, timeOf } from '../../dashboards/incident/fixture.ts';
import { closeSeconds, coarseSeconds, machines } from '../../dashboards/incident/timelines.ts';
import { backfill } from '../../dashboards/lint/backfill.ts';
import { type DashboardModel, committed } from '../../dashboards/lint/model.ts';
import { type View, askPanel } from '../../dashboards/lint/panels.ts';
import { type Prometheus, startPrometheus } from '../rig/prometheus.ts';

const to = timeOf('19:00:00');
const from = to - 24 * 3600;
const rounds = 5;

async function load(prometheus: Prometheus, directory: string): Promise<void> {
  const [machine] = machines;
  if (machine === undefined) throw new Error('the fixture has no machine');
  const file = join(directory, 'day.om');
  writeFileSync(file, '');
  record(machine, { from, to }, (recorder) => recorder.write(file)).write(file);
  appendFileSync(file, '# EOF\n');
  await prometheus.load(file);
  rmSync(file);
  await backfill(prometheus, { from, to, step: coarseSeconds }, directory);
}

async function once(prometheus: Prometheus, { panels }: DashboardModel): Promise<number> {
  const view: View = {
    from,
    to,
    host: 'vps1',
    scrapeSeconds: closeSeconds,
    points: 1500,
  };
  const began = performance.now();
  for (const panel of panels) await askPanel(prometheus, panel, view);
  return (performance.now() - began) / 1000;
}

export async function benchDashboards(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-dashboards-'));
  const prometheus = await startPrometheus(directory, coarseSeconds);
  try {
    await load(prometheus, directory);
    const rows: string[][] = [];
    for (const model of committed()) {
      const seconds: number[] = [];
      for (let i = 0; i < rounds; i++) seconds.push(await once(prometheus, model));
      const queries = model.panels.reduce((sum, { targets }) => sum + targets.length, 0);
      rows.push([
        model.uid,
        `${queries} queries`,
        `first ${ms(seconds[0] ?? Number.NaN)}`,
        `median ${ms(median(seconds))}`,
      ]);
    }
    console.log(table(rows));
  } finally {
    await prometheus.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) await benchDashboards();
