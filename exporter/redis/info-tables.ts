/**
 * The parts of INFO that are tables: databases, commands, and who this Redis is. Each keeps the
 * rows it has shown, so that no series goes away, and a limit on how many it shows.
 */
import { byLabel, counter, type Family, gauge, type Metric } from '../core/collector.ts';
import {
  commandPrefix,
  type CommandStats,
  commandStatsOf,
  type Keyspace,
  keyspaceOf,
  type RedisInfo,
} from './info.ts';
import { shownLabelValue } from '../core/label-value.ts';

const dbKeys = gauge({
  name: 'redis_db_keys',
  help: 'Keys in a database, from INFO keyspace.',
  note: 'Keys in a database; the first one, the configured one and every one that has held keys, those beyond 256 together as other, from INFO keyspace.',
  labels: ['db'],
});
const dbKeysExpiring = gauge({
  name: 'redis_db_keys_expiring',
  help: 'Keys in a database that have a time to live, from INFO keyspace.',
  labels: ['db'],
});
const commands = counter({
  name: 'redis_commands_total',
  help: 'Calls by command, from INFO commandstats.',
  note: 'Calls of a command, the most called of those seen first by name and the rest as other, from INFO commandstats.',
  labels: ['cmd'],
});
const commandSeconds = counter({
  name: 'redis_commands_duration_seconds_total',
  help: 'CPU time spent in a command, the rest as other, from INFO commandstats.',
  labels: ['cmd'],
});
const instance = gauge({
  name: 'redis_instance_info',
  help: 'Always 1; what this Redis is, from INFO server, replication and memory.',
  labels: [
    'role',
    'redis_version',
    'redis_build_id',
    'redis_mode',
    'os',
    'maxmemory_policy',
    'tcp_port',
    'run_id',
    'process_id',
    'master_replid',
    'valkey_version',
  ],
});

export const infoTableMetrics: readonly Metric[] = [
  dbKeys,
  dbKeysExpiring,
  commands,
  commandSeconds,
  instance,
];

const mostDatabases = 256;
const mostCommands = 40;

type Tell = (problem: Error) => void;

/** `first` are the databases shown from the start, empty or not. */
export function createKeyspaceTable(
  first: readonly number[],
): (info: RedisInfo, tell: Tell) => Family[] {
  const shown = new Set(first.map((db) => `db${db}`));
  let hasOthers = false;
  return (info, tell) => {
    const { rows: read, odd, problem } = keyspaceOf(info);
    if (problem !== undefined) tell(problem);
    const all = [...read, ...odd.map((db) => ({ db, keys: Number.NaN, expires: Number.NaN }))];
    for (const { db } of all) if (shown.size < mostDatabases) shown.add(db);
    const rows = new Map(all.map((row) => [row.db, row]));
    const others = all.filter(({ db }) => !shown.has(db));
    hasOthers ||= others.length > 0;
    const samples = (value: (row: Keyspace) => number) => [
      ...[...shown].map((db) => {
        const row = rows.get(db);
        return { labels: { db }, value: row === undefined ? 0 : value(row) };
      }),
      ...(hasOthers
        ? [{ labels: { db: 'other' }, value: others.reduce((sum, row) => sum + value(row), 0) }]
        : []),
    ];
    return [
      { metric: dbKeys, samples: samples((row) => row.keys) },
      { metric: dbKeysExpiring, samples: samples((row) => row.expires) },
    ];
  };
}

/**
 * A command gets a name of its own while there is room, the most called of the newcomers first,
 * and keeps it. So a command never moves out of `other`, and `other` only grows, as its
 * parts do. CONFIG RESETSTAT and a restart set the counts of Redis to 0, and ours with them: that is
 * a counter reset as Prometheus knows it.
 */
export function createCommandTable(): (info: RedisInfo, tell: Tell) => Family[] {
  const shown = new Set<string>();
  let last = new Map<string, CommandStats>();
  return (info, tell) => {
    const { rows: read, odd, problem } = commandStatsOf(info);
    if (problem !== undefined) tell(problem);
    // A line that is left out would take its command, or `other`, back.
    const kept = odd.flatMap((field) => last.get(field.slice(commandPrefix.length)) ?? []);
    const rows = [...read, ...kept].sort((a, b) => b.calls - a.calls);
    last = new Map(rows.map((row) => [row.cmd, row]));
    for (const { cmd } of rows) if (shown.size < mostCommands) shown.add(cmd);
    const values = new Map([...shown, 'other'].map((cmd) => [cmd, { calls: 0, seconds: 0 }]));
    for (const { cmd, calls, usec } of rows) {
      const value = values.get(cmd) ?? values.get('other');
      if (value === undefined) continue;
      value.calls += calls;
      value.seconds += usec / 1e6;
    }
    const rowsShown = [...values];
    return [
      byLabel(commands, Object.fromEntries(rowsShown.map(([cmd, { calls }]) => [cmd, calls]))),
      byLabel(
        commandSeconds,
        Object.fromEntries(rowsShown.map(([cmd, { seconds }]) => [cmd, seconds])),
      ),
    ];
  };
}

export function instanceFamily(info: RedisInfo): Family {
  const labels = Object.fromEntries(
    instance.labels.map((label) => [label, shownLabelValue(info.get(label) ?? '')]),
  );
  // Valkey has its mode under another name.
  const redis_mode = shownLabelValue(info.get('redis_mode') ?? info.get('server_mode') ?? '');
  return { metric: instance, samples: [{ labels: { ...labels, redis_mode }, value: 1 }] };
}
