/**
 * The dead man's switch: a GET every 15 s to a watcher outside this machine, only while the
 * background clocks tick, Redis answers and the queues are well. The watcher pages when the beats
 * stop, so a frozen machine, a frozen Redis and a dead exporter all page without anybody here
 * having to say a word. Works with healthchecks.io and Uptime Kuma push monitors.
 */
import type { Clock } from '../measure/clock.ts';
import { byLabel, type Check, type Collector, counter } from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { type Answer, httpGet } from '../core/http-get.ts';
import { messageOf } from '../measure/errors.ts';

const heartbeats = counter({
  name: 'stealwatch_heartbeats_total',
  help: 'Heartbeats by what became of them, from the push every 15 s.',
  note: 'Heartbeats by result: sent, failed (the watcher did not take it), limited (it wants fewer of them), withheld (something critical fails here), from the push every 15 s.',
  labels: ['result'],
});

const tickSeconds = 5;
/** healthchecks.io takes five a minute where the address holds a name and not a UUID. */
const periodSeconds = 15;
const deadlineSeconds = 5;
/** How long to wait when the watcher says that there were too many, if it does not say itself. */
const pauseSeconds = 60;
const longestPauseSeconds = 120;
const bodyBytes = 512;

type Result = 'sent' | 'failed' | 'limited' | 'withheld';

/** The queues are not critical for `/status`, and yet a beat must not say that all is well. */
function keepsBeating({ critical, name, ok }: Check): boolean {
  return ok || !(critical || name === 'asynq');
}

interface Outcome {
  readonly result: Result;
  /** Why it did not arrive, in our own words: the answer may repeat the address, which is secret. */
  readonly problem?: string;
  readonly pauseSeconds?: number;
}

/** Watchers say no with a 200, too: healthchecks.io of a deleted check, Uptime Kuma in JSON. */
function outcomeOf({ status, headers, body }: Answer): Outcome {
  if (status === 429 || body.startsWith('OK (rate limited)')) {
    const asked = Number(headers['retry-after'] ?? pauseSeconds);
    const pause = Number.isFinite(asked) ? asked : pauseSeconds;
    return {
      result: 'limited',
      pauseSeconds: Math.min(longestPauseSeconds, Math.max(periodSeconds, pause)),
    };
  }
  if (status < 200 || status >= 300) return { result: 'failed', problem: `HTTP ${status}` };
  if (body.startsWith('OK (not found)')) {
    const problem =
      'it knows no such check (HTTP 200, "OK (not found)"), which was deleted or is mistyped';
    return { result: 'failed', problem };
  }
  if (/"ok"\s*:\s*false/.test(body)) {
    return { result: 'failed', problem: `it says no (HTTP ${status}, "ok": false)` };
  }
  return { result: 'sent' };
}

const sentences: Readonly<Record<Result, string>> = {
  sent: 'the watcher took the last heartbeat',
  failed: 'the watcher did not take the last heartbeat',
  limited: 'the watcher wants fewer heartbeats',
  withheld: 'something critical fails here, or the queues do',
};

/** Not critical: the watcher pages by itself. */
function checkOf(last: Outcome | undefined, sinceSeconds: number): Check {
  const { result, problem } = last ?? {};
  const sentence = result === undefined ? 'no heartbeat yet' : sentences[result];
  return {
    name: 'heartbeat',
    critical: false,
    ok: result !== 'failed' && result !== 'withheld',
    state: result ?? 'none',
    reason: problem === undefined ? sentence : `${sentence}: ${problem}`,
    sinceSeconds,
    ageSeconds: 0,
  };
}

export function heartbeatCollector({
  config,
  clock,
  checks,
}: {
  config: Pick<Config, 'heartbeatUrl'>;
  clock: Clock;
  /** What `/status` says of all collectors. */
  checks: () => readonly Check[];
}): Collector {
  const { heartbeatUrl } = config;
  const counts: Record<Result, number> = { sent: 0, failed: 0, limited: 0, withheld: 0 };
  let beating = false;
  let lastTick = clock.monotonic();
  let nextBeat = lastTick;
  let last: Outcome | undefined;
  let since = lastTick;

  function note(outcome: Outcome): void {
    if (outcome.result !== last?.result) since = clock.monotonic();
    last = outcome;
    counts[outcome.result]++;
    if (outcome.pauseSeconds !== undefined) nextBeat = clock.monotonic() + outcome.pauseSeconds;
  }

  async function beat(url: URL): Promise<void> {
    if (!checks().every((check) => keepsBeating(check))) {
      note({ result: 'withheld' });
      return;
    }
    beating = true;
    note(
      await httpGet(url, deadlineSeconds * 1000, bodyBytes).then(outcomeOf, (error: unknown) => ({
        result: 'failed' as const,
        problem: messageOf(error),
      })),
    );
    beating = false;
  }

  function tick(url: URL): void {
    lastTick = clock.monotonic();
    if (beating || lastTick < nextBeat) return;
    nextBeat = lastTick + periodSeconds;
    void beat(url);
  }

  const stop =
    heartbeatUrl === undefined
      ? () => undefined
      : clock.every(tickSeconds, () => tick(heartbeatUrl));

  return {
    name: 'heartbeat',
    source: 'memory',
    metrics: [heartbeats],
    async collect() {
      return heartbeatUrl === undefined ? [] : [byLabel(heartbeats, counts)];
    },
    report() {
      if (heartbeatUrl === undefined) return {};
      const text = `The watcher did not take the last heartbeat: ${last?.problem}.`;
      return {
        samplers: [{ name: 'heartbeat', ageSeconds: clock.monotonic() - lastTick }],
        checks: [checkOf(last, clock.monotonic() - since)],
        findings: last?.problem === undefined ? [] : [{ severity: 'warning', text }],
      };
    },
    async close() {
      stop();
    },
  };
}
