/** Asks a Prometheus, with a deadline and a bound. No error and no name holds what is secret in its URL. */
import { type Answer, httpGet, textOf } from '../../core/http-get.ts';
import type { Instant } from '../facts/facts.ts';
import { isMapping } from '../../measure/mapping.ts';

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
  readonly step: number;
}

export interface RangeSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly { readonly at: Instant; readonly value: number }[];
}

export interface PrometheusClient {
  /** Without user, password and query. */
  readonly name: string;
  /** Rejects with a sentence. */
  range(query: string, span: Span): Promise<readonly RangeSeries[]>;
  /** What it said besides the data: that a part is missing, for example. */
  warnings(): readonly string[];
}

const deadlineMs = 10_000;
const mostBytes = 8 * 1024 * 1024;

interface Body {
  readonly status?: unknown;
  readonly error?: unknown;
  readonly warnings?: unknown;
  readonly data?: { readonly result?: unknown };
}

const plain = (text: string): string => text.replace(/\p{Cc}/gu, ' ').slice(0, 200);

function bodyOf({ status, body }: Answer): Body {
  if (status === 401 || status === 403)
    throw new Error(`it refuses us (${status}): put the user and the password into the URL`);
  if (body.length >= mostBytes) throw new Error('its answer is larger than 8 MB: left out');
  try {
    const parsed: unknown = JSON.parse(textOf(body));
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Said below, whatever it was.
  }
  throw new Error(`it answers ${status} and no JSON: is it a Prometheus, or cut off?`);
}

function pointsOf(values: unknown): RangeSeries['points'] {
  if (!Array.isArray(values)) return [];
  return values.flatMap((pair: unknown) => {
    const [at, text] = Array.isArray(pair) ? (pair as unknown[]) : [];
    const value = Number(text);
    return typeof at === 'number' && Number.isFinite(value) ? [{ at, value }] : [];
  });
}

function seriesOf(result: unknown): RangeSeries[] {
  if (!Array.isArray(result)) return [];
  return result.filter(isMapping).map(({ metric, values }) => {
    const labels = isMapping(metric)
      ? Object.fromEntries(Object.entries(metric).map(([name, value]) => [name, String(value)]))
      : {};
    return { labels, points: pointsOf(values) };
  });
}

export function createPrometheusClient(url: string): PrometheusClient {
  const base = new URL(url);
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.search = '';
  shown.hash = '';
  const warnings = new Set<string>();

  return {
    name: shown.href.replace(/\/$/, ''),
    warnings: () => [...warnings],
    async range(query, { from, to, step }) {
      const target = new URL(base);
      target.pathname = `${base.pathname.replace(/\/$/, '')}/api/v1/query_range`;
      target.search = new URLSearchParams({
        query,
        start: from.toFixed(3),
        end: to.toFixed(3),
        step: String(step),
      }).toString();
      const body = bodyOf(await httpGet(target, deadlineMs, mostBytes));
      if (body.status !== 'success') throw new Error(`it says: ${plain(String(body.error))}`);
      if (Array.isArray(body.warnings))
        for (const warning of body.warnings.slice(0, 8)) warnings.add(plain(String(warning)));
      return seriesOf(body.data?.result);
    },
  };
}
