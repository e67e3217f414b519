/**
 * The processes behind a Redis log, and which of them the kernel reported. In a container the
 * log has pid 1 where the kernel says 14347: then it is the one that was silent meanwhile.
 */
import { isRedisProcess } from '../../tasks/redis-names.ts';
import type { Facts, Instant, RedisEvent } from '../facts/facts.ts';
import type { RedisLog, SleepingThread } from './incident.ts';

/** One process, from its start to the next start in the same log. */
interface Life {
  readonly pid: number | undefined;
  /** Lines of the process itself; its children that save write under pids of their own. */
  readonly lines: readonly RedisEvent[];
  readonly next: RedisEvent | undefined;
  /** When it said that it ends. */
  readonly endedAt: Instant;
}

/** Stamps of a log and of the kernel are read by two clocks. */
const slackSeconds = 1;

function mostFrequentPid(events: readonly RedisEvent[]): number | undefined {
  const counts = new Map<number, number>();
  for (const { pid } of events) if (pid !== undefined) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

function lifeOf(events: readonly RedisEvent[], next: RedisEvent | undefined): Life {
  const pid = events.find(({ kind }) => kind === 'started')?.pid ?? mostFrequentPid(events);
  const lines = events.filter((event) => (event.pid ?? pid) === pid);
  const endedAt = lines.find(({ kind }) => kind === 'ended')?.at ?? Infinity;
  return { pid, next, lines, endedAt };
}

function livesOf(events: readonly RedisEvent[]): Life[] {
  const starts = events.flatMap(({ kind }, i) => (kind === 'started' ? [i] : []));
  const edges = [0, ...starts.filter((start) => start > 0), events.length];
  return edges
    .slice(0, -1)
    .map((from, i) => lifeOf(events.slice(from, edges[i + 1]), events[edges[i + 1] ?? 0]))
    .filter(({ lines }) => lines.length > 0);
}

function livesOfAll(events: readonly RedisEvent[]): Life[] {
  const sources = [...new Set(events.map(({ source }) => source))];
  return sources.flatMap((id) => livesOf(events.filter(({ source }) => source === id)));
}

const between = (lines: readonly RedisEvent[], from: Instant, to: Instant) =>
  lines.filter(({ at }) => at > from && at < to);

/** Lived when the thread fell asleep, as far as the log tells. */
function livedThen({ lines, next, endedAt }: Life, asleep: Instant): boolean {
  const [first] = lines;
  if (first === undefined || first.at > asleep + slackSeconds) return false;
  return endedAt > asleep && (next === undefined || next.at > asleep);
}

/** What it says of its own start is no rhythm that could stop, nor is a line or two after it. */
const startSeconds = 60;
const leastLines = 3;

function longestPause(lines: readonly RedisEvent[]): number | undefined {
  const from = (lines[0]?.at ?? 0) + startSeconds;
  if (lines.filter(({ at }) => at > from).length < leastLines) return undefined;
  return Math.max(...lines.slice(1).map(({ at }, i) => at - (lines[i]?.at ?? at)));
}

function logOf({ lines, next }: Life, thread: SleepingThread, by: RedisLog['by']): RedisLog {
  const asleep = thread.onset.latest + slackSeconds;
  const lastBefore = lines.findLast(({ at }) => at <= asleep);
  const pause = longestPause(lines.filter(({ at }) => at <= asleep));
  const firstAfter = lines.find(({ at }) => at > thread.last);
  return {
    ...(lastBefore === undefined ? {} : { lastBefore }),
    ...(pause === undefined ? {} : { pause }),
    ...(firstAfter === undefined ? {} : { firstAfter }),
    ...(next === undefined ? {} : { nextStart: next }),
    meanwhile: between(lines, asleep, thread.last),
    by,
  };
}

function bySilence(alive: readonly Life[], thread: SleepingThread): RedisLog | undefined {
  const silent = alive.filter(
    ({ lines }) => between(lines, thread.onset.latest + slackSeconds, thread.last).length === 0,
  );
  const [only] = silent;
  return only !== undefined && silent.length === 1 ? logOf(only, thread, 'silence') : undefined;
}

export interface RedisLogs {
  /** Undefined where no log is certainly that of this process. */
  of(thread: SleepingThread): RedisLog | undefined;
}

/** All logs, taken apart once: a machine may have had thousands of threads asleep. */
export function redisLogs({ redis, sources }: Pick<Facts, 'redis' | 'sources'>): RedisLogs {
  const lives = livesOfAll(redis);
  // The silence of a log that may be of another machine is nobody's.
  const unsaid = new Set(sources.filter((one) => one.ownerUnsaid).map(({ id }) => id));
  const isOurs = ({ lines: [first] }: Life) => first !== undefined && !unsaid.has(first.source);
  const pids = new Set(lives.map(({ pid }) => pid));

  return {
    of(thread) {
      // A process that is no Redis is in a log only by its pid.
      if (!isRedisProcess(thread.comm) && !pids.has(thread.process)) return undefined;
      const alive = lives.filter((life) => livedThen(life, thread.onset.latest));
      const byPid = alive.filter(({ pid }) => pid === thread.process);
      const [named] = byPid;
      if (named !== undefined && byPid.length === 1) return logOf(named, thread, 'pid');
      return isRedisProcess(thread.comm) ? bySilence(alive.filter(isOurs), thread) : undefined;
    },
  };
}
