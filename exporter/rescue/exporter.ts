/** What the exporter of this machine says, as far as a rescue asks: its verdict, and its evidence. */
import { hostname, networkInterfaces } from 'node:os';
import { type AskExporter, samplesOf } from '../doctor/exporter.ts';
import { verdicts } from '../core/verdict.ts';
import { isMapping, type Mapping } from '../measure/mapping.ts';

export interface Said {
  readonly verdict: string;
  /** Its sentence. */
  readonly text: string;
}

const mostStatusBytes = 256 * 1024;
const mostMetricsBytes = 4 * 1024 * 1024;
const mostEvidenceBytes = 512 * 1024;
const longestText = 1000;

const isClock = (check: unknown): check is Mapping =>
  isMapping(check) && String(check['name']).startsWith('sampler_');

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** A name that has to be looked up may lead anywhere. */
function isOfThisMachine({ hostname: host }: URL): boolean {
  if (loopback.test(host) || host === hostname().toLowerCase()) return true;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === bare),
  );
}

/** What another machine's exporter says is no reason to write on this one. */
export function onlyOfThisMachine(
  url: URL,
  ask: () => Promise<AskExporter>,
): () => Promise<AskExporter> {
  return async () => {
    if (isOfThisMachine(url)) return ask();
    throw new Error(`${url.origin}: expected an address of this machine, such as 127.0.0.1`);
  };
}

function parsed(body: string, what: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Error(`its ${what} is not JSON: something else listens there`, { cause: error });
  }
}

/** Rejects where it says nothing, or nothing of now. */
export async function askVerdict(ask: AskExporter): Promise<Said> {
  const status = parsed(await ask('/status', mostStatusBytes), '/status');
  const verdict = isMapping(status) ? status['verdict'] : undefined;
  const checks = isMapping(status) ? status['checks'] : undefined;
  if (!isMapping(verdict) || !Array.isArray(checks)) {
    throw new Error('its /status has no verdict: something else listens there');
  }
  const name = verdicts.find((one) => one === verdict['name']);
  if (name === undefined) throw new Error('its /status has a verdict that is not known here');
  const clocks = checks.filter(isClock);
  if (clocks.length === 0) throw new Error('its /status says of no clock that it ticks');
  // A clock that stands: what it says is of before.
  if (clocks.some(({ ok }) => ok !== true))
    throw new Error('its clocks stand still: what it says is of before');
  return { verdict: name, text: String(verdict['text']).slice(0, longestText) };
}

/** How long each process has been seen to wait for a page of the host, by name. */
export async function askWaits(ask: AskExporter): Promise<ReadonlyMap<string, number>> {
  const metrics = await ask('/metrics', mostMetricsBytes);
  const waits = samplesOf(metrics, 'stealwatch_blocked_process_seconds').filter(
    ({ labels }) => labels['reason'] === 'host_page_in',
  );
  return new Map(waits.map(({ labels, value }) => [labels['process'] ?? '', value]));
}

/** The record of its flight recorder. */
export async function askEvidence(ask: AskExporter): Promise<unknown> {
  return parsed(await ask('/evidence', mostEvidenceBytes), '/evidence');
}
