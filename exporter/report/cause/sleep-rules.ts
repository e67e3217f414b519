/** What the kernel's reports prove: who slept, in what, and until when. */
import { frameOf, reasonOfWaitChannel, symbolOfFrame } from '../../tasks/reasons.ts';
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { KernelReport } from '../facts/facts.ts';
import { type Context, found, given, nothing, type Rule } from './context.ts';
import type { Certainty, FindingData, Findings } from './findings.ts';
import type { EndHow, SleepingThread } from './incident.ts';
import { answersAsleep, seenAsleepBy, seenTooEarly } from './probes.ts';
import { lockups as standsStill } from './signs.ts';
import { roundOf, usualReports } from './sleeps.ts';

/** The first function that says what for; the scheduler's own say only how. */
export function asleepIn(report: KernelReport): string | undefined {
  const certain = report.report.frames.flatMap((line) => symbolOfFrame(line) ?? []);
  const names =
    certain.length > 0
      ? certain
      : report.report.frames.flatMap((line) => frameOf(line)?.name ?? []);
  return names.find((name) => reasonOfWaitChannel(name) !== 'other') ?? names[0];
}

const sourcesOf = (threads: readonly SleepingThread[]) =>
  threads.flatMap(({ reports }) => reports.map(({ source }) => source));

export const asleep: Rule = ({ incident: { sleep, onset } }) => {
  const [first] = sleep?.chief.reports ?? [];
  const last = sleep?.reports.at(-1);
  if (sleep === undefined || first === undefined || last === undefined) return nothing;
  const { chief, threads, reports } = sleep;
  const data: FindingData['asleep'] = {
    process: chief.comm,
    pid: chief.pid,
    threads: new Set(threads.map(({ pid }) => pid)).size,
    processes: new Set(threads.map(({ process }) => process)).size,
    reports: reports.length,
    onset,
    first,
    last,
    ...given({ asleepIn: asleepIn(first) }),
  };
  return found('asleep', 'proven', data, sourcesOf(threads));
};

/** Times that nobody vouches for prove no interval. */
export const dated: Rule = ({ facts, incident: { sleep, onset } }) => {
  const [first] = sleep?.chief.reports ?? [];
  if (sleep === undefined || first === undefined) return nothing;
  const source = facts.sources.find(({ id }) => id === first.source);
  const error = source?.timeErrorSeconds;
  const line = sleep.redis?.lastBefore;
  const narrowed = onset.earliest > sleep.chief.onset.earliest;
  // The later of the two did; a line is moved by what its clock may be off.
  const byLog = line !== undefined && line.at >= onset.earliest;
  const narrowedBy = narrowed ? (byLog ? ('log' as const) : ('probe' as const)) : undefined;
  const seen = seenAsleepBy(sleep, first.boot, facts);
  const seenBy = onset.latest < sleep.chief.onset.latest ? seen?.source : undefined;
  const sources = [
    first.source,
    ...(narrowedBy === 'log' && line !== undefined ? [line.source] : []),
    ...(seenBy === undefined ? [] : [seenBy]),
  ];
  const data = given({ narrowedBy, seenBy, doubt: source?.timeDoubt });
  return found('dated', error === undefined ? 'likely' : 'proven', data, sources);
};

export const whoseThread: Rule = ({ incident: { sleep } }) => {
  if (sleep === undefined) return nothing;
  const { chief, threads } = sleep;
  const sources = sourcesOf([chief]);
  const process = threads.find(({ comm }) => isRedisProcess(comm))?.comm;
  if (process !== undefined && chief.pid === chief.process) {
    return found('redis_asleep', 'proven', { process }, sources);
  }
  const aside = threads.find(({ comm, pid, process: of }) => pid !== of && asideOfRedis.test(comm));
  if (aside === undefined) return nothing;
  return found(
    'redis_aside_asleep',
    'likely',
    { process: 'redis-server', thread: aside.comm },
    sources,
  );
};

/** Names that Redis and Valkey give their threads. */
const asideOfRedis = /^(?:bio_(?:close_file|aof|aof_fsync|lazy_free)|io_thd_\d+|jemalloc_bg_thd)$/;

export const redisLine: Rule = ({ incident: { sleep } }) => {
  const { lastBefore, meanwhile = [] } = sleep?.redis ?? {};
  const [contradiction] = meanwhile;
  return {
    ...(lastBefore === undefined
      ? nothing
      : found('redis_last_line', 'proven', { event: lastBefore }, [lastBefore.source])),
    ...(contradiction === undefined || sleep === undefined
      ? nothing
      : found('clocks_disagree', 'proven', { event: contradiction }, [
          contradiction.source,
          ...sourcesOf([sleep.chief]),
        ])),
  };
};

export const recorderDiffers: Rule = ({ facts, incident: { sleep, boot = '' } }) => {
  if (sleep === undefined) return nothing;
  const { earliest } = sleep.chief.onset;
  const early = seenTooEarly(sleep, boot, facts);
  const [answered] = answersAsleep(sleep, facts.series);
  const named = sourcesOf([sleep.chief]);
  return {
    ...(early === undefined
      ? nothing
      : found('recorder_early', 'proven', { since: early.since, earliest }, [
          early.source,
          ...named,
        ])),
    ...(answered === undefined
      ? nothing
      : found('answered_asleep', 'proven', { at: answered.at }, [answered.source, ...named])),
  };
};

export const reportsSpent: Rule = ({ incident: { sleep } }) => {
  const last = sleep?.reports.at(-1);
  if (sleep?.budget !== 'spent' || last === undefined) return nothing;
  return found('reports_spent', 'very likely', { reports: usualReports, last: last.at }, [
    last.source,
  ]);
};

export const clockStepped: Rule = ({ facts, incident: { sleep, boot, onset, end } }) => {
  if (sleep === undefined) return nothing;
  const event = facts.systemEvents.find(
    ({ step, at, boot: of }) =>
      step !== undefined &&
      of === boot &&
      at >= onset.earliest &&
      at <= (end.latest ?? end.at) + 60,
  );
  if (event?.step === undefined) return nothing;
  const data = { at: event.at, seconds: event.step.seconds };
  return found('clock_stepped', 'proven', data, [event.source]);
};

const endings: Readonly<Record<Exclude<EndHow, 'detector_quiet'>, keyof FindingData>> = {
  sign_of_life: 'ended_alive',
  process_gone: 'ended_replaced',
  reset: 'ended_reset',
  shutdown: 'ended_shutdown',
  boot_ended: 'ended_with_boot',
  unseen: 'ended_unseen',
  still_on: 'still_on',
  measured: 'ended_measured',
};

const bySilence: ReadonlySet<EndHow> = new Set(['reset', 'shutdown', 'boot_ended']);

/** An end of the boot ends a sleep; whether it lasted so long, only silence says. */
function howSure({ end, sleep }: Context['incident']): Certainty {
  if (sleep === undefined || !bySilence.has(end.how)) return 'proven';
  const last = sleep.reports.at(-1)?.at ?? end.at;
  return end.at - last <= 2 * roundOf(sleep.reports) ? 'very likely' : 'likely';
}

export const howItEnded: Rule = ({ facts, incident }): Findings => {
  const { end, sleep, boot } = incident;
  const of = facts.boots.find(({ id }) => id === boot);
  const named = [
    ...(end.source === undefined ? [] : [end.source]),
    ...(of === undefined ? [] : [of.source]),
  ];
  const data = { ...end, ...given({ process: sleep?.chief.comm }) };
  if (end.how !== 'detector_quiet') {
    return { [endings[end.how]]: { certainty: howSure(incident), data, sources: named } };
  }
  return found('ended_quiet', 'likely', { ...data, latest: end.latest ?? end.at }, named);
};

export const uncleanEnd: Rule = ({ facts, incident: { boot, end } }) => {
  const of = facts.boots.find(({ id }) => id === boot);
  if (of?.end?.how !== 'unclean' || of.end.at < end.at) return nothing;
  return found('unclean_end', 'proven', { at: of.end.at, said: of.endSaid }, [of.source]);
};

export const lockups: Rule = ({ facts, during }) => {
  const near = facts.kernelEvents.filter(
    ({ kind, at }) => standsStill.has(kind) && at >= during.from - 60 && at <= during.to + 60,
  );
  const soft = near.filter(({ kind }) => kind === 'soft_lockup');
  const told = (id: 'soft_lockup' | 'kernel_stall', events: typeof near): Findings => {
    const [event] = events;
    if (event === undefined) return nothing;
    const certainty = id === 'soft_lockup' ? 'very likely' : 'proven';
    return found(
      id,
      certainty,
      { event, count: events.length },
      events.map(({ source }) => source),
    );
  };
  // Of a KVM guest alone a soft lockup accuses the host.
  if (facts.machine.hypervisor !== 'kvm' || soft.length === 0) return told('kernel_stall', near);
  return told('soft_lockup', soft);
};

export const outOfMemory: Rule = ({ facts, during }) => {
  const kills = facts.kernelEvents.filter(
    ({ kind, at }) => kind.startsWith('oom_') && at >= during.from - 600 && at <= during.to + 60,
  );
  const of = (test: (kind: string) => boolean) => kills.filter(({ kind }) => test(kind));
  const [machine, container] = [
    of((kind) => kind !== 'oom_cgroup'),
    of((kind) => kind === 'oom_cgroup'),
  ];
  const told = (id: 'out_of_memory' | 'out_of_memory_container', events: typeof kills): Findings =>
    events[0] === undefined
      ? nothing
      : found(
          id,
          'proven',
          { event: events[0], count: events.length },
          events.map(({ source }) => source),
        );
  return { ...told('out_of_memory', machine), ...told('out_of_memory_container', container) };
};
