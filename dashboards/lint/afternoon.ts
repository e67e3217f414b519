/** The afternoon of the fixture in a real Prometheus, with every recording rule evaluated. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timeOf, writeFixture } from '../incident/fixture.ts';
import type { LabelValues } from '../incident/recorder.ts';
import { begins, closeSeconds, coarseSeconds, ends } from '../incident/timelines.ts';
import { backfill } from './backfill.ts';
import type { View } from './panels.ts';
import { type Prometheus, startPrometheus } from '../../tools/rig/prometheus.ts';

export interface Afternoon {
  readonly prometheus: Prometheus;
  /** Every metric of the fixture with the labels the exporter gives it, and their values. */
  readonly metrics: LabelValues;
  close(): Promise<void>;
}

export async function startAfternoon(): Promise<Afternoon> {
  const directory = mkdtempSync(join(tmpdir(), 'afternoon-'));
  const prometheus = await startPrometheus(directory, coarseSeconds);
  async function close(): Promise<void> {
    await prometheus.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  try {
    const file = join(directory, 'fixture.om');
    const metrics = writeFixture(file);
    await prometheus.load(file);
    const span = { from: timeOf(begins), to: timeOf(ends), step: coarseSeconds };
    await backfill(prometheus, span, directory);
    return { prometheus, metrics, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** One machine from one time of day to another, as a screen of ordinary width shows it. */
export function view(machine: string, from: string, to: string): View {
  return {
    from: timeOf(from),
    to: timeOf(to),
    host: machine === 'all' ? '.*' : machine,
    scrapeSeconds: machine === 'vps1' ? closeSeconds : coarseSeconds,
    points: 1000,
  };
}
