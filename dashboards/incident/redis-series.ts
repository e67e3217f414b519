/** What the Redis, Asynq and application collectors would publish of a world. */
import { pingBuckets } from '../../exporter/measure/buckets.ts';
import { infoTableMetrics } from '../../exporter/redis/info-tables.ts';
import { processStates } from '../../exporter/redis/process-follow.ts';
import { redisStates } from '../../exporter/redis/state.ts';
import { reasons } from '../../exporter/tasks/reason-table.ts';
import type { Moment } from './host-series.ts';
import type { Recorder } from './recorder.ts';

function probe(to: Recorder, { world, step, frozenFor }: Moment): void {
  const frozen = world.redis === 'frozen';
  const slow = world.redis === 'slow' ? 0.3 * step : 0;
  to.set('redis_up', frozen ? 0 : 1);
  for (const state of redisStates) to.set('redis_state', state === world.redis ? 1 : 0, { state });
  to.set('redis_unresponsive_seconds', frozenFor);
  const results = {
    ok: frozen ? 0 : step - slow,
    slow,
    timeout: frozen ? 0.2 * step : 0,
    refused: 0,
    error: 0,
  };
  for (const [result, count] of Object.entries(results))
    to.add('redis_probes_total', count, { result });
  to.observe('redis_ping_seconds', pingBuckets, 0.0003, results.ok * 0.8);
  to.observe(
    'redis_ping_seconds',
    pingBuckets,
    world.redis === 'slow' ? 0.12 : 0.0008,
    results.ok * 0.2,
  );
  to.observe('redis_ping_seconds', pingBuckets, 0.4, slow);
  to.add('redis_restarts_total', 0);
}

function process(to: Recorder, { world, blockedFor, frozenFor }: Moment): void {
  const letter = frozenFor > 0 && world.blocked !== undefined ? 'D' : 'S';
  for (const state of processStates) {
    to.set('redis_process_state', state === letter ? 1 : 0, { state });
  }
  for (const reason of reasons) {
    to.set('redis_process_blocked_seconds', reason === world.blocked ? blockedFor : 0, { reason });
  }
  // A container health check that starts a process every 30 s, none of which ends.
  to.set('redis_process_tasks', 7 + Math.floor(frozenFor / 30) * 4);
  to.set('redis_listen_queue_length', Math.min(511, Math.floor(frozenFor * 0.8)));
}

/** A master says nothing of a link, and a link that is up not for how long it was down. */
function replication(to: Recorder, { world, now, unlinkedFor }: Moment): void {
  if (world.master === 'none') return;
  const known = world.redis !== 'frozen';
  const isUp = world.master === 'up';
  to.set('redis_master_link_up', known ? Number(isUp) : Number.NaN);
  to.set('redis_master_sync_in_progress', known ? 0 : Number.NaN);
  to.set('redis_master_last_io_seconds_ago', known && isUp ? now % 10 : Number.NaN);
  to.set('redis_master_link_down_since_seconds', known && !isUp ? unlinkedFor : Number.NaN);
}

/** What INFO says. While Redis does not answer gauges are NaN and counters stand. */
function infoSeries(to: Recorder, moment: Moment, saves: Saves): void {
  const { world, step, now, savingFor } = moment;
  const answers = world.redis !== 'frozen';
  const gauges: Readonly<Record<string, number>> = {
    redis_rdb_save_enabled: world.savesEnabled ? 1 : 0,
    redis_rdb_bgsave_in_progress: world.bgsave ? 1 : 0,
    redis_rdb_current_bgsave_duration_sec: world.bgsave ? savingFor : -1,
    redis_rdb_last_bgsave_status: 1,
    redis_rdb_last_bgsave_duration_sec: saves.lastDuration,
    redis_rdb_last_save_timestamp_seconds: saves.lastAt,
    redis_rdb_changes_since_last_save: saves.changes,
    redis_rdb_last_cow_size_bytes: 14e6,
    redis_rdb_saves_total: saves.count,
    redis_latest_fork_seconds: world.forkSeconds,
    redis_latest_fork_usec: world.forkSeconds * 1e6,
    redis_aof_enabled: world.delayedFsyncs > 0 ? 1 : 0,
    redis_aof_rewrite_in_progress: 0,
    redis_aof_last_write_status: 1,
    redis_aof_last_bgrewrite_status: 1,
    redis_aof_pending_bio_fsync: 0,
    redis_connected_clients: 18,
    redis_blocked_clients: 4,
    redis_memory_used_bytes: 640e6,
    redis_memory_used_rss_bytes: 700e6,
    redis_memory_max_bytes: 1e9,
    redis_mem_fragmentation_ratio: 1.09,
    redis_uptime_in_seconds: now % 86_400,
    redis_process_id: 1,
    redis_loading_dump_file: 0,
    redis_connected_slaves: 0,
    redis_slowlog_length: 3,
    redis_slowlog_last_id: 3,
    redis_last_slow_execution_duration_seconds: 0.018,
  };
  for (const [name, value] of Object.entries(gauges)) to.set(name, answers ? value : Number.NaN);
  to.set('redis_db_keys', answers ? 41_000 : Number.NaN, { db: 'db0' });
  to.set('redis_db_keys_expiring', answers ? 900 : Number.NaN, { db: 'db0' });
  to.set('redis_latency_spike_last', answers ? now - 3600 : Number.NaN, { event_name: 'fork' });
  to.set('redis_latency_spike_duration_seconds', answers ? 0.02 : Number.NaN, {
    event_name: 'fork',
  });
  const rates: Readonly<Record<string, number>> = {
    redis_aof_delayed_fsync: world.delayedFsyncs,
    redis_commands_processed_total: world.writes * 6,
    redis_keyspace_hits_total: world.writes * 3,
    redis_keyspace_misses_total: world.writes * 0.2,
    redis_evicted_keys_total: 0,
    redis_expired_keys_total: 0.5,
    redis_rejected_connections_total: 0,
    redis_net_input_bytes_total: world.writes * 400,
    redis_net_output_bytes_total: world.writes * 900,
    redis_cpu_sys_seconds_total: 0.01,
    redis_cpu_user_seconds_total: 0.02,
  };
  for (const [name, rate] of Object.entries(rates)) to.add(name, answers ? rate * step : 0);
  for (const [cmd, share] of [
    ['get', 3],
    ['evalsha', 2],
    ['other', 1],
  ] as const) {
    const calls = answers ? world.writes * share * step : 0;
    to.add('redis_commands_total', calls, { cmd });
    to.add('redis_commands_duration_seconds_total', calls * 12e-6, { cmd });
  }
  const info = infoTableMetrics.find(({ name }) => name === 'redis_instance_info')?.labels ?? [];
  to.set('redis_instance_info', 1, Object.fromEntries(info.map((label) => [label, 'x'])));
}

/** What there is to know about saves, kept by the caller. */
export interface Saves {
  readonly count: number;
  readonly lastAt: number;
  readonly lastDuration: number;
  readonly changes: number;
}

export function redisSeries(to: Recorder, moment: Moment, saves: Saves): void {
  probe(to, moment);
  if (moment.abilities.sameHost) process(to, moment);
  infoSeries(to, moment, saves);
  replication(to, moment);
  const { frozenFor } = moment;
  to.set('stealwatch_app_health_status_code', 200, { app: 'shop' });
  to.set('stealwatch_app_health_seconds', 0.012, { app: 'shop' });
  to.set('stealwatch_app_health_lying', frozenFor > 5 ? 1 : 0, { app: 'shop' });
}
