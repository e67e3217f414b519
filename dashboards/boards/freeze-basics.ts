/** Redis in ordinary times, folded away: so that nobody has to keep another page for it. */
import { colors } from '../kit/palette.ts';
import { laneAxis, type Line, line, lines, type Panel } from '../kit/panels.ts';
import { here } from '../kit/query.ts';

const silent = 'Redis did not answer when asked, there is none, or no exporter answered.';

const rate = (counter: string) => `sum(rate(${counter}{${here}}[$__rate_interval]))`;
const worst = (gauge: string) => `max(max_over_time(${gauge}{${here}}[$__rate_interval]) >= 0)`;

function basics(title: string, description: string, unit: string, list: readonly Line[]): Panel {
  return lines({
    title,
    description,
    w: 12,
    h: 6,
    unit,
    min: 0,
    axis: laneAxis,
    noValue: silent,
    lines: list,
  });
}

export const redisBasics: readonly Panel[] = [
  basics(
    'Memory of Redis',
    'Used, resident and the limit, the largest of the selected hosts. `redis_memory_used_bytes`, `redis_memory_used_rss_bytes`, `redis_memory_max_bytes`, from INFO memory. At the limit keys are evicted or writes refused. *Copied by the last save*: what a bgsave needs on top.',
    'bytes',
    [
      line(worst('redis_memory_used_bytes'), 'used', { color: colors.memory }),
      line(worst('redis_memory_used_rss_bytes'), 'resident', { color: colors.own }),
      line(`${worst('redis_memory_max_bytes')} > 0`, 'maxmemory', {
        color: colors.bad,
        dashed: true,
      }),
      line(worst('redis_rdb_last_cow_size_bytes'), 'copied by the last save', {
        color: colors.disk,
      }),
    ],
  ),
  basics(
    'Clients',
    'Connected clients, and those that wait in a blocking command (BLPOP and its like, which is their normal state). `redis_connected_clients`, `redis_blocked_clients`, from INFO clients.',
    'none',
    [
      line(worst('redis_connected_clients'), 'connected', { color: colors.own }),
      line(worst('redis_blocked_clients'), 'in a blocking command', { color: colors.neutral }),
    ],
  ),
  basics(
    'Commands',
    'Commands per second of all selected hosts. `redis_commands_processed_total`, from INFO stats.',
    'ops',
    [line(rate('redis_commands_processed_total'), 'commands', { color: colors.own })],
  ),
  basics(
    'Look-ups',
    'Look-ups per second that found their key, and that did not. `redis_keyspace_hits_total`, `redis_keyspace_misses_total`, from INFO stats.',
    'ops',
    [
      line(rate('redis_keyspace_hits_total'), 'hits', { color: colors.memory }),
      line(rate('redis_keyspace_misses_total'), 'misses', { color: colors.degraded }),
    ],
  ),
  basics(
    'Keys that went',
    'Keys per second that ran out, and that were evicted because memory was full. `redis_expired_keys_total`, `redis_evicted_keys_total`, from INFO stats. Evictions in a Redis with queues are lost tasks.',
    'ops',
    [
      line(rate('redis_expired_keys_total'), 'expired', { color: colors.neutral }),
      line(rate('redis_evicted_keys_total'), 'evicted', { color: colors.bad }),
    ],
  ),
  basics(
    'Network of Redis',
    'Bytes per second that Redis read and wrote. `redis_net_input_bytes_total`, `redis_net_output_bytes_total`, from INFO stats.',
    'Bps',
    [
      line(rate('redis_net_input_bytes_total'), 'in', { color: colors.own }),
      line(rate('redis_net_output_bytes_total'), 'out', { color: colors.memory }),
    ],
  ),
  basics(
    'Keys',
    'Keys by database, and how many of them will run out. `redis_db_keys`, `redis_db_keys_expiring`, from INFO keyspace.',
    'short',
    [
      line(`sum by (db) (redis_db_keys{${here}})`, '{{db}}'),
      line(`sum(redis_db_keys_expiring{${here}})`, 'will run out', { color: colors.neutral }),
    ],
  ),
  basics(
    'Age of the last save',
    'Time since the last snapshot that succeeded, the oldest of the selected hosts. `redis_rdb_last_save_timestamp_seconds`, from INFO persistence. Climbs without end where saves are off or fail.',
    's',
    [
      line(
        `max(time() - (redis_rdb_last_save_timestamp_seconds{${here}} > 0))`,
        'since the last save',
        { color: colors.pageIn },
      ),
    ],
  ),
];
