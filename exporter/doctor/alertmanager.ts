/** What Alertmanager says of itself: whom it tells, whether that works, and what it was told. */
import { httpGet } from '../core/http-get.ts';
import { messageOf } from '../measure/errors.ts';
import { samplesOf } from './exporter.ts';
import { isMapping, type Mapping } from '../measure/mapping.ts';

/** One kind of way to tell people, as Alertmanager counts them: `telegram`, `webhook`. */
export interface Way {
  readonly name: string;
  /** Notifications that failed, of those that were tried since its start. */
  readonly failed: number;
  readonly sent: number;
  /** The beats of the Watchdog go the same way, once a minute, and count among them. */
  readonly beats: boolean;
}

export interface AlertmanagerFacts {
  /** Receivers that alerts are routed to, the Watchdog's apart, and how many ways each has to tell somebody. */
  readonly receivers: readonly { readonly name: string; readonly ways: number }[];
  /** By which people are told. */
  readonly ways: readonly Way[];
  /** The Watchdog fires: Prometheus reaches it. */
  readonly watchdog: boolean;
  /** It is silenced or inhibited there. */
  readonly silenced: boolean;
}

const deadlineMs = 1500;
const mostBytes = 1024 * 1024;
/** The parser takes the square of it for a text that is none: a second for this much. */
const longestConfig = 32 * 1024;

const list = (value: unknown): readonly Mapping[] =>
  Array.isArray(value) ? value.filter(isMapping) : [];

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: something else listens there`, { cause: error });
  }
}

const sum = (text: string, name: string, way: string) =>
  samplesOf(text, name)
    .filter(({ labels }) => labels['integration'] === way)
    .reduce((all, { value }) => all + value, 0);

/** The heartbeat goes to a machine, and a page that goes nowhere else reaches nobody. */
const isForWatchdog = (route: Mapping) =>
  /Watchdog/.test(JSON.stringify([route['matchers'], route['match'], route['match_re']]));

const deepestRoute = 20;

function routedTo(route: Mapping, depth = 0): string[] {
  if (isForWatchdog(route) || depth > deepestRoute) return [];
  const { receiver } = route;
  const below = list(route['routes']).flatMap((one) => routedTo(one, depth + 1));
  return typeof receiver === 'string' ? [receiver, ...below] : below;
}

/** The receivers of what is routed for the Watchdog alone. */
function routedToBeats(route: Mapping, depth = 0): string[] {
  if (depth > deepestRoute) return [];
  const { receiver } = route;
  const own = isForWatchdog(route) && typeof receiver === 'string' ? [receiver] : [];
  return [...own, ...list(route['routes']).flatMap((one) => routedToBeats(one, depth + 1))];
}

/** `webhook`, `email` and their like, each as often as it is there. */
function waysOf(receiver: Mapping | undefined): string[] {
  return Object.entries(receiver ?? {}).flatMap(([key, value]) => {
    const way = /^(\w{1,40})_configs$/.exec(key)?.[1];
    return way !== undefined && Array.isArray(value) ? value.map(() => way) : [];
  });
}

interface Routes {
  readonly receivers: AlertmanagerFacts['receivers'];
  readonly ways: readonly Pick<Way, 'name' | 'beats'>[];
}

async function routesIn(text: string): Promise<Routes> {
  if (text.length > longestConfig)
    throw new Error('its configuration is longer than 32 kB, which is not looked at');
  // Loaded only here, where somebody names an Alertmanager.
  const { parse } = await import('yaml');
  let config: unknown;
  try {
    config = parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    // Its own words quote the text, which need not be without secrets.
    throw new Error('its configuration is no YAML', { cause: error });
  }
  if (!isMapping(config) || !isMapping(config['route'])) {
    throw new Error('its configuration has no route');
  }
  const receivers = list(config['receivers']);
  const waysTo = (name: string) => waysOf(receivers.find((one) => one['name'] === name));
  const people = [...new Set(routedTo(config['route']))];
  const beats = new Set(routedToBeats(config['route']).flatMap(waysTo));
  return {
    receivers: people.map((name) => ({ name, ways: waysTo(name).length })),
    ways: [...new Set(people.flatMap(waysTo))].map((name) => ({ name, beats: beats.has(name) })),
  };
}

const isSuppressed = (alert: unknown) =>
  isMapping(alert) && isMapping(alert['status']) && alert['status']['state'] === 'suppressed';

/** Rejects with a sentence that holds neither user nor password of the URL. */
export async function askAlertmanager(url: URL): Promise<AlertmanagerFacts> {
  try {
    return await factsOf(url);
  } catch (error) {
    throw new Error(`${url.origin}: ${messageOf(error)}`, { cause: error });
  }
}

async function factsOf(url: URL): Promise<AlertmanagerFacts> {
  const base = url.href.endsWith('/') ? url.href : `${url.href}/`;
  const ask = async (path: string) => {
    const { status, body } = await httpGet(new URL(path, base), deadlineMs, mostBytes);
    if (status !== 200) throw new Error(`/${path} answers HTTP ${status}`);
    return body;
  };
  const [status, alerts, metrics] = await Promise.all([
    ask('api/v2/status').then((text) => json('/api/v2/status', text)),
    ask('api/v2/alerts?filter=alertname%3D%22Watchdog%22').then((text) =>
      json('/api/v2/alerts', text),
    ),
    ask('metrics'),
  ]);
  const config = isMapping(status) && isMapping(status['config']) ? status['config'] : {};
  if (typeof config['original'] !== 'string' || !Array.isArray(alerts)) {
    throw new Error('it does not answer as Alertmanager does');
  }
  const { receivers, ways } = await routesIn(config['original']);
  return {
    receivers,
    ways: ways.map(({ name, beats }) => ({
      name,
      beats,
      failed: sum(metrics, 'alertmanager_notifications_failed_total', name),
      sent: sum(metrics, 'alertmanager_notifications_total', name),
    })),
    watchdog: alerts.length > 0,
    silenced: alerts.length > 0 && alerts.every(isSuppressed),
  };
}
