/**
 * The applications' own health endpoints, asked every 5 s, to catch the lie of the incident: the
 * endpoint that went on answering 200 for hours while the Redis behind it was frozen.
 */
import type { Clock } from '../measure/clock.ts';
import { byLabel, type Check, type Collector, type Finding, gauge } from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { httpStatus } from '../core/http-get.ts';
import type { RedisHealth } from '../redis/state.ts';
import { limits } from '../measure/limits.ts';
import { durationText } from '../measure/duration.ts';

/** A Redis that was silent for this long is down for every application that needs it. */
const redisDownSeconds = limits.redisUnresponsiveSeconds.bad;
/** One that answers, and refuses everybody, may do so while a save is made good. */
const redisRefusesSeconds = limits.redisDownSeconds.bad;

const statusCode = gauge({
  name: 'stealwatch_app_health_status_code',
  help: "HTTP status of the app's health endpoint, 0 for no answer, from a GET every 5 s.",
  note: "HTTP status of the application's own health endpoint, 0 when it does not answer, from a GET every 5 s.",
  labels: ['app'],
});
const duration = gauge({
  name: 'stealwatch_app_health_seconds',
  help: "How long the application's health endpoint took, from the last GET that ended.",
  labels: ['app'],
});
const lying = gauge({
  name: 'stealwatch_app_health_lying',
  help: '1 when it said 2xx while Redis was silent or refused everybody, from both probes.',
  note: `1 when the health endpoint said 2xx while Redis had been unresponsive for over ${redisDownSeconds} s or had refused every client for over ${redisRefusesSeconds} s, from both probes. A Redis that turns away the exporter alone may be well, and makes no liar of anybody.`,
  labels: ['app'],
});

const periodSeconds = 5;
const deadlineSeconds = 3;

interface App {
  readonly name: string;
  readonly url: URL;
  asking: boolean;
  /** Undefined until the first GET ended. */
  seen?: Seen;
  /** When `seen` came, and since when it says what it says. */
  at: number;
  since: number;
}

interface Seen {
  readonly status: number;
  readonly seconds: number;
  readonly lying: boolean;
}

const sentences = {
  none: 'not answered yet',
  healthy: 'says that it is healthy',
  lying: 'says that it is healthy while Redis serves nobody',
  unhealthy: 'says that it is not healthy',
  silent: 'does not answer its health check',
};

function stateOf(seen: Seen | undefined): keyof typeof sentences {
  if (seen === undefined) return 'none';
  if (seen.status === 0) return 'silent';
  if (seen.status < 200 || seen.status >= 300) return 'unhealthy';
  return seen.lying ? 'lying' : 'healthy';
}

/** Not critical: an application that is ill is not this machine's fault, nor Redis's. */
function checkOf({ name, seen, at, since }: App, now: number): Check {
  const state = stateOf(seen);
  const status = seen === undefined || seen.status === 0 ? '' : ` (HTTP ${seen.status})`;
  return {
    name: `app_${name}`,
    critical: false,
    ok: state === 'healthy' || state === 'none',
    state,
    reason: `${name} ${sentences[state]}${status}`,
    sinceSeconds: now - since,
    ageSeconds: now - at,
  };
}

export function appHealthCollector({
  config,
  clock,
  redis,
}: {
  config: Pick<Config, 'apps'>;
  clock: Clock;
  redis: Pick<RedisHealth, 'unresponsiveSeconds' | 'refusesAllSeconds'>;
}): Collector {
  let lastTick = clock.monotonic();
  const apps: App[] = config.apps.map(({ name, url }) => {
    return { name, url, asking: false, at: lastTick, since: lastTick };
  });

  function servesNobody(): boolean {
    return (
      redis.unresponsiveSeconds() > redisDownSeconds ||
      redis.refusesAllSeconds() > redisRefusesSeconds
    );
  }

  /** What Redis does instead of serving, and for how long. */
  function redisSince(): string {
    const silent = Math.round(redis.unresponsiveSeconds());
    const refuses = Math.round(redis.refusesAllSeconds());
    return silent > 0 || refuses === 0
      ? `has not answered for ${durationText(silent)}`
      : `has refused everybody for ${durationText(refuses)}`;
  }

  /** Judged with Redis as it was when the answer came, not as it is when somebody scrapes. */
  async function ask(app: App): Promise<void> {
    if (app.asking) return;
    app.asking = true;
    const began = clock.monotonic();
    const status = await httpStatus(app.url, deadlineSeconds * 1000).catch(() => 0);
    const ok = status >= 200 && status < 300;
    const before = stateOf(app.seen);
    app.at = clock.monotonic();
    app.seen = {
      status,
      seconds: app.at - began,
      lying: ok && servesNobody(),
    };
    if (stateOf(app.seen) !== before) app.since = app.at;
    app.asking = false;
  }

  function tick(): void {
    lastTick = clock.monotonic();
    for (const app of apps) void ask(app);
  }

  const stop = clock.every(periodSeconds, tick);
  tick();

  function findingsOf({ name, seen }: App): Finding[] {
    if (seen === undefined) return [];
    if (seen.lying) {
      return [
        {
          severity: 'bad',
          text: `${name} says it is healthy (HTTP ${seen.status}) while Redis ${redisSince()}: its health check does not look at Redis.`,
        },
      ];
    }
    if (seen.status === 0) {
      return [{ severity: 'bad', text: `${name} does not answer its health check.` }];
    }
    return [];
  }

  return {
    name: 'app-health',
    source: 'memory',
    metrics: [statusCode, duration, lying],
    async collect() {
      const seen = apps.flatMap(({ name, seen }) =>
        seen === undefined ? [] : [{ name, ...seen }],
      );
      const table = (value: (app: (typeof seen)[number]) => number) =>
        Object.fromEntries(seen.map((app) => [app.name, value(app)]));
      return [
        byLabel(
          statusCode,
          table(({ status }) => status),
        ),
        byLabel(
          duration,
          table(({ seconds }) => seconds),
        ),
        byLabel(
          lying,
          table((app) => (app.lying ? 1 : 0)),
        ),
      ];
    },
    report: () => ({
      samplers: [{ name: 'app_health', ageSeconds: clock.monotonic() - lastTick }],
      checks: apps.map((app) => checkOf(app, clock.monotonic())),
      findings: apps.flatMap((app) => findingsOf(app)),
    }),
    async close() {
      stop();
    },
  };
}
