/** docs/metrics.md, from what the collectors declare. */
import type { Metric } from '../../exporter/core/collector.ts';
import { scrapeMetrics } from '../../exporter/core/scrape.ts';
import type { GeneratedFiles } from './files.ts';
import { declaredCollectors } from '../rig/every-collector.ts';

function rowOf({ name, type, labels, help, note = help, buckets }: Metric): string {
  const bounds = buckets.length === 0 ? '' : ` Buckets: ${buckets.join(', ')}.`;
  const text = (note + bounds).replaceAll('|', '\\|');
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${text} |`;
}

function sectionOf(title: string, metrics: readonly Metric[]): string {
  return `## ${title}\n\n| metric | type | labels | what, and where from |\n|---|---|---|---|\n${metrics.map(rowOf).join('\n')}\n`;
}

export async function generatedMetrics(): Promise<GeneratedFiles> {
  const collectors = await declaredCollectors();
  const text = [
    '# Metrics',
    '',
    'Generated from the code by `npm run generate`. One section per collector; its name is the value of the `collector`',
    'label and the word for `--without`. A metric this machine cannot give is absent, never 0:',
    '`stealwatch_signal_supported` and the page at `/` say which, and why.',
    '',
    ...collectors.map(({ name, metrics }) => sectionOf(name, metrics)),
    sectionOf('Every scrape', scrapeMetrics),
  ].join('\n');
  return new Map([['docs/metrics.md', text]]);
}
