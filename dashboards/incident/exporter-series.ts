/** What the exporter publishes about itself and about what it can see. */
import { collectorNames } from '../../exporter/collectors/index.ts';
import type { Moment } from './host-series.ts';
import type { Recorder } from './recorder.ts';

export function exporterSeries(to: Recorder, { world, abilities, now, step }: Moment): void {
  const signals = {
    steal: true,
    async_page_faults: abilities.kvm,
    hung_task_log: abilities.kernelLog,
    hung_task_counter: abilities.kernelLog,
    wait_channel: abilities.waitChannel,
    pressure: abilities.pressure,
    memory_balloon: abilities.kvm,
    run_delay: true,
    redis_process: abilities.sameHost,
  };
  for (const [signal, seen] of Object.entries(signals)) {
    to.set('stealwatch_signal_supported', seen ? 1 : 0, { signal });
  }
  for (const collector of collectorNames) {
    const fails = world.redis === 'frozen' && ['redis-info', 'asynq'].includes(collector);
    to.set('stealwatch_collector_success', fails ? 0 : 1, { collector });
    to.set('stealwatch_collector_duration_seconds', fails ? 0.5 : 0.0004, { collector });
    to.set('stealwatch_collector_last_success_timestamp_seconds', fails ? now - 60 : now - 0.2, {
      collector,
    });
  }
  for (const sampler of ['steal', 'stall', 'redis-probe', 'tasks']) {
    to.set('stealwatch_sampler_age_seconds', 0.4, { sampler });
  }
  to.add('stealwatch_heartbeats_total', world.redis === 'frozen' ? 0 : 0.1 * step, {
    result: 'ok',
  });
  to.add('stealwatch_heartbeats_total', world.redis === 'frozen' ? 0.1 * step : 0, {
    result: 'withheld',
  });
  to.add('stealwatch_http_requests_total', 1, { path: '/metrics', code: '200' });
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
