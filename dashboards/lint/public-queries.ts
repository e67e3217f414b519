/**
 * Queries that other people's pages ask, as they stood when they were copied. They must find data
 * in what this exporter publishes, so that nobody has to give up a page to use it.
 */

/** grafana.com dashboard 763, from contrib/grafana_prometheus_redis_dashboard.json of redis_exporter. */
export const redisDashboard763: readonly string[] = [
  'max(max_over_time(redis_uptime_in_seconds{namespace=~"$namespace", instance=~"$instance"}[$__interval]))',
  'sum(redis_connected_clients{namespace=~"$namespace", instance=~"$instance"})',
  'sum(100 * (redis_memory_used_bytes{namespace=~"$namespace", instance=~"$instance"}  / redis_memory_max_bytes{namespace=~"$namespace", instance=~"$instance"}))',
  'sum(rate(redis_commands_total{namespace=~"$namespace", instance=~"$instance"} [1m])) by (cmd)',
  'irate(redis_keyspace_hits_total{instance=~"$instance"}[5m])',
  'irate(redis_keyspace_misses_total{instance=~"$instance"}[5m])',
  'redis_memory_used_bytes{instance=~"$instance"}',
  'redis_memory_max_bytes{instance=~"$instance"}',
  'sum(rate(redis_net_input_bytes_total{instance=~"$instance"}[5m]))',
  'sum(rate(redis_net_output_bytes_total{instance=~"$instance"}[5m]))',
  'sum (redis_db_keys{instance=~"$instance"}) by (db, instance)',
  'sum (redis_db_keys{instance=~"$instance"}) by (instance) - sum (redis_db_keys_expiring{instance=~"$instance"}) by (instance)',
  'sum (redis_db_keys_expiring{instance=~"$instance"}) by (instance)',
  'sum(rate(redis_expired_keys_total{instance=~"$instance"}[5m])) by (instance)',
  'sum(rate(redis_evicted_keys_total{instance=~"$instance"}[5m])) by (instance)',
  'sum(redis_connected_clients{instance=~"$instance"})',
  'sum(redis_blocked_clients{instance=~"$instance"})',
  'sum(irate(redis_commands_duration_seconds_total{namespace=~"$namespace", instance =~ "$instance"}[1m])) by (cmd)\n  /\nsum(irate(redis_commands_total{namespace=~"$namespace", instance =~ "$instance"}[1m])) by (cmd)\n',
  'sum(irate(redis_commands_duration_seconds_total{instance=~"$instance"}[1m])) by (cmd) != 0',
];

/** The metrics page of asynqmon, from metrics_handler.go. */
export const asynqmonMetricsPage: readonly string[] = [
  'asynq_queue_size',
  'asynq_queue_latency_seconds',
  'asynq_queue_memory_usage_approx_bytes',
  'rate(asynq_tasks_processed_total[5m])',
  'rate(asynq_tasks_failed_total[5m])',
  'rate(asynq_tasks_failed_total[5m]) / rate(asynq_tasks_processed_total[5m])',
  'asynq_tasks_enqueued_total{state="pending"}',
  'asynq_tasks_enqueued_total{state="retry"}',
  'asynq_tasks_enqueued_total{state="archived"}',
];

/** As Grafana would put in what those pages leave open. */
export function filledIn(expr: string): string {
  return expr
    .replaceAll('$namespace', '.*')
    .replaceAll('$instance', '.+')
    .replaceAll('$__interval', '1m');
}
