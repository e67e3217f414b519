/** Writes docs/metrics.md from what the collectors declare. `--check` fails when it would change. */
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../exporter/clock.ts';
import type { Metric } from '../exporter/collector.ts';
import { collectorNames, createCollectors } from '../exporter/collectors/index.ts';
import { readConfig } from '../exporter/config.ts';
import { createPseudoFs } from '../exporter/procfs/reader.ts';
import { createRequestCounter } from '../exporter/requests.ts';
import { scrapeMetrics } from '../exporter/scrape.ts';

const path = 'docs/metrics.md';
const nowhere = '/nonexistent';
/** What brings in the collectors that have nothing to do unless they are configured. */
const apps = ['--app', 'x=http://127.0.0.1:1/'];
const everything = [...apps, '--heartbeat-url', 'http://127.0.0.1:1/', '--canary=4'];

function rowOf({ name, type, labels, help, note = help, buckets }: Metric): string {
  const bounds = buckets.length === 0 ? '' : ` Buckets: ${buckets.join(', ')}.`;
  const text = (note + bounds).replaceAll('|', '\\|');
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${text} |`;
}

function sectionOf(title: string, metrics: readonly Metric[]): string {
  return `## ${title}\n\n| metric | type | labels | what, and where from |\n|---|---|---|---|\n${metrics.map(rowOf).join('\n')}\n`;
}

const command = readConfig({
  argv: ['--kmsg', `${nowhere}/kmsg`, '--redis-url', 'redis://127.0.0.1:1', ...everything],
  env: {},
  version: '',
  collectors: collectorNames,
});
if (command.kind !== 'run') throw new Error('the default configuration is not valid');
const collectors = createCollectors({
  config: command.config,
  clock: systemClock,
  procfs: createPseudoFs(nowhere),
  sysfs: createPseudoFs(nowhere),
  requests: createRequestCounter(),
  checks: () => [],
});
await Promise.all(collectors.map(async (collector) => collector.close?.()));

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
