/** Sleeps for a disk, a file system or a lock: whose fault that is takes more than the trace. */
import { reasonOfTrace } from '../../tasks/reasons.ts';
import type { Reason } from '../../tasks/reasons.ts';
import { found, given, nothing, type Context, type Rule } from './context.ts';
import type { Findings } from './findings.ts';
import type { SleepingThread } from './incident.ts';
import { limits } from './signs.ts';
import { asleepIn } from './sleep-rules.ts';
import type { Stats } from './window.ts';

const ofReason = ({ incident }: Context, reason: Reason): SleepingThread[] =>
  (incident.sleep?.threads ?? []).filter((thread) => thread.reason === reason);

const sourcesOf = (threads: readonly SleepingThread[]) =>
  threads.flatMap(({ reports }) => reports.map(({ source }) => source));

/** Its semaphore is what fsfreeze holds; a journal or a server that does not answer is another wait. */
const freezeFunctions = /^(?:percpu_rwsem_wait|percpu_down_read|sb_start_write|sb_wait_write)/;

function isFrozen({ reports }: SleepingThread): boolean {
  const [first] = reports;
  if (first === undefined || reasonOfTrace(first.report.frames) !== 'filesystem') return false;
  return first.report.frames.some((line) => freezeFunctions.test(line.trim().replace(/^_+/, '')));
}

export const fileSystem: Rule = (context) => {
  const threads = ofReason(context, 'filesystem');
  const frozen = threads.find(isFrozen);
  const [report] = (frozen ?? threads[0])?.reports ?? [];
  if (report === undefined) return nothing;
  const data = { asleepIn: asleepIn(report) ?? 'a file system' };
  if (frozen === undefined) return found('filesystem_waits', 'likely', data, sourcesOf(threads));
  return {
    ...found('filesystem_frozen', 'proven', data, sourcesOf([frozen])),
    ...agent(context),
  };
};

/** A freeze asked for through the guest agent just before, and not undone before the sleep. */
function agent({ facts, incident: { onset, end } }: Context): Findings {
  const event = facts.systemEvents.findLast(
    ({ kind, at }) =>
      kind === 'guest_agent_froze' && at >= onset.earliest - 600 && at <= onset.latest + 1,
  );
  if (event === undefined) return nothing;
  const thawed = facts.systemEvents.find(
    ({ kind, at }) => kind === 'guest_agent_thawed' && at >= event.at && at <= end.at,
  );
  if (thawed !== undefined && thawed.at < onset.earliest) return nothing;
  const data = { event, ...given({ thawed: thawed?.at }) };
  return found('frozen_by_agent', 'proven', data, [event.source]);
}

/** Of the disk that was busiest then. */
function busiest(stats: readonly Stats[]): Stats | undefined {
  return [...stats].sort((one, other) => other.mean - one.mean)[0];
}

const ofDisk = (stats: readonly Stats[], disk: Stats | undefined) =>
  stats.find(({ of }) => of === disk?.of);

/** More than this many operations a second, and twice the usual, are work of our own. */
const manyOperations = 50;

export const disk: Rule = (context) => {
  const { figures, during } = context;
  const threads = ofReason(context, 'disk');
  const [report] = threads[0]?.reports ?? [];
  const name = report === undefined ? undefined : asleepIn(report);
  const operations = figures.each('disk_operations', during);
  const busy = busiest(figures.each('disk_busy', during));
  const most = busiest(operations);
  const usual = ofDisk(context.usual.each('disk_operations'), most);
  const own = most !== undefined && most.mean > Math.max(manyOperations, 2 * (usual?.mean ?? 0));
  const heavy = busy !== undefined && busy.mean > limits.busyDisk;
  const figuresOf = [busy, most].flatMap((one) => one?.source ?? []);
  if (own && (heavy || name !== undefined)) {
    const data = given({ asleepIn: name, disk: busy?.of, busy: busy?.mean, operations: most.mean });
    return found('disk_own', 'likely', data, [...figuresOf, ...sourcesOf(threads)]);
  }
  if (name === undefined) return nothing;
  if (most === undefined || usual === undefined) {
    return found('disk_stalled_unclear', 'proven', { asleepIn: name }, sourcesOf(threads));
  }
  const awaited = ofDisk(figures.each('disk_await_seconds', during), most)?.most;
  const data = {
    asleepIn: name,
    operations: most.mean,
    usual: usual.mean,
    ...given({ awaitSeconds: awaited }),
  };
  return found('disk_stalled_host', 'very likely', data, [...figuresOf, ...sourcesOf(threads)]);
};

export const lock: Rule = (context) => {
  const { sleep } = context.incident;
  if (sleep === undefined || sleep.chief.reason !== 'lock') return nothing;
  return found('lock_held', 'proven', { process: sleep.chief.comm }, sourcesOf([sleep.chief]));
};

export const otherSleep: Rule = (context) => {
  const { sleep } = context.incident;
  const [report] = sleep?.chief.reports ?? [];
  const { reason } = sleep?.chief ?? {};
  if (sleep === undefined || report === undefined) return nothing;
  if (reason !== 'other' && reason !== 'unknown') return nothing;
  return found(
    'other_sleep',
    'proven',
    given({ asleepIn: asleepIn(report) }),
    sourcesOf([sleep.chief]),
  );
};

export const aofSlow: Rule = ({ facts, during }) => {
  const lines = facts.redis.filter(
    ({ kind, at }) => kind === 'aof_fsync_slow' && at >= during.from - 600 && at <= during.to,
  );
  if (lines.length === 0) return nothing;
  return found(
    'aof_slow',
    'proven',
    { count: lines.length },
    lines.map(({ source }) => source),
  );
};
