/**
 * Whether Redis answers, asked once a second and not once a scrape: a freeze of five seconds
 * between two scrapes is the one that loses jobs. Everything here comes from memory.
 */
import { pingBuckets } from '../measure/buckets.ts';
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Check,
  type Collector,
  counter,
  type Finding,
  gauge,
  histogram,
  oneHot,
  single,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { createHistogram } from '../measure/histogram.ts';
import { createHistory } from '../measure/history.ts';
import type { Answers } from '../redis/answers.ts';
import type { RedisAddress } from '../redis/address.ts';
import { limits } from '../measure/limits.ts';
import { meaningOf, refusalWord } from '../redis/refusal-words.ts';
import { noResults, type RedisProbe } from '../redis/probe.ts';
import { redisStates } from '../redis/state.ts';
import { inContainer } from '../procfs/in-container.ts';
import { isLoopback } from '../procfs/local-addresses.ts';
import { durationText } from '../measure/duration.ts';
import type { Second } from '../core/second.ts';

const up = gauge({
  name: 'redis_up',
  help: '1 when the last PING was answered in time, from a PING a second.',
  note: '1 when the last PING was answered with PONG within a second, from a PING a second; 0 as well while every key is refused for what is the matter with Redis itself (CLUSTERDOWN, MASTERDOWN), by the last answer to a collector.',
});
const state = gauge({
  name: 'redis_state',
  help: '1 for the state Redis is in, from a PING a second.',
  note: `1 for the state Redis is in: frozen means that it accepts connections and does not answer, slow that it took over ${limits.redisPingSeconds.bad * 1000} ms, error includes -BUSY and -MISCONF, and CLUSTERDOWN and MASTERDOWN to whoever asks for a key, from a PING a second.`,
  labels: ['state'],
});
const unresponsive = gauge({
  name: 'redis_unresponsive_seconds',
  help: 'Time since Redis last answered, 0 while it does, from a PING a second.',
  note: 'Time since Redis last answered, or since the exporter started if it never did; 0 while it answers, even if only to turn us away. From a PING a second.',
});
const pingSeconds = histogram({
  name: 'redis_ping_seconds',
  help: 'How long PINGs took that were answered, however late, from a PING a second.',
  buckets: pingBuckets,
});
const probes = counter({
  name: 'redis_probes_total',
  help: 'PINGs by result, one a second.',
  note: 'Seconds by what the PING of that second came to; error includes loading and refused logins. From a PING a second.',
  labels: ['result'],
});

export interface RedisProbeDependencies {
  readonly config: Pick<Config, 'redis'>;
  readonly clock: Clock;
  readonly redis: RedisProbe;
  /** What becomes of other questions than PING, where others are asked. */
  readonly client?: Answers;
  /** Whether the network is one of our own, in which a loopback address leads to nobody else. */
  readonly container?: boolean;
}

/** Longer than any command that holds up a healthy Redis. */
const unansweredSeconds = 30;

/** The verdict's sentence, with what to do or for how long where that helps. */
function reasonOf(
  probe: RedisProbe,
  { display, host, tls }: RedisAddress,
  container: boolean,
): string {
  const verdict = probe.verdict();
  if (verdict === undefined) return `Redis at ${display} has not been asked yet.`;
  if (verdict.state === 'frozen') {
    const silence = durationText(probe.unresponsiveSeconds());
    // A Redis without TLS waits for the end of the line that a TLS handshake never sends.
    const hint = tls && !probe.everUp() ? ' It may not speak TLS.' : '';
    return `Redis at ${display} accepts connections and has not answered for ${silence}.${hint}`;
  }
  if (verdict.state === 'refused' && !probe.everUp()) {
    const here =
      container && (host === 'localhost' || isLoopback(host))
        ? ' In a container that is the container itself, unless it has the network of its host: name the container of Redis, or the host (docs/install-compose.md).'
        : '';
    return `${verdict.reason}${here} If there is no Redis here, start with --redis-url none (REDIS_URL=none in .env).`;
  }
  return verdict.reason;
}

export function redisProbeCollector({
  config: { redis: address },
  clock,
  redis: probe,
  client,
  container = inContainer(),
}: RedisProbeDependencies): Collector {
  const results = noResults();
  const pings = createHistogram(pingSeconds);
  const slowest = createHistory(clock);
  probe.listen({
    answered(took) {
      pings.observe(took);
      slowest.record(took);
    },
    result(result) {
      results[result] += 1;
      if (!isUp()) slowest.record(probe.unresponsiveSeconds());
    },
  });

  function isUp(): boolean {
    return probe.state() === 'up' || probe.state() === 'slow';
  }

  /** PING is answered, maybe by a proxy, and nothing else is. */
  function onlyPing(): string | undefined {
    const silence = client?.unansweredSeconds() ?? 0;
    if (!isUp() || silence < unansweredSeconds) return undefined;
    return `${address.display} answers PING and has answered nothing else for ${durationText(silence)}. A proxy may answer PING itself, with a frozen Redis behind it.`;
  }

  /** PING and INFO are answered, and nothing that applications ask. */
  const keysRefused = () => (isUp() ? client?.refusesKeys() : undefined);

  const stateNow = () => (keysRefused() === undefined ? probe.state() : 'error');

  function noKeys(): string | undefined {
    const said = keysRefused();
    if (said === undefined) return undefined;
    const word = refusalWord(said);
    const why = word === undefined ? '' : `: ${meaningOf(word)}`;
    return `Redis at ${address.display} answers PING, and no key can be read${why}. It says ${JSON.stringify(said.slice(0, 120))}.`;
  }

  const useless = () => onlyPing() ?? noKeys();

  function check(): Check {
    const deaf = useless();
    const code = probe.verdict()?.code ?? refusalWord(keysRefused() ?? '');
    return {
      name: 'redis',
      critical: true,
      ok: isUp() && deaf === undefined,
      ...(probe.verdict() === undefined ? { pending: true } : {}),
      state: deaf === undefined ? probe.state() : 'error',
      ...(code === undefined ? {} : { code }),
      reason: deaf ?? reasonOf(probe, address, container),
      sinceSeconds: probe.stateSeconds(),
      ageSeconds: probe.tickAgeSeconds(),
    };
  }

  function findings(): Finding[] {
    const deaf = useless();
    if (deaf !== undefined) return [{ severity: 'bad', text: deaf }];
    if (probe.verdict() === undefined || probe.state() === 'up') return [];
    const severity = probe.state() === 'slow' ? 'warning' : 'bad';
    return [{ severity, text: reasonOf(probe, address, container) }];
  }

  /** A connection that was refused took no time that says anything. */
  function second(): Second {
    if (probe.verdict() === undefined) return {};
    const awaited = isUp() || probe.state() === 'frozen';
    return {
      redis_state: redisStates.indexOf(stateNow()),
      redis_silent_seconds: probe.unresponsiveSeconds(),
      ...(awaited ? { redis_latency_seconds: probe.lastSeconds() } : {}),
    };
  }

  return {
    name: 'redis-probe',
    source: 'memory',
    metrics: [up, state, unresponsive, pingSeconds, probes],
    async collect(signal) {
      // Only the first scrape waits, for at most the second that the first PING is given.
      await probe.judged(signal);
      return [
        single(up, isUp() && keysRefused() === undefined ? 1 : 0),
        oneHot(state, redisStates, stateNow()),
        single(unresponsive, probe.unresponsiveSeconds()),
        single(pingSeconds, pings.value()),
        byLabel(probes, { ...results }),
      ];
    },
    report: () => ({
      samplers: [{ name: 'redis', ageSeconds: probe.tickAgeSeconds() }],
      checks: [check()],
      findings: findings(),
      second: second(),
      charts: [
        {
          title: 'Redis: slowest answer, or how long there was none',
          unit: 'seconds',
          history: slowest,
        },
      ],
    }),
  };
}
