/**
 * What `/probe?target=NAME` looks at: Redis servers and HTTP endpoints that the configuration
 * names. By name only, never by a URL from the query: nobody can send this process anywhere.
 *
 * A Redis target is watched all the time, by the same probe as the Redis of this machine. A
 * connection per request would be left behind in the accept queue of a frozen one, thousands of
 * them in a night. An HTTP target is asked when it is probed.
 */
import type { Clock } from '../measure/clock.ts';
import { type Collector, type Family, gauge, single } from '../core/collector.ts';
import { redisProbeCollector } from '../collectors/redis-probe.ts';
import type { TargetSetting } from '../config/values.ts';
import { httpStatus } from '../core/http-get.ts';
import { isolate } from '../core/isolate.ts';
import type { RedisAddress } from '../redis/address.ts';
import { createRedisProbe } from '../redis/probe.ts';
import { type Collected, inRounds, longestSeconds } from '../core/round.ts';

const success = gauge({
  name: 'probe_success',
  help: '1 when the target answered: PONG from Redis, 2xx over HTTP, as in blackbox_exporter.',
});
const duration = gauge({
  name: 'probe_duration_seconds',
  help: 'How long the answer took, of Redis the last PING, as in blackbox_exporter.',
  note: 'How long this answer took; of Redis how long the last PING of its probe took or has been waited for. As in blackbox_exporter.',
});
const httpStatusCode = gauge({
  name: 'probe_http_status_code',
  help: 'HTTP status the target answered with, 0 for no answer, as in blackbox_exporter.',
});

/** What `/probe` says of every target; a Redis adds what its probe knows. */
export const targetMetrics = [success, duration, httpStatusCode] as const;

export interface Targets {
  /** Undefined when no target has this name. Never rejects; done by `deadlineSeconds`. */
  probe(name: string, deadlineSeconds: number): Promise<readonly Family[]> | undefined;
  close(): void;
}

interface Probe {
  readonly collector: Collector;
  /** Whether these families say that the target is well. */
  succeeded(families: readonly Family[]): boolean;
  /** How long the answer took, where that is not how long `collect` did. */
  seconds?(): number;
  close(): void;
}

function redisTarget(address: RedisAddress, clock: Clock): Probe {
  const redis = createRedisProbe(address, clock);
  return {
    collector: redisProbeCollector({ config: { redis: address }, clock, redis }),
    succeeded: () => redis.state() === 'up' || redis.state() === 'slow',
    seconds: () => redis.lastSeconds(),
    close: redis.hold(),
  };
}

function httpTarget(url: URL): Probe {
  return {
    collector: {
      name: 'http',
      metrics: [httpStatusCode],
      async collect() {
        // Not longer than a round: a target that hung once is asked anew by the next.
        const status = await httpStatus(url, longestSeconds * 1000).catch(() => 0);
        return [single(httpStatusCode, status)];
      },
    },
    succeeded(families) {
      const status = families[0]?.samples[0]?.value;
      return typeof status === 'number' && status >= 200 && status < 300;
    },
    close: () => undefined,
  };
}

function familiesOf(probe: Probe, { outcome }: Collected): readonly Family[] {
  const well = outcome.success && probe.succeeded(outcome.families);
  return [
    single(success, well ? 1 : 0),
    single(duration, probe.seconds?.() ?? outcome.durationSeconds),
    ...outcome.families,
  ];
}

export function createTargets(settings: readonly TargetSetting[], clock: Clock): Targets {
  const targets = new Map(
    settings.map(({ name, address }) => {
      const probe = 'display' in address ? redisTarget(address, clock) : httpTarget(address);
      const ask = inRounds([isolate(probe.collector, clock)], clock, (collected) =>
        collected.flatMap((one) => familiesOf(probe, one)),
      );
      return [name, { ask, close: () => probe.close() }] as const;
    }),
  );
  return {
    probe: (name, deadlineSeconds) => targets.get(name)?.ask(deadlineSeconds),
    close() {
      for (const { close } of targets.values()) close();
    },
  };
}
