/** One freeze of a real Redis under the shipped configuration, and when each stage saw it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../tools/rig/redis-server.ts';
import { type HttpSink, startSink, webhookMessage } from '../../tools/rig/http-sink.ts';
import type { Tools } from '../../tools/rig/prometheus-tools.ts';
import {
  type DrillRedis,
  startAlertmanager,
  startExporter,
  startPrometheus,
  startRedis,
  type Variant,
} from './programs.ts';

/** Seconds from the freeze; what the last line of `--json` prints. */
export interface Run {
  readonly variant: Variant;
  readonly metric_seconds: number;
  readonly status_seconds: number;
  readonly rule_seconds: number;
  readonly message_seconds: number;
}

interface Stand {
  readonly redis: DrillRedis;
  readonly exporter: string;
  readonly prometheus: string;
  readonly sink: HttpSink;
}

/** What must be stopped, last started first, whatever happens. */
export function createCleanup() {
  const pending: (() => Promise<void>)[] = [];
  async function add<T>(started: Promise<T>, stop: (thing: T) => Promise<void>): Promise<T> {
    const thing = await started;
    pending.push(() => stop(thing));
    return thing;
  }
  async function all(): Promise<void> {
    for (let stop = pending.pop(); stop !== undefined; stop = pending.pop()) {
      await stop().catch((error: unknown) => console.error(error));
    }
  }
  return { add, all };
}

export type Cleanup = ReturnType<typeof createCleanup>;

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  return response.text();
}

interface AlertsAnswer {
  readonly data: { readonly alerts: { labels: Record<string, string>; state: string }[] };
}

/** Names of the pages that fire or are about to. */
async function pages(prometheus: string, states = ['firing', 'pending']): Promise<string[]> {
  const { data }: AlertsAnswer = JSON.parse(await textOf(`${prometheus}/api/v1/alerts`));
  return data.alerts
    .filter(({ labels, state }) => states.includes(state) && labels['severity'] === 'page')
    .map(({ labels }) => labels['alertname'] ?? '');
}

const scraped = (prometheus: string) =>
  textOf(`${prometheus}/api/v1/query?query=redis_up`).then((text) => text.includes(',"1"]'));

/** Everything runs, Prometheus has scraped a healthy Redis, and nobody is being paged. */
async function stand(tools: Tools, variant: Variant, cleanup: Cleanup): Promise<Stand> {
  const sink = await cleanup.add(startSink(), (one) => one.close());
  const redis = await cleanup.add(startRedis(variant), (one) => one.stop());
  const exporter = await cleanup.add(startExporter(redis.url), ({ program }) => program.stop());
  const alertmanager = await cleanup.add(startAlertmanager(tools, sink.url), ({ program }) =>
    program.stop(),
  );
  const prometheus = await cleanup.add(
    startPrometheus(tools, { exporter: exporter.url, alertmanager: alertmanager.url }),
    ({ program }) => program.stop(),
  );
  await until('a healthy Redis is scraped', () => scraped(prometheus.url), 30);
  await sleep(6000);
  return { redis, exporter: exporter.url, prometheus: prometheus.url, sink };
}

/** How often to begin before a machine is told to be too busy for a drill. */
const beginnings = 4;

/**
 * Anew until nobody is paged before anything was frozen: what is starved of CPU while all this
 * starts does stand still, and a second page of a running Alertmanager would wait for its group.
 */
async function quietStand(tools: Tools, variant: Variant, cleanup: Cleanup): Promise<Stand> {
  let before: readonly string[] = [];
  for (let i = 0; i < beginnings; i += 1) {
    const stood = await stand(tools, variant, cleanup);
    // Anywhere within a scrape and an evaluation.
    await sleep(Math.random() * 4000);
    before = await pages(stood.prometheus);
    if (before.length === 0 && pageAt(stood.sink, 0) === undefined) return stood;
    await cleanup.all();
  }
  throw new Error(`a machine too busy: paged before any freeze (${before.join(', ')})`);
}

/** The first moment at which `seen` holds, in seconds since `start`. */
async function firstSeen(
  what: string,
  start: number,
  seen: () => Promise<boolean> | boolean,
): Promise<number> {
  await until(what, seen, 60);
  return (performance.now() - start) / 1000;
}

function pageAt({ posted }: HttpSink, start: number): number | undefined {
  const page = posted.find(
    (one) =>
      one.path === '/people' &&
      webhookMessage(one).alerts.some(({ labels }) => labels['severity'] === 'page'),
  );
  return page === undefined ? undefined : (page.at - start) / 1000;
}

const rounded = (seconds: number) => Number(seconds.toFixed(2));

export async function runOnce(tools: Tools, variant: Variant, cleanup: Cleanup): Promise<Run> {
  const { redis, exporter, prometheus, sink } = await quietStand(tools, variant, cleanup);
  const start = performance.now();
  const frozen = redis.freeze();
  try {
    const [metric, status, rule, message] = await Promise.all([
      firstSeen('the metric says frozen', start, async () =>
        /^redis_state\{state="frozen"\} 1$/m.test(await textOf(`${exporter}/metrics`)),
      ),
      firstSeen('/status says 503', start, async () => {
        const { status } = await fetch(`${exporter}/status`);
        return status === 503;
      }),
      firstSeen('the rule fires', start, async () =>
        (await pages(prometheus, ['firing'])).includes('RedisFrozen'),
      ),
      firstSeen('a message arrives', start, () => pageAt(sink, start) !== undefined).then(
        (late) => pageAt(sink, start) ?? late,
      ),
      frozen,
    ]);
    return {
      variant,
      metric_seconds: rounded(metric),
      status_seconds: rounded(status),
      rule_seconds: rounded(rule),
      message_seconds: rounded(message),
    };
  } finally {
    await frozen.catch(() => undefined);
    await redis.thaw();
  }
}

/** A stall that is shorter than the page's threshold: true when nobody was paged for it. */
export async function stallPagesNobody(
  tools: Tools,
  variant: Variant,
  seconds: number,
  cleanup: Cleanup,
): Promise<boolean> {
  const { redis, sink } = await quietStand(tools, variant, cleanup);
  const start = performance.now();
  await redis.freeze();
  try {
    await sleep(Math.max(0, seconds * 1000 - (performance.now() - start)));
  } finally {
    await redis.thaw();
  }
  await sleep(12_000);
  return pageAt(sink, start) === undefined;
}
