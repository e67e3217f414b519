/**
 * The dead man's switch: a GET every 10 s to a watcher outside this machine, only while the
 * background clocks tick, Redis answers and the queues are well. The watcher pages when the beats
 * stop, so a frozen machine, a frozen Redis and a dead exporter all page without anybody here
 * having to say a word. Works with healthchecks.io and Uptime Kuma push monitors.
 */
import type { Clock } from '../clock.ts';
import { byLabel, type Check, type Collector, counter } from '../collector.ts';
import type { Config } from '../config.ts';
import { httpStatus } from '../http-get.ts';

const heartbeats = counter({
  name: 'stealwatch_heartbeats_total',
  help: 'Heartbeats sent, failed or withheld, from the push every 10 s.',
  note: 'Heartbeats by result: sent, failed (the watcher did not take it), withheld (something critical fails here), from the push every 10 s.',
  labels: ['result'],
});

const periodSeconds = 10;
const deadlineSeconds = 5;

/** The queues are not critical for `/status`, and yet a beat must not say that all is well. */
function keepsBeating({ critical, name, ok }: Check): boolean {
  return ok || !(critical || name === 'asynq');
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
  const counts = { sent: 0, failed: 0, withheld: 0 };
  let beating = false;
  let lastTick = clock.monotonic();
  /** Why the last beat did not arrive, a word without the URL. */
  let problem: string | undefined;

  async function beat(url: URL): Promise<void> {
    lastTick = clock.monotonic();
    if (beating) return;
    if (!checks().every((check) => keepsBeating(check))) {
      counts.withheld++;
      return;
    }
    beating = true;
    try {
      const status = await httpStatus(url, deadlineSeconds * 1000);
      problem = status >= 200 && status < 300 ? undefined : `HTTP ${status}`;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    counts[problem === undefined ? 'sent' : 'failed']++;
    beating = false;
  }

  const stop =
    heartbeatUrl === undefined
      ? () => undefined
      : clock.every(periodSeconds, () => void beat(heartbeatUrl));

  return {
    name: 'heartbeat',
    source: 'memory',
    metrics: [heartbeats],
    async collect() {
      return heartbeatUrl === undefined ? [] : [byLabel(heartbeats, counts)];
    },
    report() {
      if (heartbeatUrl === undefined) return {};
      return {
        samplers: [{ name: 'heartbeat', ageSeconds: clock.monotonic() - lastTick }],
        findings:
          problem === undefined
            ? []
            : [
                {
                  severity: 'warning',
                  text: `The watcher did not take the last heartbeat: ${problem}.`,
                },
              ],
      };
    },
    async close() {
      stop();
    },
  };
}
