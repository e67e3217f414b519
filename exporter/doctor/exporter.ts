/** What only the running exporter knows: its /status and /metrics, asked once, with a short deadline. */
import { type GetOptions, httpGet } from '../core/http-get.ts';
import { readWebConfig } from '../http/access/config.ts';
import { messageOf } from '../measure/errors.ts';

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

type Mapping = Readonly<Record<string, unknown>>;
const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null;

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

function refuseCode(status: number): void {
  if (status === 401 || status === 403) {
    throw new Error(
      `it asks for credentials (HTTP ${status}): put them into STEALWATCH_EXPORTER_URL, http://USER:PASSWORD@HOST:PORT, or into STEALWATCH_EXPORTER_TOKEN`,
    );
  }
  if (status !== 200 && status !== 503) throw new Error(`it answers HTTP ${status}`);
}

export interface ExporterPlace {
  readonly url: URL;
  /** Somebody named the URL; else it is where the exporter listens, in whichever way. */
  readonly named: boolean;
  readonly token: string | undefined;
  /** Of the exporter: whether it speaks TLS, and with which certificate. */
  readonly webConfigFile: string | undefined;
}

export type ReadText = (path: string) => Promise<string>;

interface Way {
  readonly url: URL;
  readonly trust: NonNullable<GetOptions['trust']>;
}

/** The certificate is the exporter's own, by its own file: whatever name stands in it, it is the one. */
async function wayTo({ url, named, webConfigFile }: ExporterPlace, read: ReadText): Promise<Way> {
  const { tls } = webConfigFile === undefined ? {} : await readWebConfig(webConfigFile, read);
  if (tls === undefined || (named && url.protocol === 'http:')) return { url, trust: {} };
  if (tls.clientCertificate) {
    throw new Error('it asks its clients for a certificate, and we have none');
  }
  const secure = new URL(url);
  secure.protocol = 'https:';
  const { cert } = tls.context;
  const pinned = { allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  return { url: secure, trust: named || cert === undefined ? {} : { ca: String(cert), ...pinned } };
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

export async function openExporter(place: ExporterPlace, read: ReadText): Promise<AskExporter> {
  const { url, trust } = await wayTo(place, read);
  const { token } = place;
  return async (path, bytes) => {
    const headers = {
      'x-prometheus-scrape-timeout-seconds': String(scrapeSeconds),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const answer = await httpGet(new URL(path, url), deadlineMs, bytes, { headers, trust });
    refuseCode(answer.status);
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
