/**
 * The exporter about itself: which build, how much it costs, how often it is asked.
 *
 * Not prom-client's default set: its event-loop timer of 10 ms costs up to 1 % of a core for
 * ever. A 250 ms timer sees what hurts a scrape, and wakes the
 * process 4 times a second instead of 100.
 */
import { readdirSync, statSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';
import { type Collector, counter, gauge, single } from '../collector.ts';
import type { RequestCounter } from '../requests.ts';
import { revision, version } from '../version.ts';

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

const timerMs = 250;

/** The kernel counts them for us since 6.2, as the directory's size; before, that is 0. */
function countFds(): number {
  return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length;
}

export function exporterCollector({
  clock,
  requests,
}: {
  clock: Clock;
  requests: RequestCounter;
}): Collector {
  const lag = monitorEventLoopDelay({ resolution: timerMs });
  lag.enable();
  const started = clock.wall() - process.uptime();

  /** The histogram holds whole timer periods; the lag is what exceeds one. Loses the one under way. */
  function takeLag(): number {
    const seconds = lag.count === 0 ? 0 : lag.percentile(99) / 1e9 - timerMs / 1000;
    lag.reset();
    return Math.max(0, seconds);
  }

  return {
    name: 'exporter',
    source: 'memory',
    metrics: [buildInfo, httpRequests, cpuSeconds, residentBytes, openFds, startTime, eventLoopLag],
    async collect() {
      const { user, system } = process.cpuUsage();
      return [
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
        single(residentBytes, process.memoryUsage.rss()),
        single(openFds, countFds()),
        single(startTime, started),
        single(eventLoopLag, takeLag()),
      ];
    },
    async close() {
      lag.disable();
    },
  };
}
