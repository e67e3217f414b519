/**
 * Plain data to exposition text. The only file that knows prom-client.
 *
 * prom-client only renders here: its registry is handed ready values. Its own collect() hooks are
 * not used, because one that rejects or hangs takes the whole scrape down.
 */
import { Registry, type Metric as PromMetric } from 'prom-client';
import { boundText } from './bucket-bound.ts';
import type { Family, Labels, Metric, Sample } from '../core/collector.ts';
import type { HistogramValue } from '../measure/histogram.ts';
import { createPace } from '../core/pace.ts';
import { type Page, plainPage, type Prepared } from '../core/prepared.ts';

export type Format = 'text' | 'openmetrics';

export const contentTypes = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const satisfies Record<Format, string>;

interface Line {
  readonly metricName?: string;
  readonly labels: Labels;
  /** prom-client formats an object it is given here once, and remembers the text. */
  readonly sharedLabels?: Labels;
  readonly value: number;
}

const noLabels: Labels = {};

function histogramLines(metric: Metric, labels: Labels, { counts, sum }: HistogramValue): Line[] {
  if (counts.length !== metric.buckets.length + 1) {
    throw new Error(
      `${metric.name}: ${counts.length} bucket counts, expected ${metric.buckets.length + 1}`,
    );
  }
  let cumulative = 0;
  const lines: Line[] = counts.map((count, i) => {
    cumulative += count;
    const le = boundText(metric.buckets[i] ?? Number.POSITIVE_INFINITY);
    return { metricName: `${metric.name}_bucket`, labels: { ...labels, le }, value: cumulative };
  });
  lines.push({ metricName: `${metric.name}_sum`, labels, value: sum });
  lines.push({ metricName: `${metric.name}_count`, labels, value: cumulative });
  return lines;
}

function linesOf({ metric, samples }: Family): Line[] {
  return samples.flatMap(({ labels, value }) =>
    typeof value === 'number'
      ? [{ labels: noLabels, sharedLabels: labels, value }]
      : histogramLines(metric, labels, value),
  );
}

function sameValue(a: Sample['value'], b: Sample['value']): boolean {
  if (typeof a === 'number' || typeof b === 'number') return Object.is(a, b);
  return a.sum === b.sum && a.counts.every((count, i) => count === b.counts[i]);
}

function sameLabels(a: Labels, b: Labels): boolean {
  if (a === b) return true;
  const names = Object.keys(a);
  const others = Object.keys(b);
  return (
    names.length === others.length &&
    names.every((name, i) => others[i] === name && a[name] === b[name])
  );
}

/** A loop, because it runs for every series at every scrape. */
function sameSamples({ samples }: Family, { samples: others }: Family): boolean {
  if (samples.length !== others.length) return false;
  for (let i = 0; i < samples.length; i += 1) {
    const one = samples[i];
    const other = others[i];
    if (one === undefined || other === undefined || !sameValue(one.value, other.value))
      return false;
    if (!sameLabels(one.labels, other.labels)) return false;
  }
  return true;
}

function twice(families: readonly Family[]): string {
  const names = families.map(({ metric }) => metric.name);
  return names.filter((name, i) => names.indexOf(name) < i).join(' ');
}

/** Texts of larger families, those of a fleet of queues, are not kept. */
const mostKeptSamples = 64;

/** Renders families in the order given. A family without samples is left out. */
export type Renderer = (families: readonly Family[]) => Promise<string>;

/** The same, with what was prepared as it is, in its place. */
export type PageRenderer = (families: readonly Family[]) => Promise<Page>;

/** Lines alone, without what a family begins with. They are the same in every format. */
export type LineRenderer = (metric: Metric, samples: readonly Sample[]) => Promise<string>;

/**
 * Keeps the text of each family, for as long as its samples stay what they are: from one scrape
 * to the next most do. Families are plain data, and nobody changes one that was handed over.
 */
export function createPageRenderer(format: Format): PageRenderer {
  const registry = new Registry(contentTypes[format]);
  /** What the registry finds when it asks for the values of a metric. */
  let asked: Family | undefined;
  const kept = new Map<string, { family: Family; text: string }>();

  function get() {
    if (asked === undefined) throw new Error('asked for the values of no metric');
    const { name, help, type } = asked.metric;
    const openMetricsName =
      format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
    return { name: openMetricsName, help, type, values: linesOf(asked) };
  }

  function keptText(family: Family): string | undefined {
    if (family.prepared !== undefined) return undefined;
    const known = kept.get(family.metric.name);
    const same = known?.family.metric === family.metric && sameSamples(known.family, family);
    return same ? known.text : undefined;
  }

  async function textOf(family: Family): Promise<string> {
    const { name } = family.metric;
    if (registry.getSingleMetric(name) === undefined) {
      // The registry uses nothing but `name` and `get`; its type asks for a metric class.
      registry.registerMetric({ name, get } as unknown as PromMetric);
    }
    // The registry asks before it first waits, so renderings at once do not mix.
    asked = family;
    const raw = registry.getSingleMetricAsString(name);
    asked = undefined;
    // prom-client prints NaN as "Nan", which the exposition format does not know.
    const text = `${(await raw).replaceAll(/ Nan$/gm, ' NaN')}\n`;
    if (family.samples.length <= mostKeptSamples) kept.set(name, { family, text });
    return text;
  }

  return async (families) => {
    const present = families.filter(
      ({ samples, prepared }) => samples.length > 0 || (prepared?.length ?? 0) > 0,
    );
    const names = new Set(present.map(({ metric }) => metric.name));
    if (names.size < present.length) throw new Error(`published twice: ${twice(present)}`);
    const pace = createPace();
    const page: (string | Prepared)[] = [];
    let text = '';
    for (const family of present) {
      const known = keptText(family);
      text += known ?? (await textOf(family));
      // One after the other: rendering waits for nothing, the registry only says it may. A small
      // family takes microseconds.
      if (family.samples.length > mostKeptSamples) await pace();
      if (family.prepared === undefined) continue;
      page.push(text, family.prepared);
      text = '';
    }
    return [...page, text + (format === 'openmetrics' ? '# EOF\n' : '')];
  };
}

export function createRenderer(format: Format): Renderer {
  const render = createPageRenderer(format);
  return async (families) => {
    let text = '';
    for await (const bytes of plainPage(await render(families))) text += bytes.toString();
    return text;
  };
}

export function createLineRenderer(): LineRenderer {
  const render = createPageRenderer('text');
  return async (metric, samples) => {
    const [text = ''] = await render([{ metric, samples }]);
    if (typeof text !== 'string') throw new Error('rendered lines are text');
    // The two lines of HELP and TYPE.
    return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
  };
}
