/** What Alertmanager says of itself: whom it tells, whether that works, and what it was told. */
import { httpGet } from '../core/http-get.ts';
import { messageOf } from '../measure/errors.ts';
import { samplesOf } from './exporter.ts';

export interface AlertmanagerFacts {
  /** Names of those that may be told, as far as its configuration says. */
  readonly receivers: readonly string[];
  /** Of the configuration: it names at least one way to tell somebody. */
  readonly hasRoute: boolean;
  /** Notifications that failed and that were tried, since its start. */
  readonly failed: number;
  readonly sent: number;
  /** The Watchdog fires: Prometheus reaches it. */
  readonly watchdog: boolean;
}

const deadlineMs = 1500;
const mostBytes = 1024 * 1024;

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: something else listens there`, { cause: error });
  }
}

const sum = (text: string, name: string) =>
  samplesOf(text, name).reduce((all, { value }) => all + value, 0);

/** Anything in a receiver beside its name: `webhook_configs:` and its like. */
const integration = /^\s*(?:- )?[a-z0-9]+_configs:/m;

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
  const [status, receivers, alerts, metrics] = await Promise.all([
    ask('api/v2/status').then((text) => json('/api/v2/status', text)),
    ask('api/v2/receivers').then((text) => json('/api/v2/receivers', text)),
    ask('api/v2/alerts?filter=alertname%3D%22Watchdog%22&active=true').then((text) =>
      json('/api/v2/alerts', text),
    ),
    ask('metrics'),
  ]);
  const { config } = status as { config?: { original?: unknown } };
  if (typeof config?.original !== 'string' || !Array.isArray(receivers) || !Array.isArray(alerts)) {
    throw new Error('it does not answer as Alertmanager does');
  }
  return {
    receivers: (receivers as { name?: unknown }[]).map(({ name }) => String(name)),
    hasRoute: integration.test(config.original),
    failed: sum(metrics, 'alertmanager_notifications_failed_total'),
    sent: sum(metrics, 'alertmanager_notifications_total'),
    watchdog: alerts.length > 0,
  };
}
