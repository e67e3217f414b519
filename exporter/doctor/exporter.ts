/** What only the running exporter knows: its /status and /metrics, asked once, with a short deadline. */
import { httpGet } from '../core/http-get.ts';
import {
  type ExporterPlace,
  type ReadText,
  refuseCredentialsWanted,
  type Way,
  wayTo,
} from '../http/access/way-in.ts';
import { messageOf } from '../measure/errors.ts';
import { isMapping, type Mapping } from '../measure/mapping.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface StatusCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly state: string;
  readonly reason: string;
}

export interface ExporterFacts {
  /** Of /metrics, by name; empty where it has none of it. */
  readonly samples: (name: string) => readonly Sample[];
  readonly check: (name: string) => StatusCheck | undefined;
  /** How long ago a client from elsewhere was answered, and one that a gateway hides; undefined for never. */
  readonly askedSecondsAgo: {
    readonly fromElsewhere: number | undefined;
    readonly throughGateway: number | undefined;
  };
}

const deadlineMs = 1800;
/** What is left of it for a scrape whose Redis is frozen. */
const scrapeSeconds = 1.5;
const mostBytes = 4 * 1024 * 1024;
const mostStatusBytes = 256 * 1024;

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \S+)?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
}

/** Ours are shorter, label values included. The patterns above take more than their length. */
const longestLine = 2048;

/** Lines of the text format with this name, in order; one that is none is passed over. */
export function samplesOf(text: string, name: string): Sample[] {
  return text.split('\n').flatMap((row) => {
    if (!row.startsWith(name) || row.length > longestLine) return [];
    const [, found, labels = '', value = ''] = line.exec(row) ?? [];
    if (found !== name) return [];
    const pairs = [...labels.matchAll(label)].map(
      ([, key = '', quoted = '']) => [key, unescaped(quoted)] as const,
    );
    return [{ labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

const secondsOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

function checkOf(raw: unknown): StatusCheck[] {
  if (!isMapping(raw)) return [];
  const { name, ok, state, reason } = raw;
  if (typeof name !== 'string' || typeof ok !== 'boolean') return [];
  return [{ name, ok, state: String(state), reason: String(reason) }];
}

function statusFrom(body: string): Mapping {
  let status: unknown;
  try {
    status = JSON.parse(body);
  } catch (error) {
    throw new Error('its /status is not JSON: something else listens there', { cause: error });
  }
  if (isMapping(status) && Array.isArray(status['checks'])) return status;
  throw new Error('its /status has no checks: something else listens there');
}

function refuseCode(status: number, way: Way): void {
  refuseCredentialsWanted(status, way);
  if (status !== 200 && status !== 503) throw new Error(`it answers HTTP ${status}`);
}

/** `origin` holds neither user nor password. */
export async function askExporter(place: ExporterPlace, read: ReadText): Promise<ExporterFacts> {
  try {
    return await factsOf(await openExporter(place, read));
  } catch (error) {
    throw new Error(`${place.url.origin}: ${messageOf(error)}`, { cause: error });
  }
}

/** The body of a path of the exporter, at most so many bytes of it. Rejects with a sentence. */
export type AskExporter = (path: string, bytes: number) => Promise<string>;

export async function openExporter(place: ExporterPlace, read?: ReadText): Promise<AskExporter> {
  const way = await wayTo(place, read);
  const { url, options } = way;
  return async (path, bytes) => {
    const headers = {
      ...options.headers,
      'x-prometheus-scrape-timeout-seconds': String(scrapeSeconds),
    };
    const answer = await httpGet(new URL(path, url), deadlineMs, bytes, { ...options, headers });
    refuseCode(answer.status, way);
    return answer.body;
  };
}

async function factsOf(ask: AskExporter): Promise<ExporterFacts> {
  const [status, metrics] = await Promise.all([
    ask('/status', mostStatusBytes).then(statusFrom),
    ask('/metrics', mostBytes),
  ]);
  // The last that an exporter says.
  if (!/^stealwatch_verdict .*\n$/m.test(metrics)) {
    throw new Error('its /metrics came in part only, or something else listens there');
  }
  const checks = (status['checks'] as unknown[]).flatMap(checkOf);
  const asked = isMapping(status['askedSecondsAgo']) ? status['askedSecondsAgo'] : {};
  return {
    samples: (name) => samplesOf(metrics, name),
    check: (name) => checks.find((one) => one.name === name),
    askedSecondsAgo: {
      fromElsewhere: secondsOf(asked['fromElsewhere']),
      throughGateway: secondsOf(asked['throughGateway']),
    },
  };
}
