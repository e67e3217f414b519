/** One incident while it is remembered: what is added to it, each kind within its bounds. */
import type { BlockedThread as Sleeping } from '../core/collector.ts';
import type { Rescue } from '../core/rescue-record.ts';
import { type Verdict, verdicts } from '../core/verdict.ts';
import { type Excerpt, functionsOf } from '../kmsg/excerpts.ts';
import type {
  Again,
  BlockedThread,
  Cause,
  EvidenceIncident,
  KernelExcerpt,
  Moment,
  RedisRecord,
  RescueRecord,
} from './format.ts';
import type { Met } from './rules.ts';
import { readTrace, reasonInWords } from '../tasks/reasons.ts';

const mostExcerpts = 64;
/** Ten is the kernel's budget as a rule. */
const mostAgain = 16;
const bytesOfAgain = 40;
const mostKernelBytes = 24 * 1024;
const mostTasks = 32;
const mostStates = 64;
const mostFormerIds = 4;
const mostRescues = 8;
const longestReason = 400;

/** What host or disk did comes before it; a machine that is busy besides does not. */
const stoppedGrave = verdicts.indexOf('own_load') - 0.5;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Facts = Omit<EvidenceIncident, 'last' | 'samples' | 'kernel' | 'tasks' | 'redis' | 'rescues'>;

export interface Incident {
  /** Owner of its rows in the table. */
  readonly owner: number;
  readonly facts: Facts;
  /** When anything was ill last. */
  readonly last: Moment;
  /** Threads that the kernel named. */
  readonly pids: ReadonlySet<number>;
  meet(met: Met): void;
  /** The first word of the kernel gives it its name: who reads the log again says the same. */
  rename(id: string): void;
  /** True for one whose like was not told yet. */
  excerpt(excerpt: Excerpt): boolean;
  tasks(at: Moment, threads: readonly Sleeping[]): void;
  redis(at: Moment, state: string, reason: string | undefined): void;
  /** All that are known: those of before it began are not of it. */
  rescues(rescues: readonly Rescue[]): void;
  verdict(verdict: Verdict): void;
  /** Redis does not answer because somebody stopped it. */
  stopped(text: string): void;
  close(end: EvidenceIncident['end']): void;
  /** All but the samples. */
  record(): Omit<EvidenceIncident, 'samples'>;
}

/** Grave ones worth keeping when another needs the room. */
export function weightOf({ facts, last }: Incident): number {
  const told = facts.openedBy.some(({ rule }) => rule === 'hung_task' || rule === 'soft_lockup');
  return (told ? 1e6 : 0) + (last - facts.onset.latest);
}

/** FNV-1a twice, in hexadecimal: to tell traces apart, and no library for it. */
function fingerprint(text: string): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let i = 0; i < text.length; i += 1) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ a, 0x811c9dc5);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

function hashOf(excerpt: Excerpt): string {
  const functions = functionsOf(excerpt);
  // Without a trace the place of digits is the same from one line to the next.
  const [line = ''] = excerpt.lines;
  const text = functions.length > 0 ? functions.join(' ') : line.replaceAll(/\d+/g, 'N');
  return fingerprint(`${excerpt.kind} ${text}`);
}

/** The cause as far as the kernel alone tells it. */
function toldBy({ kind, seconds, lines }: Excerpt): string {
  if (kind !== 'hung_task') return `The kernel said: ${lines[0] ?? kind}`;
  const why = reasonInWords[readTrace(lines).reason];
  return `The kernel reported a thread blocked for more than ${seconds ?? 0} s, ${why}.`;
}

function createKernelLog() {
  const known = new Map<string, Mutable<KernelExcerpt>>();
  const traces = new Set<string>();
  let bytes = 0;

  /** What the kernel said first, and what it said last; where there is no room, the first. */
  function andAgain(again: readonly Again[] = [], time: Moment, seconds: number): Again[] {
    if (again.length >= mostAgain) {
      return [
        ...again.slice(0, mostAgain / 2),
        ...again.slice(mostAgain / 2 + 1),
        { time, seconds },
      ];
    }
    if (bytes + bytesOfAgain > mostKernelBytes) return [...again];
    bytes += bytesOfAgain;
    return [...again, { time, seconds }];
  }

  /** Of several with one trace the first shows it. */
  function linesOf({ lines }: Excerpt, hash: string): readonly string[] {
    const shown = traces.has(hash) ? lines.slice(0, 1) : lines;
    let room = mostKernelBytes - bytes;
    const fits = shown.filter((line) => (room -= JSON.stringify(line).length + 1) >= 0);
    bytes = mostKernelBytes - Math.max(0, room);
    traces.add(hash);
    return fits;
  }

  return {
    add(excerpt: Excerpt): boolean {
      const { kind, microseconds, pid = 0, seconds } = excerpt;
      const time = microseconds / 1e6;
      const hash = hashOf(excerpt);
      const key = `${kind} ${pid} ${hash}`;
      const before = known.get(key);
      const more = seconds === undefined ? {} : { seconds };
      if (before !== undefined) {
        Object.assign(before, { last: time, count: before.count + 1, ...more });
        if (kind === 'hung_task' && seconds !== undefined)
          before.again = andAgain(before.again, time, seconds);
      } else if (known.size < mostExcerpts) {
        const lines = linesOf(excerpt, hash);
        known.set(key, { kind, time, last: time, count: 1, hash, ...more, lines });
      }
      return before === undefined;
    },
    list: (): KernelExcerpt[] => [...known.values()],
  };
}

/** Of one sleep the clocks differ by less: the next of the same thread is another. */
const sameSleepSeconds = 2;

interface Seen extends BlockedThread {
  readonly tid: number;
}

const lengthOf = ({ since, last }: Seen) => last - since;

/** As it is told: a number that only this boot knows tells nobody anything. */
function threadOf({ comm, state, wchan, reason, since, last }: Seen): BlockedThread {
  return { comm, state, wchan, reason, since, last };
}

/** The longest sleeps that were seen, those that are over too. */
function createTasks() {
  let seen: Seen[] = [];

  function noteOne(at: Moment, thread: Sleeping): void {
    const { tid, process: comm, waitChannel: wchan, reason, seconds } = thread;
    const since = at - seconds;
    const known = seen.find(
      (one) => one.tid === tid && Math.abs(one.since - since) < sameSleepSeconds,
    );
    if (known === undefined) seen.push({ tid, comm, state: 'D', wchan, reason, since, last: at });
    else Object.assign(known, { wchan, reason, last: at });
  }

  return {
    note(at: Moment, threads: readonly Sleeping[]): void {
      for (const thread of threads) noteOne(at, thread);
      if (seen.length <= mostTasks) return;
      seen = seen.sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, mostTasks);
    },
    list: (): BlockedThread[] => seen.map(threadOf).sort((a, b) => a.since - b.since),
  };
}

function createRedisRecord() {
  const states: { time: Moment; state: string }[] = [];
  let reason: string | undefined;
  return {
    note(time: Moment, state: string, why: string | undefined): void {
      if (why !== undefined) reason = why.slice(0, longestReason);
      if (states.at(-1)?.state === state) return;
      // How it began and how it is now are worth more than what lay between.
      if (states.length >= mostStates) states.splice(mostStates / 2, 1);
      states.push({ time, state });
    },
    record(): RedisRecord | undefined {
      if (states.length === 0) return undefined;
      return { states: [...states], ...(reason === undefined ? {} : { reason }) };
    },
  };
}

export function createIncident(owner: number, id: string, first: Met, at: Moment): Incident {
  const kernel = createKernelLog();
  const tasks = createTasks();
  const redis = createRedisRecord();
  const pids = new Set<number>();
  const openedBy = [{ time: at, rule: first.rule as string }];
  let rescued: readonly RescueRecord[] = [];
  let gravest = Infinity;
  let last = first.last;
  let named = false;
  const facts: Mutable<Facts> = {
    id,
    formerIds: [],
    state: 'open',
    onset: first.onset,
    openedBy,
    cause: { name: 'unknown', text: 'Nothing was said of the cause.' },
  };

  /** The gravest counts, of two that are the same what was said last. */
  function blame(cause: Cause, grave: number): void {
    if (grave > gravest) return;
    gravest = grave;
    facts.cause = cause;
  }

  return {
    owner,
    facts,
    pids,
    get last() {
      return last;
    },
    meet(met) {
      last = Math.max(last, met.last);
      if (met.onset.latest < facts.onset.latest) facts.onset = met.onset;
      if (openedBy.some(({ rule }) => rule === met.rule)) return;
      openedBy.push({ time: Math.max(at, met.last), rule: met.rule });
    },
    rename(next) {
      if (!named && next !== facts.id) {
        facts.formerIds = [...facts.formerIds, facts.id].slice(-mostFormerIds);
        facts.id = next;
      }
      named = true;
    },
    excerpt(excerpt) {
      if (gravest === Infinity) facts.cause = { name: 'unknown', text: toldBy(excerpt) };
      if (excerpt.pid !== undefined && pids.size < mostExcerpts) pids.add(excerpt.pid);
      return kernel.add(excerpt);
    },
    tasks: (now, threads) => tasks.note(now, threads),
    redis: (now, state, reason) => redis.note(now, state, reason),
    rescues(rescues) {
      rescued = rescues
        .filter(({ time }) => time >= facts.onset.earliest)
        .slice(-mostRescues)
        .map(({ time, result, cpus, text }) => ({
          time,
          result,
          cpus,
          text: text.slice(0, longestReason),
        }));
    },
    verdict: ({ name, text }) => blame({ name, text }, verdicts.indexOf(name)),
    stopped: (text) => blame({ name: 'redis_stopped', text }, stoppedGrave),
    close(end) {
      facts.state = 'closed';
      if (end !== undefined) facts.end = end;
    },
    record() {
      const redisNow = redis.record();
      return {
        ...facts,
        last,
        openedBy: [...openedBy],
        kernel: kernel.list(),
        tasks: tasks.list(),
        ...(redisNow === undefined ? {} : { redis: redisNow }),
        ...(rescued.length === 0 ? {} : { rescues: rescued }),
      };
    },
  };
}
