/**
 * The exporter about itself: which build, how much it costs, how often it is asked.
 *
 * Not prom-client's default set: its event-loop timer of 10 ms costs up to 1 % of a core for
 * ever. A 250 ms timer sees what hurts a scrape, and wakes the
 * process 4 times a second instead of 100.
 */
import { readdirSync, statSync } from 'node:fs';
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createAttempts } from '../core/attempts.ts';
import {
  type Check,
  type Collector,
  counter,
  gauge,
  incomplete,
  single,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { revision, version } from '../core/version.ts';
import type { Dependencies } from './dependencies.ts';

const buildInfo = gauge({
  name: 'stealwatch_build_info',
  help: 'Always 1; exporter version, Node.js and source revision.',
  note: 'Always 1; the labels name the exporter version, its Node.js and its source revision.',
  labels: ['version', 'node', 'revision'],
});
const httpRequests = counter({
  name: 'stealwatch_http_requests_total',
  help: 'HTTP requests answered, by path and status code.',
  labels: ['path', 'code'],
});
const cpuSeconds = counter({
  name: 'process_cpu_seconds_total',
  help: 'User and system CPU time this process used, from getrusage.',
});
const residentBytes = gauge({
  name: 'process_resident_memory_bytes',
  help: 'Resident memory of this process, from /proc/self/stat.',
});
const openFds = gauge({
  name: 'process_open_fds',
  help: 'Open file descriptors of this process, from /proc/self/fd.',
});
const startTime = gauge({
  name: 'process_start_time_seconds',
  help: 'Unix time at which this process started.',
});
const eventLoopLag = gauge({
  name: 'nodejs_eventloop_lag_p99_seconds',
  help: '99th percentile of how late a 250 ms timer ran since the last scrape.',
  note: 'How late the event loop ran a 250 ms timer, 99th percentile since the last scrape.',
});
const logLinesDropped = counter({
  name: 'stealwatch_log_lines_dropped_total',
  help: 'Log lines that could not be written: disk full, pipe closed or not read.',
});
const webConfigInForce = gauge({
  name: 'stealwatch_web_config_in_force',
  help: '1 while what --web-config-file and the files it names say is in force.',
  note: '1 while what --web-config-file and the files it names say is in force, 0 while an earlier state is kept because they cannot be read, are wrong, or would open what was closed. /status says why.',
});

const timerMs = 250;

/** The kernel counts them for us since 6.2, as the directory's size; before, that is 0. */
export function countFds(sizeOf = (path: string) => statSync(path).size): number {
  const size = sizeOf('/proc/self/fd');
  // Less the one that lists them.
  return size > 0 ? size : readdirSync('/proc/self/fd').length - 1;
}

const sentences = {
  log: ['log lines are written', 'Log lines are being lost'],
  web_config: [
    'the web configuration is in force',
    'The web configuration has changed and is kept as it was',
  ],
} as const;

/** Not critical: who is let in and what is logged says nothing of the machine. */
function checkOf(
  name: keyof typeof sentences,
  problem: { readonly reason: string; readonly sinceSeconds: number } | undefined,
  [good, bad]: readonly [good: string, bad: string],
): Check {
  const [well, ill] = sentences[name];
  return {
    name,
    critical: false,
    ok: problem === undefined,
    state: problem === undefined ? good : bad,
    reason: problem === undefined ? well : `${ill}: ${problem.reason}`,
    sinceSeconds: problem?.sinceSeconds ?? 0,
    ageSeconds: 0,
  };
}

/** Asked for on the page: what nobody chose pages nobody. */
const whichRedis =
  'No Redis is watched, because nobody has said which: REDIS_URL in .env (STEALWATCH_REDIS_URL) says it, or none.';

export function exporterCollector({
  config: { redis },
  clock,
  requests,
  log,
  webConfig,
  lag = monitorEventLoopDelay({ resolution: timerMs }),
}: Pick<Dependencies, 'clock' | 'requests' | 'log' | 'webConfig'> & {
  config: Pick<Config, 'redis'>;
  lag?: ELDHistogram;
}): Collector {
  lag.enable();
  const started = clock.wall() - process.uptime();

  /** The histogram holds whole timer periods; the lag is what exceeds one. Loses the one under way. */
  function takeLag(): number {
    if (lag.count === 0) return 0;
    const seconds = lag.percentile(99) / 1e9 - timerMs / 1000;
    lag.reset();
    return Math.max(0, seconds);
  }

  return {
    name: 'exporter',
    source: 'memory',
    metrics: [
      buildInfo,
      httpRequests,
      cpuSeconds,
      residentBytes,
      openFds,
      startTime,
      eventLoopLag,
      logLinesDropped,
      webConfigInForce,
    ],
    async collect() {
      // Each opens a file, and there may be no descriptor left.
      const { attempt, failure } = createAttempts();
      const fds = attempt(() => countFds()) ?? NaN;
      const resident = attempt(() => process.memoryUsage.rss()) ?? NaN;
      const { user, system } = process.cpuUsage();
      const families = [
        {
          metric: buildInfo,
          samples: [{ labels: { version, node: process.version, revision }, value: 1 }],
        },
        {
          metric: httpRequests,
          samples: requests
            .counts()
            .map(({ path, code, count }) => ({ labels: { path, code }, value: count })),
        },
        single(cpuSeconds, (user + system) / 1e6),
        single(residentBytes, resident),
        single(openFds, fds),
        single(startTime, started),
        single(eventLoopLag, takeLag()),
        single(logLinesDropped, log.dropped()),
        ...(webConfig === undefined
          ? []
          : [single(webConfigInForce, webConfig.problem() === undefined ? 1 : 0)]),
      ];
      const problem = failure();
      if (problem !== undefined) throw incomplete(problem.message, families);
      return families;
    },
    report() {
      const checks = [
        checkOf('log', log.problem(), ['written', 'lost']),
        ...(webConfig === undefined
          ? []
          : [checkOf('web_config', webConfig.problem(), ['in_force', 'kept'])]),
      ];
      const findings = checks.filter(({ ok }) => !ok).map(({ reason }) => `${reason}.`);
      if (redis.absent === 'unset') findings.push(whichRedis);
      return { checks, findings: findings.map((text) => ({ severity: 'warning', text })) };
    },
    async close() {
      lag.disable();
    },
  };
}
