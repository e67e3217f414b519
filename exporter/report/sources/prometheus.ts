/** What Prometheus remembers of one host: our metrics, alerts that fired, boots. */
import { messageOf } from '../../measure/errors.ts';
import type { AlertSpan, Boot, Gap, Gathered, Instant, Series, Source } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import type { Focus } from './focus.ts';
import {
  createPrometheusClient,
  type PrometheusClient,
  type RangeSeries,
  type Span,
} from './prometheus-client.ts';
import { queries, type Query, type Select } from './prometheus-queries.ts';

const id = 'prometheus';
const atOnce = 4;
const fineSeconds = 15;
const coarseSeconds = 300;
/** Prometheus gives at most 11,000 points of a series. */
const mostPoints = 10_000;
/** In front of the time of interest lies the day it is compared with, and an hour. */
const before = 25 * 3600;
const leadSeconds = 3600;

const stepFor = (least: number, seconds: number): number =>
  Math.max(least, Math.ceil(seconds / mostPoints));

/** In detail from an hour before the onset, and coarsely over the day before as well. */
function spansOf({ from, to }: Focus): readonly Span[] {
  const fineFrom = Math.min(to, from + before - leadSeconds);
  return [
    { from, to, step: stepFor(coarseSeconds, to - from) },
    { from: fineFrom, to, step: stepFor(fineSeconds, to - fineFrom) },
  ];
}

/** Of several scrapes there must be two in it, at any interval up to a minute. */
const windowOf = ({ step }: Span): string => `${Math.max(step, 60)}s`;

const quoted = (text: string): string => JSON.stringify(text);

const selectorOf =
  (host: string): Select =>
  (name, matchers) =>
    `${name}{host=${quoted(host)}${matchers === undefined ? '' : `,${matchers}`}}`;

/** So many at a time; the first that fails ends it. */
async function inTurns<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < tasks.length; at += atOnce) {
    const part = tasks.slice(at, at + atOnce).map((task) => task());
    results.push(...(await Promise.all(part)));
  }
  return results;
}

function seriesOf(query: Query, { step }: Span, found: readonly RangeSeries[]): Series[] {
  return found
    .filter(({ points }) => points.length > 0)
    .map(({ labels, points }) => {
      const of = query.by === undefined ? undefined : (labels[query.by] ?? '');
      const series = { measure: query.measure, stepSeconds: step, points, source: id };
      return of === undefined
        ? series
        : Object.assign(series, { of: `${query.prefix ?? ''}${of}` });
    });
}

/** Times in which it fires, from points a step apart. Whether it still does shows only where it was asked for now. */
function spansOfAlert(
  { labels, points }: RangeSeries,
  { step, to }: Span,
  now: Instant,
): AlertSpan[] {
  const isNow = to + 2 * step > now;
  const { alertname: name = '', severity = '' } = labels;
  const spans: { from: Instant; last: Instant }[] = [];
  for (const { at } of points) {
    const open = spans.at(-1);
    if (open !== undefined && at - open.last <= 2 * step) open.last = at;
    else spans.push({ from: at, last: at });
  }
  return spans.map(({ from, last }) => {
    const span = { name, severity, from, source: id };
    return isNow && last + step > to ? span : Object.assign(span, { to: last });
  });
}

/** A boot time that differs by more than clocks are set at the start is another boot. */
const otherBootSeconds = 120;

/** A calendar has no more. */
const mostSeconds = 8e12;

function bootsOf(points: RangeSeries['points'], to: Instant): Boot[] {
  const boots: { start: Instant; last: Instant }[] = [];
  for (const { at, value } of points.filter((point) => Math.abs(point.value) < mostSeconds)) {
    const open = boots.at(-1);
    if (open !== undefined && Math.abs(value - open.start) <= otherBootSeconds) open.last = at;
    else boots.push({ start: value, last: at });
  }
  return boots.map(({ start, last }, index) => {
    const ended = index < boots.length - 1 || to - last > coarseSeconds;
    const boot = {
      id: `prometheus ${new Date(start * 1000).toISOString().slice(0, 19)}`,
      start: { earliest: start - 1, latest: start + 1 },
      endSaid: [],
      source: id,
    };
    return ended ? Object.assign(boot, { end: { at: last, how: 'unknown' as const } }) : boot;
  });
}

/** Times without a scrape, where others lie around them. */
function gapsOf(series: readonly Series[]): Gap[] {
  const [finest] = series
    .filter(({ measure }) => measure === 'load_1m')
    .toSorted((one, other) => one.stepSeconds - other.stepSeconds);
  if (finest === undefined) return [];
  const { points, stepSeconds } = finest;
  return points.flatMap(({ at: to }, index) => {
    const from = points[index - 1]?.at;
    return from !== undefined && to - from > 2 * stepSeconds ? [{ from, to, source: id }] : [];
  });
}

const bootTime = 'stealwatch_boot_time_seconds';

/** The host that was named, or the only one there is; else which there are. */
async function hostOf(
  client: PrometheusClient,
  { options }: ReadContext,
  span: Span,
): Promise<string> {
  if (options.host !== undefined) return options.host;
  const found = await client.range(`max by (host) (${bootTime})`, span);
  const hosts = found.map(({ labels }) => labels['host'] ?? '').filter((host) => host !== '');
  const [only] = hosts;
  if (only !== undefined && hosts.length === 1) return only;
  throw new Error(
    hosts.length === 0
      ? 'it has no metrics of stealwatch with a label host in that time'
      : `it knows ${hosts.length} hosts: name one with --host (${hosts.slice(0, 20).join(', ')})`,
  );
}

async function readHost(
  client: PrometheusClient,
  host: string,
  spans: readonly Span[],
  now: Instant,
): Promise<Gathered> {
  const select = selectorOf(host);
  const asked = spans.flatMap((span) => queries.map((query) => ({ span, query })));
  const parts = await inTurns(
    asked.map(({ span, query }) => async () => {
      const found = await client.range(query.expr(select, windowOf(span)), span);
      return seriesOf(query, span, found);
    }),
  );
  const series = parts.flat();
  const fine = spans.at(-1) as Span;
  const alerts = await client.range(
    `max by (alertname, severity) (${select('ALERTS', 'alertstate="firing"')})`,
    fine,
  );
  return {
    series,
    gaps: gapsOf(series),
    alerts: alerts.flatMap((alert) => spansOfAlert(alert, fine, now)),
  };
}

const usualDays = 31;

/** What a first look tells: which host it is about, when it was booted, when somebody was paged. */
export interface Overview {
  readonly client: PrometheusClient;
  /** Empty where nothing could be learnt. */
  readonly host: string;
  readonly boots: readonly Boot[];
  readonly pages: readonly AlertSpan[];
  readonly problem: string | undefined;
}

/** Undefined where no Prometheus was named. */
export async function lookAtPrometheus(context: ReadContext): Promise<Overview | undefined> {
  const { prometheus, from, to } = context.options;
  if (prometheus === undefined) return undefined;
  const client = createPrometheusClient(prometheus);
  const end = to ?? context.surroundings.now();
  const begin = from ?? end - usualDays * 86_400;
  const span = { from: begin, to: end, step: stepFor(coarseSeconds, end - begin) };
  try {
    const host = await hostOf(client, context, span);
    const select = selectorOf(host);
    const [times] = await client.range(`max(${select(bootTime)})`, span);
    const firing = select('ALERTS', 'alertstate="firing",severity="page"');
    const pages = await client.range(`max by (alertname, severity) (${firing})`, span);
    return {
      client,
      host,
      boots: bootsOf(times?.points ?? [], end),
      pages: pages.flatMap((alert) => spansOfAlert(alert, span, context.surroundings.now())),
      problem: undefined,
    };
  } catch (error) {
    return { client, host: '', boots: [], pages: [], problem: messageOf(error) };
  }
}

const sourceOf = (
  client: PrometheusClient,
  series: readonly Series[],
  problems: readonly string[],
): Source => ({
  id,
  kind: 'prometheus',
  name: client.name,
  records: series.reduce((sum, { points }) => sum + points.length, 0),
  timeErrorSeconds: fineSeconds,
  problems: [...client.warnings().map((warning) => `it warns: ${warning}`), ...problems],
});

/** In detail around the time of interest, and coarsely over the day before. */
export async function readPrometheus(
  { client, host, boots, problem }: Overview,
  focus: Focus,
  now: Instant,
): Promise<Gathered> {
  if (problem !== undefined) return { sources: [sourceOf(client, [], [problem])] };
  try {
    const facts = await readHost(client, host, spansOf(focus), now);
    const nothing = facts.series?.length === 0 ? [`it has nothing of ${host} in that time`] : [];
    return { ...facts, boots, sources: [sourceOf(client, facts.series ?? [], nothing)] };
  } catch (error) {
    return { boots, sources: [sourceOf(client, [], [messageOf(error)])] };
  }
}
