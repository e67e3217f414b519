/** Writes docs/metrics.md from what the collectors declare. `--check` fails when it would change. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Metric } from '../exporter/core/collector.ts';
import { scrapeMetrics } from '../exporter/core/scrape.ts';
import { declaredCollectors } from './rig/every-collector.ts';

const path = 'docs/metrics.md';

function rowOf({ name, type, labels, help, note = help, buckets }: Metric): string {
  const bounds = buckets.length === 0 ? '' : ` Buckets: ${buckets.join(', ')}.`;
  const text = (note + bounds).replaceAll('|', '\\|');
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${text} |`;
}

function sectionOf(title: string, metrics: readonly Metric[]): string {
  return `## ${title}\n\n| metric | type | labels | what, and where from |\n|---|---|---|---|\n${metrics.map(rowOf).join('\n')}\n`;
}

const collectors = await declaredCollectors();
const text = [
  '# Metrics',
  '',
  'Generated from the code by `npm run docs`. One section per collector; its name is the value of the `collector`',
  'label and the word for `--without`. A metric this machine cannot give is absent, never 0:',
  '`stealwatch_signal_supported` and the page at `/` say which, and why.',
  '',
  ...collectors.map(({ name, metrics }) => sectionOf(name, metrics)),
  sectionOf('Every scrape', scrapeMetrics),
].join('\n');

if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  console.error(`${path} is not what the code declares: run npm run docs`);
  process.exit(1);
}
