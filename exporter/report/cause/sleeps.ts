/**
 * Incidents that the kernel reported. The rules of time, each learnt from a report that was
 * wrong without it:
 * - N seconds are counted from the detector's first look, so the sleep began up to a round earlier.
 * - Ten reports are the kernel's budget. The tenth is not the end.
 * - What lies between two sleeps of one pid is life; two incidents in one boot stay two.
 */
import { causeOf } from '../../kmsg/cause.ts';
import { createEpisodes, type Episode } from '../../kmsg/episodes.ts';
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { Boot, Facts, Instant, Interval, KernelReport } from '../facts/facts.ts';
import {
  type End,
  type Incident,
  incidentId,
  type KernelFacts,
  type RedisLog,
  type Sleep,
  type SleepingThread,
} from './incident.ts';
import { overBy } from './boots.ts';
import { answeredBefore, seenAsleepBy, seenUntil, shownByProbe } from './probes.ts';
import { redisLogs, type RedisLogs } from './redis-lives.ts';

/** `hung_task_warnings` of a kernel that nobody told otherwise. */
export const usualReports = 10;

function threadOf(
  episode: Episode,
  reports: readonly [KernelReport, ...KernelReport[]],
  round: number,
): SleepingThread {
  const { at, report } = reports[0];
  const latest = at - report.seconds;
  return {
    pid: episode.pid,
    process: episode.tgid ?? episode.pid,
    comm: episode.comm,
    reason: episode.cause,
    onset: { earliest: latest - round, latest },
    reports,
    first: at,
    last: (reports.at(-1) ?? reports[0]).at,
  };
}

/** The detector looks once in its timeout; what it first says is at least that. */
export function roundOf(reports: readonly KernelReport[]): number {
  return Math.min(...reports.map(({ report }) => report.seconds));
}

function threadsOf(reports: readonly KernelReport[]): SleepingThread[] {
  const episodes = createEpisodes();
  const found = new Map<Episode, [KernelReport, ...KernelReport[]]>();
  for (const report of reports) {
    const { episode } = episodes.note(report.report, causeOf(report.report).reason);
    const known = found.get(episode);
    if (known === undefined) found.set(episode, [report]);
    else known.push(report);
  }
  const round = roundOf(reports);
  return [...found].map(([episode, of]) => threadOf(episode, of, round));
}

/** The main thread of a Redis, another thread of it, then whatever was reported most. */
function rankOf({ comm, pid, process, reports }: SleepingThread): number {
  return (isRedisProcess(comm) ? (pid === process ? 2e6 : 1e6) : 0) + reports.length;
}

function chiefOf(threads: readonly SleepingThread[]): SleepingThread | undefined {
  return [...threads].sort((one, other) => rankOf(other) - rankOf(one))[0];
}

interface Group {
  readonly threads: SleepingThread[];
  /** Until then another sleep belongs to this incident. */
  until: Instant;
}

/** A sleep that was still going on, or had ended less than a round ago without a sign of life. */
function groupsOf(threads: readonly SleepingThread[], logs: RedisLogs, round: number): Group[] {
  const groups: Group[] = [];
  for (const thread of [...threads].sort((one, other) => one.onset.latest - other.onset.latest)) {
    const alive = logs.of(thread)?.firstAfter?.at;
    const until = Math.min(thread.last + round, alive ?? Infinity);
    const last = groups.at(-1);
    if (last === undefined || thread.onset.latest > last.until) {
      groups.push({ threads: [thread], until });
    } else {
      last.threads.push(thread);
      last.until = Math.max(last.until, until);
    }
  }
  return groups;
}

const endOfBoot = { clean: 'shutdown', unclean: 'reset', unknown: 'boot_ended' } as const;

/** The end of the boot, if nothing shows an end before it. */
function endWithBoot({ boots }: KernelFacts, boot: Boot | undefined): End | undefined {
  if (boot?.end === undefined) return undefined;
  const end = { at: boot.end.at, how: endOfBoot[boot.end.how] };
  const latest = overBy(boots, boot.id);
  return latest === undefined ? end : { ...end, latest };
}

function shownByRedis(redis: RedisLog | undefined, boot: Boot | undefined): End | undefined {
  if (redis?.firstAfter !== undefined) {
    const { at, source } = redis.firstAfter;
    return { at, how: 'sign_of_life', source };
  }
  const next = redis?.nextStart;
  if (next === undefined || next.at > (boot?.end?.at ?? Infinity)) return undefined;
  return { at: next.at, how: 'process_gone', source: next.source };
}

/** So many times its longest pause: then a log that is silent says that nobody writes to it. */
const telling = 2;

/** A Redis with nothing to save writes no line for days: its silence tells only where it had a rhythm. */
function silenceTells({ redis, chief }: Sleep, until: Instant): boolean {
  if (redis?.pause === undefined || redis.meanwhile.length > 0) return false;
  return until - (redis.lastBefore?.at ?? chief.onset.latest) > telling * redis.pause;
}

/** By then the log that the reports are from had gone on, and none came. */
function detectorSilent(sleep: Sleep, boot: Boot | undefined, by: Instant, now: Instant): boolean {
  // Of a boot whose times cannot be nobody knows how far its log reaches.
  if (boot === undefined) return false;
  const heard = boot.end === undefined ? now : (boot.end.later?.logSilent ?? boot.end.at);
  return sleep.budget === 'left' && heard > by;
}

function endOf(sleep: Sleep, facts: KernelFacts, boot: Boot | undefined, now: Instant): End {
  const shown = shownByRedis(sleep.redis, boot) ?? shownByProbe(sleep, facts.series, boot);
  if (shown !== undefined) return shown;
  const last = sleep.reports.at(-1)?.at ?? sleep.chief.last;
  // Reports of a round come late, one after the other: two rounds without one are silence.
  const silent = last + 2 * roundOf(sleep.reports);
  const ended = endWithBoot(facts, boot);
  if ((ended?.at ?? now) <= silent) return ended ?? { at: last, how: 'still_on' };
  const quiet = detectorSilent(sleep, boot, silent, now);
  if (!quiet && ended !== undefined && silenceTells(sleep, ended.at)) return ended;
  const seen = seenUntil(sleep, facts.series, boot);
  const latest = ended === undefined ? {} : { latest: ended.latest ?? ended.at };
  if (seen !== undefined && seen.at > last) return { ...seen, how: 'unseen', ...latest };
  if (quiet) return { at: last, how: 'detector_quiet', latest: silent };
  return { at: last, how: 'unseen', ...latest };
}

/** Seconds are told: what is off by less makes no interval wider. */
const leastError = 0.5;

/** How far the times of a source may be off; undefined where nobody can say. */
function errorOf({ sources }: KernelFacts, id: string): number | undefined {
  const error = sources.find((source) => source.id === id)?.timeErrorSeconds;
  return error !== undefined && error < leastError ? 0 : error;
}

/** A line counts only if its clock is known, and does not contradict the kernel's. */
function lastLine({ redis }: Sleep, facts: KernelFacts): Instant {
  const line = redis?.lastBefore;
  if (line === undefined || redis === undefined || redis.meanwhile.length > 0) return -Infinity;
  const error = errorOf(facts, line.source);
  return error === undefined ? -Infinity : line.at - error;
}

/** The last answer to a probe before it fell asleep. */
function lastAnswer(sleep: Sleep, facts: KernelFacts): Instant {
  const answer = answeredBefore(sleep, facts.series);
  const error = answer === undefined ? undefined : errorOf(facts, answer.source);
  return answer === undefined || error === undefined ? -Infinity : answer.at - error;
}

/** The recorder had seen it asleep by then. */
function firstSeen(sleep: Sleep, boot: string, facts: KernelFacts): Instant {
  const seen = seenAsleepBy(sleep, boot, facts);
  const error = seen === undefined ? undefined : errorOf(facts, seen.source);
  return seen === undefined || error === undefined ? Infinity : seen.since + error;
}

/** It has not slept for longer than its machine has run. */
const bootBegan = ({ boots }: KernelFacts, boot: string): Instant =>
  boots.find(({ id }) => id === boot)?.start.earliest ?? -Infinity;

/** Its last line before the sleep, and the first look that found it asleep, narrow the onset; what the clocks may be off widens it. */
function onsetOf(sleep: Sleep, boot: string, facts: KernelFacts): Interval {
  const { onset, reports } = sleep.chief;
  const error = errorOf(facts, reports[0]?.source ?? '') ?? 0;
  const seen = firstSeen(sleep, boot, facts);
  const latest = Math.max(onset.earliest, Math.min(onset.latest + error, seen));
  const lines = [lastLine(sleep, facts), lastAnswer(sleep, facts), bootBegan(facts, boot)];
  const before = lines.filter((at) => at <= latest);
  return { earliest: Math.max(onset.earliest - error, ...before), latest };
}

/** An excerpt of the recorder has the first report of a kind and the last, and a count. */
function budgetOf(reports: readonly KernelReport[], { sources }: KernelFacts): Sleep['budget'] {
  const excerpts = new Set(sources.flatMap(({ id, kind }) => (kind === 'evidence' ? [id] : [])));
  if (reports.some(({ source }) => excerpts.has(source))) return 'unknown';
  return reports.length === usualReports ? 'spent' : 'left';
}

function sleepOf(
  group: Group,
  ofAll: Pick<Sleep, 'reportsOfBoot' | 'budget'>,
  logs: RedisLogs,
): Sleep | undefined {
  const { threads } = group;
  const chief = chiefOf(threads);
  if (chief === undefined) return undefined;
  const redis = isRedisProcess(chief.comm) ? logs.of(chief) : undefined;
  const reports = threads
    .flatMap((thread) => thread.reports)
    .sort((one, other) => one.at - other.at);
  return { threads, chief, reports, ...ofAll, ...(redis === undefined ? {} : { redis }) };
}

function ofBoot(
  boot: string,
  reports: readonly KernelReport[],
  facts: KernelFacts,
  logs: RedisLogs,
  now: Instant,
): Incident[] {
  const known = facts.boots.find(({ id }) => id === boot);
  const groups = groupsOf(threadsOf(reports), logs, roundOf(reports));
  const ofAll = { reportsOfBoot: reports.length, budget: budgetOf(reports, facts) };
  return groups.flatMap((group) => {
    const sleep = sleepOf(group, ofAll, logs);
    if (sleep === undefined) return [];
    const onset = onsetOf(sleep, boot, facts);
    const end = endOf(sleep, facts, known, now);
    return [{ id: incidentId(sleep.chief.onset.latest), boot, onset, end, sleep, signs: [] }];
  });
}

/** Oldest first. */
export function reportedIncidents(facts: Facts, now: Instant): Incident[] {
  const logs = redisLogs(facts);
  const boots = [...new Set(facts.kernelReports.map(({ boot }) => boot))];
  return boots
    .flatMap((boot) =>
      ofBoot(
        boot,
        facts.kernelReports.filter((report) => report.boot === boot),
        facts,
        logs,
        now,
      ),
    )
    .sort((one, other) => one.onset.latest - other.onset.latest);
}
