/** What the exporter publishes about itself and about what it can see. */
import { collectorNames } from '../../exporter/collectors/index.ts';
import type { Moment } from './host-series.ts';
import type { Recorder } from './recorder.ts';
import type { Abilities } from './world.ts';

/** Those that ask a server: how long it took, and when it last answered. */
const asking = ['redis-info', 'asynq'];

/** Which collectors there are on a machine: some come with what they watch, `evidence` with its folder. */
function collectorsOf({ redis, asynq, canary }: Abilities): string[] {
  const missing = new Set([
    'evidence',
    ...(redis ? [] : ['redis-probe', 'redis-info', 'redis-process', 'app-health']),
    ...(asynq ? [] : ['asynq']),
    ...(canary ? [] : ['cold-page']),
  ]);
  return collectorNames.filter((name) => !missing.has(name));
}

function signalsOf(abilities: Abilities): Readonly<Record<string, boolean>> {
  return {
    steal: true,
    run_delay: true,
    async_page_faults: abilities.kvm,
    ...(abilities.canary ? { cold_pages: true } : {}),
    wait_channel: abilities.waitChannel,
    host_processes: abilities.waitChannel,
    hung_task_log: abilities.kernelLog,
    hung_task_counter: abilities.kernelLog,
    pressure: abilities.pressure,
    memory_balloon: abilities.kvm,
    ...(abilities.redis ? { redis_process: abilities.sameHost, asynq: abilities.asynq } : {}),
  };
}

/** Clocks that tick once a second, of what this machine has. */
function samplersOf({ kvm, canary, kernelLog, redis, asynq }: Abilities): string[] {
  return [
    'steal',
    'stall',
    ...(kvm ? ['async_page_faults'] : []),
    ...(canary ? ['cold_page'] : []),
    'blocked_tasks',
    ...(kernelLog ? ['kmsg'] : []),
    ...(redis ? ['redis', 'redis_process', 'app_health'] : []),
    ...(asynq ? ['asynq'] : []),
    'heartbeat',
  ];
}

function collectors(to: Recorder, { world, abilities, now }: Moment): void {
  for (const collector of collectorsOf(abilities)) {
    const fails = world.redis === 'frozen' && asking.includes(collector);
    to.set('stealwatch_collector_success', fails ? 0 : 1, { collector });
    if (!asking.includes(collector)) continue;
    to.set('stealwatch_collector_duration_seconds', fails ? 0.5 : 0.0004, { collector });
    to.set('stealwatch_collector_last_success_timestamp_seconds', fails ? now - 60 : now - 0.2, {
      collector,
    });
  }
}

function beats(to: Recorder, { world, step }: Moment): void {
  const now = world.redis === 'frozen' ? 'withheld' : 'sent';
  for (const result of ['sent', 'failed', 'limited', 'withheld']) {
    to.add('stealwatch_heartbeats_total', result === now ? 0.1 * step : 0, { result });
  }
}

function requests(to: Recorder): void {
  for (const path of ['/', '/metrics', '/status']) {
    for (const code of ['200', '503']) {
      const scraped = path === '/metrics' && code === '200';
      to.add('stealwatch_http_requests_total', scraped ? 1 : 0, { path, code });
    }
  }
}

export function exporterSeries(to: Recorder, moment: Moment): void {
  const { abilities, now, step } = moment;
  for (const [signal, seen] of Object.entries(signalsOf(abilities))) {
    to.set('stealwatch_signal_supported', seen ? 1 : 0, { signal });
  }
  collectors(to, moment);
  for (const sampler of samplersOf(abilities)) {
    // The one that reads the queues begins anew every five seconds.
    const age = sampler === 'asynq' ? now % 5 : 0.4;
    to.set('stealwatch_sampler_age_seconds', age, { sampler });
  }
  beats(to, moment);
  requests(to);
  to.set('stealwatch_build_info', 1, { version: '1.2.3', node: '24.21.0', revision: 'abc1234' });
  to.set('stealwatch_host_info', 1, {
    virtualization: abilities.kvm ? 'kvm' : 'xen',
    vendor: 'QEMU',
    product: 'Standard PC',
    cpu_model: 'EPYC',
    kernel: '6.1.0-40-cloud-amd64',
    clocksource: abilities.kvm ? 'kvm-clock' : 'xen',
  });
  to.add('process_cpu_seconds_total', 0.011 * step);
  to.set('process_resident_memory_bytes', 71e6);
  to.set('process_open_fds', 34);
  to.set('process_start_time_seconds', now - (now % 86_400));
  to.set('nodejs_eventloop_lag_p99_seconds', 0.011);
}
