/** Rows of Redis, its persistence and its settings. */
import { type Files, type Row, container, drift, meminfo, rdbProcess, told } from './row.ts';

const refused = new Error('Redis refuses CONFIG GET (NOPERM): allow +config|get');

const confAt = (text: string): Files => ({ 'proc/42/root/etc/redis.conf': text });

const unit = (command: string): Files => ({
  'proc/42/cgroup': '0::/system.slice/redis-server.service\n',
  'lib/systemd/system/redis-server.service': `[Service]\nExecStart=${command}\n`,
});

export const redisRows: readonly Row[] = [
  {
    id: 'rdb-save-points',
    state: 'pass',
    said: /^off, now and after/,
    files: { ...confAt('save ""\n'), ...unit('redis-server /etc/redis.conf') },
    told: drift(''),
  },
  {
    id: 'rdb-save-points',
    state: 'pass',
    said: /^"3600 1", now and later$/,
    files: { ...confAt('save 3600 1\n'), ...unit('redis-server /etc/redis.conf') },
    told: drift('3600 1'),
  },
  {
    id: 'rdb-save-points',
    state: 'fail',
    said: /off now; after the next restart "3600 1 60 5" \(\/etc\/redis\.conf\)$/,
    files: { ...confAt('save 3600 1\r\nSAVE 60 5\n'), ...unit('redis-server /etc/redis.conf') },
    told: drift(''),
  },
  {
    id: 'rdb-save-points',
    state: 'fail',
    said: /the save points it is built with/,
    files: { ...confAt('port 6379\n'), ...unit('redis-server /etc/redis.conf') },
    told: drift(''),
  },
  {
    id: 'rdb-save-points',
    state: 'fail',
    said: /built with \(the command of the container cache\)$/,
    files: container({ name: 'cache', pid: 42 }),
    told: drift('', ''),
  },
  {
    id: 'rdb-save-points',
    state: 'pass',
    said: /off, now and after a restart \(the command of the container cache\)/,
    files: container({ name: 'cache', pid: 42, args: ['redis-server', '--save', ''] }),
    told: drift('', ''),
  },
  {
    id: 'rdb-save-points',
    state: 'pass',
    said: /off, now.*\(redis-server\.service\)/,
    files: { ...confAt('save 60 5\n'), ...unit('redis-server /etc/redis.conf --save ""') },
    told: drift(''),
  },
  {
    id: 'rdb-save-points',
    state: 'warn',
    said: /unless the arguments it is started with say otherwise/,
    files: confAt('save 60 5\n'),
    told: drift(''),
  },
  {
    id: 'rdb-save-points',
    state: 'warn',
    said: /^"60 5" now, and off after/,
    files: confAt('save ""\n'),
    told: drift('60 5'),
  },
  {
    id: 'rdb-save-points',
    state: 'warn',
    said: /^"60 5" now, "900 1" after/,
    files: confAt('save 900 1\n'),
    told: drift('60 5'),
  },
  {
    id: 'rdb-save-points',
    state: 'cannot_see',
    said: /includes others/,
    files: confAt('include /etc/more.conf\n'),
    told: drift(''),
  },
  { id: 'rdb-save-points', state: 'cannot_see', said: /not there any more/, told: drift('') },
  { id: 'rdb-save-points', state: 'cannot_see', said: /neither a container/, told: drift('', '') },
  {
    id: 'rdb-save-points',
    state: 'cannot_see',
    said: /what a restart would bring is not known: elsewhere/,
    told: { redis: { config: { save: '' }, process: 'elsewhere' } },
  },
  { id: 'rdb-save-points', state: 'cannot_see', said: /NOPERM/, told: told({ save: refused }) },
  { id: 'rdb-save-points', state: 'cannot_see', said: /no save points/, told: told({}) },
  { id: 'rdb-save-points', state: 'cannot_see', said: /Redis does not answer/ },

  {
    id: 'aof-policy',
    state: 'pass',
    said: /no append-only file/,
    told: told({ appendonly: 'no' }),
  },
  {
    id: 'aof-policy',
    state: 'pass',
    said: /everysec, and no write/,
    told: told({ appendonly: 'yes', appendfsync: 'everysec' }, 'aof_delayed_fsync:0'),
  },
  {
    id: 'aof-policy',
    state: 'warn',
    said: /^appendfsync always/,
    told: told({ appendonly: 'yes', appendfsync: 'always' }),
  },
  {
    id: 'aof-policy',
    state: 'warn',
    said: /7 writes have waited/,
    told: told({ appendonly: 'yes', appendfsync: 'everysec' }, 'aof_delayed_fsync:7'),
  },
  {
    id: 'aof-policy',
    state: 'cannot_see',
    said: /aof_delayed_fsync is "x"/,
    told: told({ appendonly: 'yes' }, 'aof_delayed_fsync:x'),
  },

  {
    id: 'persistence',
    state: 'pass',
    said: /^snapshots$/,
    told: told({ save: '60 5', appendonly: 'no' }),
  },
  {
    id: 'persistence',
    state: 'pass',
    said: /^an append-only file$/,
    told: told({ save: '', appendonly: 'yes' }),
  },
  {
    id: 'persistence',
    state: 'pass',
    said: /2 connected replica/,
    told: told({ save: '', appendonly: 'no' }, 'connected_slaves:2'),
  },
  {
    id: 'persistence',
    state: 'warn',
    said: /^nothing/,
    told: told({ save: '', appendonly: 'no' }),
  },
  {
    id: 'persistence',
    state: 'fail',
    said: /^its last snapshot failed: only what/,
    told: told({ save: '60 5', appendonly: 'no' }, 'rdb_last_bgsave_status:err'),
  },
  {
    id: 'persistence',
    state: 'fail',
    said: /^its last write to the append-only file failed/,
    told: told({ save: '', appendonly: 'yes' }, 'aof_last_write_status:err'),
  },
  {
    id: 'persistence',
    state: 'pass',
    said: /^an append-only file$/,
    told: told(
      { save: '60 5', appendonly: 'yes' },
      'rdb_last_bgsave_status:err\r\naof_last_write_status:ok',
    ),
  },
  { id: 'persistence', state: 'cannot_see', said: /NOPERM/, told: told({ save: refused }) },

  {
    id: 'slowlog',
    state: 'pass',
    said: /^from 10 ms$/,
    told: told({ 'slowlog-log-slower-than': '10000' }),
  },
  {
    id: 'slowlog',
    state: 'warn',
    said: /only from 10\.001 ms/,
    told: told({ 'slowlog-log-slower-than': '10001' }),
  },
  { id: 'slowlog', state: 'warn', said: /is off/, told: told({ 'slowlog-log-slower-than': '-1' }) },
  {
    id: 'slowlog',
    state: 'warn',
    said: /none is kept/,
    told: told({ 'slowlog-log-slower-than': '10000', 'slowlog-max-len': '0' }),
  },
  { id: 'slowlog', state: 'cannot_see', said: /no slow log/, told: told({}) },
  {
    id: 'slowlog',
    state: 'cannot_see',
    said: /expected a whole number/,
    told: told({ 'slowlog-log-slower-than': '1e3' }),
  },

  {
    id: 'latency-monitor',
    state: 'pass',
    said: /^from 100 ms$/,
    told: told({ 'latency-monitor-threshold': '100' }),
  },
  {
    id: 'latency-monitor',
    state: 'warn',
    said: /is off/,
    told: told({ 'latency-monitor-threshold': '0' }),
  },
  { id: 'latency-monitor', state: 'cannot_see', said: /no latency monitor/, told: told({}) },

  {
    id: 'dead-clients',
    state: 'pass',
    said: /tcp-keepalive 300 s/,
    told: told({ timeout: '0', 'tcp-keepalive': '300' }),
  },
  {
    id: 'dead-clients',
    state: 'pass',
    said: /timeout 60 s/,
    told: told({ timeout: '60', 'tcp-keepalive': '0' }),
  },
  {
    id: 'dead-clients',
    state: 'warn',
    said: /both 0/,
    told: told({ timeout: '0', 'tcp-keepalive': '0' }),
  },
  { id: 'dead-clients', state: 'cannot_see', said: /NOPERM/, told: told({ timeout: refused }) },

  ...(
    [
      ['pass', /^Redis has 1 MiB, 488 MiB are available$/, '1048576', '524288000', 500_000],
      ['warn', /maxmemory is 0/, '1048576', '0', 500_000],
      ['warn', /may need as much again/, '1073741824', '1', 500_000],
      ['warn', /maxmemory is 1024 MiB, and the machine has 977 MiB/, '1', '1073741824', 500_000],
    ] as const
  ).map(([state, said, used, max, available]): Row => ({
    id: 'memory-headroom',
    state,
    said,
    files: meminfo(1e6, available, 0, 0),
    told: {
      redis: {
        info: `used_memory:${used}`,
        process: rdbProcess,
        config: { save: '60 5', maxmemory: max },
      },
    },
  })),
  {
    id: 'memory-headroom',
    state: 'cannot_see',
    said: /on this machine: elsewhere/,
    told: { redis: { process: 'elsewhere' } },
  },
];
