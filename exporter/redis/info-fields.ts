/** The fields of INFO that are published as they are, under the names of oliver006/redis_exporter. */
import { counter, type Family, gauge, type Metric, onlyGrows, single } from '../core/collector.ts';
import { as, asStatus, type InfoField, microseconds } from './info-field.ts';
import type { RedisInfo } from './info.ts';
import { replicationFields } from './replication-fields.ts';
import { asError } from '../measure/errors.ts';

const fields: readonly InfoField[] = [
  {
    metric: gauge({
      name: 'redis_uptime_in_seconds',
      help: 'Time since Redis started, from INFO server.',
    }),
    read: as('uptime_in_seconds'),
  },
  {
    metric: gauge({
      name: 'redis_process_id',
      help: 'Process id of Redis in its own pid namespace, from INFO server.',
    }),
    read: as('process_id'),
  },
  {
    metric: gauge({
      name: 'redis_connected_clients',
      help: 'Client connections, replicas left out, from INFO clients.',
    }),
    read: as('connected_clients'),
  },
  {
    metric: gauge({
      name: 'redis_blocked_clients',
      help: 'Clients waiting in a blocking command, from INFO clients.',
    }),
    read: as('blocked_clients'),
  },
  {
    metric: gauge({
      name: 'redis_memory_used_bytes',
      help: 'Memory Redis allocated, from INFO memory.',
    }),
    read: as('used_memory'),
  },
  {
    metric: gauge({
      name: 'redis_memory_used_rss_bytes',
      help: 'Resident memory of Redis as the kernel sees it, from INFO memory.',
    }),
    read: as('used_memory_rss'),
  },
  {
    metric: gauge({
      name: 'redis_memory_max_bytes',
      help: 'The maxmemory limit, 0 when there is none, from INFO memory.',
    }),
    read: as('maxmemory'),
  },
  {
    metric: gauge({
      name: 'redis_mem_fragmentation_ratio',
      help: 'Resident by allocated memory, from INFO memory.',
      note: 'Resident memory by allocated memory; far below 1 the host or the guest swaps, from INFO memory.',
    }),
    read: as('mem_fragmentation_ratio'),
  },
  {
    metric: gauge({
      name: 'redis_loading_dump_file',
      help: '1 while Redis loads its data set, from INFO persistence.',
    }),
    read: as('loading'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_changes_since_last_save',
      help: 'Changes since the last snapshot, from INFO persistence.',
    }),
    read: as('rdb_changes_since_last_save'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_bgsave_in_progress',
      help: '1 while a child writes a snapshot, from INFO persistence.',
    }),
    read: as('rdb_bgsave_in_progress'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_last_save_timestamp_seconds',
      help: 'Unix time of the last snapshot or of the start, from INFO persistence.',
      note: 'Unix time of the last snapshot that succeeded, or of the start, from INFO persistence.',
    }),
    read: as('rdb_last_save_time'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_last_bgsave_status',
      help: '1 when the last background save succeeded, from INFO persistence.',
      note: '1 when the last background save succeeded, 0 when it failed, from INFO persistence.',
    }),
    read: asStatus('rdb_last_bgsave_status'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_last_bgsave_duration_sec',
      help: 'Duration of the last background save, -1 before it, from INFO persistence.',
      note: 'How long the last background save took in seconds, -1 before the first, from INFO persistence.',
    }),
    read: as('rdb_last_bgsave_time_sec'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_current_bgsave_duration_sec',
      help: 'Age of the background save under way, -1 for none, from INFO persistence.',
      note: 'How long the background save under way has run in seconds, -1 when there is none, from INFO persistence.',
    }),
    read: as('rdb_current_bgsave_time_sec'),
  },
  {
    metric: counter({
      name: 'redis_rdb_saves_total',
      help: 'Snapshots since the start, from INFO persistence.',
    }),
    read: as('rdb_saves'),
  },
  {
    metric: gauge({
      name: 'redis_rdb_last_cow_size_bytes',
      help: 'Memory copied during the last background save, from INFO persistence.',
      note: 'Memory copied because it was written to during the last background save, from INFO persistence.',
    }),
    read: as('rdb_last_cow_size'),
  },
  {
    metric: gauge({
      name: 'redis_aof_enabled',
      help: '1 when the append-only file is on, from INFO persistence.',
    }),
    read: as('aof_enabled'),
  },
  {
    metric: gauge({
      name: 'redis_aof_rewrite_in_progress',
      help: '1 while a child rewrites the append-only file, from INFO persistence.',
    }),
    read: as('aof_rewrite_in_progress'),
  },
  {
    metric: gauge({
      name: 'redis_aof_last_bgrewrite_status',
      help: '1 when the last AOF rewrite succeeded, from INFO persistence.',
      note: '1 when the last rewrite of the append-only file succeeded, 0 when it failed, from INFO persistence.',
    }),
    read: asStatus('aof_last_bgrewrite_status'),
  },
  {
    metric: gauge({
      name: 'redis_aof_last_write_status',
      help: '1 when the last AOF write succeeded, from INFO persistence.',
      note: '1 when the last write to the append-only file succeeded, 0 when it failed, from INFO persistence.',
    }),
    read: asStatus('aof_last_write_status'),
  },
  {
    metric: gauge({
      name: 'redis_aof_pending_bio_fsync',
      help: 'Calls of fsync waiting for the background thread, from INFO persistence.',
      note: 'Calls of fsync waiting for the background thread; absent while the append-only file is off, from INFO persistence.',
    }),
    read: as('aof_pending_bio_fsync'),
  },
  {
    metric: gauge({
      name: 'redis_aof_delayed_fsync',
      help: 'Writes that waited for an fsync under way, from INFO persistence.',
      note: 'Writes that waited for an fsync under way since the start: the first sign of a starved disk; keeps its last value while Redis does not answer, so that increase() of it holds; absent where the append-only file was never on. From INFO persistence.',
      grows: true,
    }),
    read: as('aof_delayed_fsync'),
  },
  {
    metric: counter({
      name: 'redis_rejected_connections_total',
      help: 'Connections refused because of maxclients, from INFO stats.',
    }),
    read: as('rejected_connections'),
  },
  {
    metric: counter({
      name: 'redis_commands_processed_total',
      help: 'Commands processed, from INFO stats.',
    }),
    read: as('total_commands_processed'),
  },
  {
    metric: counter({
      name: 'redis_net_input_bytes_total',
      help: 'Bytes read from the network, from INFO stats.',
    }),
    read: as('total_net_input_bytes'),
  },
  {
    metric: counter({
      name: 'redis_net_output_bytes_total',
      help: 'Bytes written to the network, from INFO stats.',
    }),
    read: as('total_net_output_bytes'),
  },
  {
    metric: counter({
      name: 'redis_expired_keys_total',
      help: 'Keys that expired, from INFO stats.',
    }),
    read: as('expired_keys'),
  },
  {
    metric: counter({
      name: 'redis_evicted_keys_total',
      help: 'Keys evicted because of maxmemory, from INFO stats.',
    }),
    read: as('evicted_keys'),
  },
  {
    metric: counter({
      name: 'redis_keyspace_hits_total',
      help: 'Look-ups that found their key, from INFO stats.',
    }),
    read: as('keyspace_hits'),
  },
  {
    metric: counter({
      name: 'redis_keyspace_misses_total',
      help: 'Look-ups that did not find their key, from INFO stats.',
    }),
    read: as('keyspace_misses'),
  },
  {
    metric: gauge({
      name: 'redis_latest_fork_usec',
      help: 'How long the latest fork stopped Redis, in microseconds, from INFO stats.',
    }),
    read: as('latest_fork_usec'),
  },
  {
    metric: gauge({
      name: 'redis_latest_fork_seconds',
      help: 'How long the latest fork stopped Redis, from INFO stats.',
      note: 'How long the latest fork stopped Redis; 9 to 25 ms a GB is normal, from INFO stats.',
    }),
    read: microseconds('latest_fork_usec'),
  },
  {
    metric: gauge({
      name: 'redis_connected_slaves',
      help: 'Replicas connected, from INFO replication.',
    }),
    read: as('connected_slaves'),
  },
  ...replicationFields,
  {
    metric: counter({
      name: 'redis_cpu_sys_seconds_total',
      help: 'System CPU time of Redis, from INFO cpu.',
    }),
    read: as('used_cpu_sys'),
  },
  {
    metric: counter({
      name: 'redis_cpu_user_seconds_total',
      help: 'User CPU time of Redis, from INFO cpu.',
    }),
    read: as('used_cpu_user'),
  },
];

export const infoFieldMetrics: readonly Metric[] = fields.map(({ metric }) => metric);

/** Some servers say -1 of what they do not count, and a count is a number: it is not given. */
function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** Of a duration that there is none of. */
const minusOneSaysNone = new Set<string>([
  'redis_rdb_last_bgsave_duration_sec',
  'redis_rdb_current_bgsave_duration_sec',
]);

/** Undefined for a -1 that says "not counted here"; throws what cannot be. */
function possible({ name }: Metric, value: number | undefined): number | undefined {
  if (value === -1) return minusOneSaysNone.has(name) ? value : undefined;
  const tooLarge = Number.isFinite(value) && (value ?? 0) > Number.MAX_SAFE_INTEGER;
  if ((value ?? 0) < 0 || tooLarge) {
    throw new Error(`INFO: ${name} would be ${value}, which cannot be`);
  }
  return value;
}

/** One family per field that is there. A field that cannot be read costs itself, and is told. */
export function infoFieldFamilies(info: RedisInfo, tell: (problem: Error) => void): Family[] {
  return fields.flatMap(({ metric, read }) => {
    const counts = onlyGrows(metric);
    try {
      const value = possible(metric, read(info));
      return value === undefined || (counts && !isCount(value)) ? [] : [single(metric, value)];
    } catch (error) {
      tell(asError(error));
      return counts ? [] : [single(metric, Number.NaN)];
    }
  });
}
