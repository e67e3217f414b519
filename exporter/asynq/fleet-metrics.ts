/** What is published of servers, schedulers and of the collection itself. */
import { byLabel, counter, type Family, gauge, type Metric, single } from '../core/collector.ts';
import type { ErrorReason } from './ask.ts';
import { type Snapshot, truncations } from './collection.ts';
import { type Fleet, type LiveServer, type Server, serverStatuses } from './fleet.ts';
import type { SchedulerEntry } from './messages.ts';

const up = gauge({
  name: 'asynq_up',
  help: '1 when the last collection from Redis succeeded, 0 when not answered or refused.',
  note: 'Without Asynq in this Redis it is 1 and nothing else is there.',
});
const servers = gauge({
  name: 'asynq_servers',
  help: 'Live servers by the status they report, from asynq:servers:*.',
  labels: ['status'],
});
const serversExpired = gauge({
  name: 'asynq_servers_expired',
  help: 'Servers that died and that nobody has pruned, from ZCOUNT of asynq:servers.',
});
const serverBusy = gauge({
  name: 'asynq_server_busy_workers',
  help: 'Workers of a live server that run a task, from asynq:servers:*.',
  labels: ['server'],
});
const serverConcurrency = gauge({
  name: 'asynq_server_concurrency',
  help: 'Workers of a live server, from asynq:servers:*.',
  labels: ['server'],
});
const serverHeartbeat = gauge({
  name: 'asynq_server_last_heartbeat_timestamp_seconds',
  help: "Unix time of a server's last heartbeat, from the scores of asynq:servers.",
  note: 'Of one that died within the last hour, too.',
  labels: ['server'],
});
const schedulers = gauge({
  name: 'asynq_schedulers',
  help: 'Live schedulers, from asynq:schedulers:*.',
});
const entryLabels = ['task_type', 'spec', 'queue'];
const entryNext = gauge({
  name: 'asynq_scheduler_entry_next_timestamp_seconds',
  help: 'Unix time at which a periodic task is due, from asynq:schedulers:*.',
  note: 'The soonest over all schedulers.',
  labels: entryLabels,
});
const entryPrevious = gauge({
  name: 'asynq_scheduler_entry_prev_timestamp_seconds',
  help: "Unix time of a periodic task's last enqueueing, from asynq:schedulers:*.",
  note: 'The latest over all schedulers, NaN before the first time.',
  labels: entryLabels,
});
const clockSkew = gauge({
  name: 'asynq_clock_skew_seconds',
  help: "Redis's clock less this machine's, from TIME.",
});
const truncated = gauge({
  name: 'asynq_truncated',
  help: '1 when there was more than is read, from what was asked for.',
  note: 'Queues, servers or entries are left out; tasks in groups are an estimate.',
  labels: ['collector'],
});
const age = gauge({
  name: 'asynq_collection_age_seconds',
  help: 'How old the published queue numbers are, by the monotonic clock.',
  note: 'Next to nothing up to 500 queues, which are read at each scrape; above, since the last background collection.',
});
const duration = gauge({
  name: 'asynq_collection_duration_seconds',
  help: 'How long the last successful collection took, by the monotonic clock.',
  note: 'The background interval grows with it.',
});
const errors = counter({
  name: 'asynq_errors_total',
  help: 'Refusals of Redis, missing answers and values that do not decode, by reason.',
  labels: ['reason'],
});

export const fleetMetrics: readonly Metric[] = [
  up,
  servers,
  serversExpired,
  serverBusy,
  serverConcurrency,
  serverHeartbeat,
  schedulers,
  entryNext,
  entryPrevious,
  clockSkew,
  truncated,
  age,
  duration,
  errors,
];

export const upFamily = (isUp: boolean): Family => single(up, isUp ? 1 : 0);

export const errorFamily = (counts: Readonly<Record<ErrorReason, number>>): Family =>
  byLabel(errors, counts);

/** How fresh the numbers are: told of old ones too. */
export function ageFamilies({ takenAt, durationSeconds }: Snapshot, monotonic: number): Family[] {
  return [single(age, Math.max(0, monotonic - takenAt)), single(duration, durationSeconds)];
}

/** What the collection was like, and what is missing from it. */
export function snapshotFamilies({ clockSkewSeconds, truncated: cut }: Snapshot): Family[] {
  return [
    single(clockSkew, clockSkewSeconds),
    byLabel(truncated, new Map(truncations.map((name) => [name, cut[name] ? 1 : 0]))),
  ];
}

/** The same series without their numbers: known to be there, and not readable now. */
export function asUnread({ metric, samples }: Family): Family {
  return { metric, samples: samples.map(({ labels }) => ({ labels, value: Number.NaN })) };
}

export function fleetFamilies(fleet: Fleet): Family[] {
  const count = (status: string) =>
    fleet.missing === 'refused'
      ? Number.NaN
      : fleet.live.filter((one) => one.status === status).length;
  return [
    byLabel(servers, new Map(serverStatuses.map((status) => [status, count(status)]))),
    single(serversExpired, fleet.expiredServers),
    byLabel(
      serverBusy,
      summed(fleet.servers, (live) => live.busyWorkers),
    ),
    byLabel(
      serverConcurrency,
      summed(fleet.servers, (live) => live.concurrency),
    ),
    byLabel(serverHeartbeat, latestHeartbeats(fleet.servers)),
    single(schedulers, fleet.schedulers),
    entryFamily(entryNext, fleet.entries, (entry) => entry.nextSeconds),
    entryFamily(entryPrevious, fleet.entries, (entry) => entry.previousSeconds),
  ];
}

/** Two servers in one process share a label, and a series must be unique. */
function summed(list: readonly Server[], value: (server: LiveServer) => number) {
  const sums = new Map<string, number>();
  for (const { name, live } of list) {
    if (live === undefined) continue;
    sums.set(name, (sums.get(name) ?? 0) + (live === 'unread' ? Number.NaN : value(live)));
  }
  return sums;
}

function latestHeartbeats(list: readonly Server[]): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (const { name, heartbeatSeconds } of list) {
    latest.set(name, Math.max(latest.get(name) ?? heartbeatSeconds, heartbeatSeconds));
  }
  return latest;
}

function entryFamily(
  metric: Metric,
  entries: readonly SchedulerEntry[],
  value: (entry: SchedulerEntry) => number | undefined,
): Family {
  return {
    metric,
    samples: entries.map((entry) => ({
      labels: { task_type: entry.taskType, spec: entry.spec, queue: entry.queue },
      value: value(entry) ?? Number.NaN,
    })),
  };
}
