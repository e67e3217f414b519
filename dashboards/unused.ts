/**
 * Metrics that no panel and no rule of ours asks for, and why they are published all the same. A
 * metric that is neither used nor named here fails the tests.
 */
const dashboard763 = 'asked for by Grafana dashboard 763, so that it goes on working';
const asynqmon = "published by Asynq's own exporter; asynqmon's metrics page asks for it";
const redisExporter = 'as in redis_exporter, for the rules and pages people have already';
const toLookUp = 'to look up when a panel raises the question';

export const unused: Readonly<Record<string, string>> = {
  stealwatch_verdict: "the exporter's own answer, beside which the rule of the dashboards is held",
  stealwatch_rescues_total: 'told in the log, on the page and in the evidence; to count afterwards',
  stealwatch_cold_page_discarded_touches_total: toLookUp,
  redis_uptime_in_seconds: dashboard763,
  redis_commands_total: dashboard763,
  redis_commands_duration_seconds_total: dashboard763,
  redis_aof_enabled: redisExporter,
  redis_aof_last_bgrewrite_status: redisExporter,
  redis_aof_last_write_status: redisExporter,
  redis_aof_pending_bio_fsync: redisExporter,
  redis_connected_slaves: redisExporter,
  redis_cpu_sys_seconds_total: redisExporter,
  redis_cpu_user_seconds_total: redisExporter,
  redis_last_slow_execution_duration_seconds: redisExporter,
  redis_latency_spike_duration_seconds: redisExporter,
  redis_latency_spike_last: redisExporter,
  redis_loading_dump_file: redisExporter,
  redis_mem_fragmentation_ratio: redisExporter,
  redis_process_id: redisExporter,
  redis_rdb_saves_total: redisExporter,
  redis_slowlog_last_id: redisExporter,
  redis_slowlog_length: redisExporter,
  asynq_queue_size: asynqmon,
  asynq_queue_memory_usage_approx_bytes: asynqmon,
  asynq_tasks_enqueued_total: asynqmon,
  asynq_clock_skew_seconds: 'explains wrong ages: servers stamp tasks with their own clock',
  asynq_queue_aggregation_sets: toLookUp,
  asynq_queue_groups: toLookUp,
  asynq_queue_latency_lower_bound:
    'says that an age is at least so much, where Asynq leaves out pending_since',
  asynq_scheduler_entry_prev_timestamp_seconds: toLookUp,
  asynq_schedulers: toLookUp,
  asynq_server_last_heartbeat_timestamp_seconds: toLookUp,
  asynq_servers_expired: 'servers that died without a goodbye; AsynqNoConsumers is the alert',
  asynq_tasks_archived_total: 'goes on where the gauge stands still at 9,999',
  redis_process_blocked_seconds:
    'the same spell is in stealwatch_blocked_task_longest_seconds, for all processes',
  redis_latest_fork_usec: 'redis_exporter has both; panels use seconds',
  stealwatch_app_health_seconds: toLookUp,
  stealwatch_evidence_incidents: 'says of which machines there is evidence to make a report from',
  stealwatch_evidence_fetch_failures_total:
    'HostFrozen pages for a machine that does not answer; of one that does it says that evidence is refused',
  stealwatch_cold_page_touch_seconds: "the distribution behind the canary's counter",
  stealwatch_hung_task_last_seconds: toLookUp,
  stealwatch_hung_task_timeout_seconds: toLookUp,
  stealwatch_load1: 'contrast: rises with threads in D state that iowait and pressure do not show',
  stealwatch_memory_events_total: toLookUp,
  stealwatch_steal_ratio:
    'what sar and top call %steal, to compare with; panels show the share of demand',
};
