/** What the exporter says of itself at `/`, asked once, or why it cannot be had. */
import type { Severity } from '../core/collector.ts';
import { type Answer, httpGet, wasConnected } from '../core/http-get.ts';
import {
  type ExporterPlace,
  refuseCredentialsWanted,
  type Way,
  wayTo,
} from '../http/access/way-in.ts';
import { stateHeader } from '../http/page/overview.ts';
import { messageOf } from '../measure/errors.ts';

/** For an answer, and before that for a disk, whatever stands still. */
const patienceMs = 5000;

/** The page of a machine with every trouble there is has a tenth of it. */
const mostBytes = 256 * 1024;

export interface Said {
  readonly state: Severity;
  readonly text: string;
  /** Where it stands, with neither user nor password. */
  readonly address: string;
}

const ofTls =
  'its certificate is of an authority that is not known here: NODE_EXTRA_CA_CERTS names the file of that authority';

/** By the code of Node for what became of the request. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: the exporter does not run, or --listen says another place',
  ENOTFOUND: 'nobody knows this name',
  EAI_AGAIN: 'no name server answers',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'no connection: the machine stands still or is off, or a firewall drops what comes',
  EPROTO: 'it does not speak TLS: ask http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS: ask http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS: ask http://',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  SELF_SIGNED_CERT_IN_CHAIN: ofTls,
  DEPTH_ZERO_SELF_SIGNED_CERT: ofTls,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ofTls,
  UNABLE_TO_GET_ISSUER_CERT: ofTls,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ofTls,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it asks its clients for a certificate, and we have none',
};

function silence(connected: boolean, deadlineMs: number): string {
  return connected
    ? `it accepts connections and has not answered within ${deadlineMs / 1000} s: the exporter or the whole machine stands still`
    : `no connection within ${deadlineMs / 1000} s: the machine stands still or is off, or a firewall drops what comes`;
}

/** Of this machine a look from outside the exporter is to be had. */
const ownEyes = '. Without asking it, stealwatch rescue looks who waits for what';

function whyNot(error: unknown, { protocol }: URL, deadlineMs: number, named: boolean): string {
  const text = messageOf(error);
  if (text.startsWith('no answer within')) {
    return silence(wasConnected(error), deadlineMs) + (named ? '' : ownEyes);
  }
  if (text.startsWith('HPE_')) return 'what answers there is no HTTP';
  const reset = text === 'ECONNRESET' || text === 'request failed';
  if (reset && protocol === 'http:') {
    return 'it closes the connection without an answer: it may want TLS, ask https://';
  }
  return reasons[text] ?? text;
}

function stateOf({ headers }: Answer): Severity {
  const state = headers[stateHeader.toLowerCase()];
  if (state === 'good' || state === 'warning' || state === 'bad') return state;
  throw new Error(
    'what answers there does not say its state: it is no stealwatch, or an older one',
  );
}

const ofProxies: ReadonlySet<number> = new Set([502, 504]);

/** An answer that has no page. Where it leads may have a secret behind the host. */
function noPage({ status, headers }: Answer): string {
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.location ?? '');
    const where = to === null ? 'elsewhere' : `to ${to.protocol}//${to.host}`;
    return `it sends ${where} (HTTP ${status}), as a proxy or a login in front of an exporter does: ask the exporter itself`;
  }
  return ofProxies.has(status)
    ? `a proxy answers, and the exporter behind it does not (HTTP ${status})`
    : `it answers HTTP ${status}`;
}

/** Half a page has its good news, and may lack the rest. A proxy may not say how long it is. */
function refuseCut(text: string): void {
  if (!/\n\/status says [^\n]+\n$/.test(text)) throw new Error('its answer came in part only');
}

interface Asking {
  readonly deadlineMs?: number;
  /** Of the terminal that the page is for, where it is for one. */
  readonly columns?: number | undefined;
}

async function asked(
  way: Way,
  deadlineMs: number,
  named: boolean,
  columns: number | undefined,
): Promise<Said> {
  const { url, options } = way;
  const headers = { ...options.headers, accept: 'text/plain' };
  // Behind a proxy it may be below a folder.
  const page = new URL('./', url);
  // An older exporter passes it over, and a width that nobody knows is 0.
  if (columns !== undefined && columns > 0) page.search = `columns=${columns}`;
  const answer = await httpGet(page, deadlineMs, mostBytes, { ...options, headers }).catch(
    (error: unknown) => {
      throw new Error(whyNot(error, url, deadlineMs, named), { cause: error });
    },
  );
  refuseCredentialsWanted(answer.status, way);
  if (answer.status !== 200) throw new Error(noPage(answer));
  const state = stateOf(answer);
  const text = Buffer.from(answer.body, 'latin1').toString('utf8');
  refuseCut(text);
  return { state, text, address: `${page.origin}${page.pathname}` };
}

/** The disk that has the exporter's settings may be what stands still. */
async function wayInTime(place: ExporterPlace, deadlineMs: number): Promise<Way> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const why = `${place.webConfigFile}, its settings, cannot be read: the disk does not answer`;
  const timer = setTimeout(() => reject(new Error(why)), deadlineMs);
  return Promise.race([wayTo(place), late]).finally(() => clearTimeout(timer));
}

/** An error says whom it asked, with neither user nor password. */
export async function askForPage(
  place: ExporterPlace,
  { deadlineMs = patienceMs, columns }: Asking = {},
): Promise<Said> {
  let { origin } = place.url;
  try {
    const way = await wayInTime(place, deadlineMs);
    ({ origin } = way.url);
    return await asked(way, deadlineMs, place.named, columns);
  } catch (error) {
    throw new Error(`${origin}: ${messageOf(error)}`, { cause: error });
  }
}
