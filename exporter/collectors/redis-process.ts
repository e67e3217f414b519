/**
 * The kernel's view of the Redis process, for when Redis itself says nothing: whether it runs,
 * sleeps, is stopped or blocked, and what piles up in front of it. Reads only files that answer
 * while the process hangs, and only on the machine that Redis runs on.
 *
 * A clock of its own, for the age of a sleep in D state (tasks/spells.ts) and because a process
 * that was replaced between two scrapes is another one.
 */
import { createAttempts } from '../core/attempts.ts';
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Collector,
  type Family,
  type Finding,
  gauge,
  incomplete,
  oneHot,
  single,
  type Stopped,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { cgroupTasksReader } from '../procfs/cgroup.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { reasons } from '../tasks/reasons.ts';
import { seesKthreadd } from '../tasks/visibility.ts';
import { createRedisFollower, processStates, type Resolve } from '../redis/process-follow.ts';
import type { RedisProcess } from '../redis/process-candidates.ts';
import { redisListenQueue } from '../redis/process-search.ts';
import { asError } from '../measure/errors.ts';

const processState = gauge({
  name: 'redis_process_state',
  help: 'State of the main thread of Redis, from /proc/PID/stat.',
  note: 'State of the main thread of the Redis process: running, sleeping, blocked, stopped, zombie or gone, from /proc/PID/stat.',
  labels: ['state'],
});
const blockedSeconds = gauge({
  name: 'redis_process_blocked_seconds',
  help: 'Age of the longest sleep of a Redis thread in D state, from /proc/PID/task/TID/stat.',
  note: 'How long the longest-blocked thread of the Redis process has been in D state without one context switch, from /proc/PID/task/TID/stat and status.',
  labels: ['reason'],
});
const cgroupTasks = gauge({
  name: 'redis_process_tasks',
  help: 'Processes and threads in the control group of Redis, from its pids.current.',
  note: "Processes and threads in the control group of the Redis process, its container or service, from the group's pids.current.",
});
const listenQueue = gauge({
  name: 'redis_listen_queue_length',
  help: 'Connections accepted by the kernel and not by Redis, from /proc/PID/net/tcp.',
  note: 'Connections that the kernel accepted and Redis has not, seen without connecting, from /proc/PID/net/tcp and tcp6 of the Redis process.',
});

const tickSeconds = 1;
/** A Redis container holds a handful; what piles up beside a stuck one are health checks. */
const manyTasks = 500;

export interface RedisProcessOptions {
  readonly config: Pick<Config, 'redis'>;
  readonly clock: Clock;
  readonly procfs: PseudoFs;
  readonly sysfs: PseudoFs;
  /** INFO's process_id, once Redis has answered: tells several Redis processes apart. */
  readonly processIdHint?: () => number | undefined;
  readonly resolve?: Resolve;
}

/** A value that was there and cannot be read now is NaN; one that never was is left out. */
function remembering(read: () => number | undefined): () => number | undefined {
  let seen = false;
  return () => {
    const value = read();
    seen ||= value !== undefined;
    return value ?? (seen ? NaN : undefined);
  };
}

const unknown = ({ metric, samples }: Family): Family => ({
  metric,
  samples: samples.map(({ labels }) => ({ labels, value: NaN })),
});

/** What was there before and is not there now cannot be read. */
function withUnknown(now: readonly Family[], before: readonly Family[]): Family[] {
  const present = new Map(now.map((family) => [family.metric, family]));
  const gone = before.filter(({ metric }) => !present.has(metric)).map(unknown);
  return [...gone, ...now];
}

/** D is not among them: blocked-tasks tells of it, with its age and reason. */
function stateFinding(
  state: string | undefined,
  { comm, pid }: RedisProcess,
  traced: boolean,
): Finding | undefined {
  const stopped = traced
    ? 'is held by a debugger, and answers nothing until that lets it go'
    : 'is stopped, by SIGSTOP or its like, and answers nothing until it gets SIGCONT';
  const text = {
    T: `${comm} (pid ${pid}) ${stopped}.`,
    Z: `${comm} (pid ${pid}) has ended, and its parent process has not taken note of it.`,
    gone: `${comm} (pid ${pid}) has ended, and no other has taken its place.`,
  }[state ?? ''];
  return text === undefined ? undefined : { severity: 'bad', text };
}

/** Of the incident, in which it is read later. */
const wasStopped = ({ comm, pid }: RedisProcess): string =>
  `${comm} (pid ${pid}) was stopped, by SIGSTOP or a debugger: that was done on this machine, and not by its host.`;

/** Which machine knows the process by the pid that we know. */
function whereSeenFrom(procfs: PseudoFs): Stopped['seenFrom'] {
  if (!seesKthreadd(procfs)) return 'part';
  return procfs.root === '/proc' ? 'machine' : 'container';
}

export function redisProcessCollector(options: RedisProcessOptions): Collector {
  const { config, clock, procfs, sysfs, processIdHint, resolve } = options;
  const address = config.redis;
  const follower = createRedisFollower({ procfs, clock, address, resolve, processIdHint });
  let lastTick = clock.monotonic();
  let lastState: string | undefined;
  let stoppedAt: number | undefined;
  let seenFrom: Stopped['seenFrom'] = 'part';
  let lastTasks: number | undefined;
  let failure: Error | undefined;
  let last: readonly Family[] = [];

  function noteState(state: string | undefined): void {
    lastState = state;
    if (state === 'T' && stoppedAt === undefined) seenFrom = whereSeenFrom(procfs);
    stoppedAt = state === 'T' ? (stoppedAt ?? clock.monotonic()) : undefined;
  }

  function tick(): void {
    try {
      noteState(follower.step());
      failure = undefined;
    } catch (error) {
      failure = asError(error);
    }
    lastTick = clock.monotonic();
  }

  function stoppedNow(process: RedisProcess): Stopped | undefined {
    if (stoppedAt === undefined || failure !== undefined) return undefined;
    return {
      seconds: clock.monotonic() - stoppedAt,
      text: wasStopped(process),
      by: follower.traced() ? 'debugger' : 'signal',
      pid: process.pid,
      seenFrom,
    };
  }

  const present = () => {
    const process = follower.process();
    return lastState === 'gone' ? undefined : process;
  };
  interface Readers {
    readonly of: RedisProcess;
    readonly tasks: () => number | undefined;
    readonly queue: () => number | undefined;
  }
  let readers: Readers | undefined;
  function readersNow(): Readers | undefined {
    const of = present();
    if (of === undefined) return undefined;
    if (readers?.of !== of) {
      const tasks = cgroupTasksReader({ procfs, sysfs }, clock, of.pid);
      readers = { of, tasks, queue: redisListenQueue(procfs, clock, of, address) };
    }
    return readers;
  }
  const readTasks = remembering(() => readersNow()?.tasks());
  const readQueue = remembering(() => readersNow()?.queue());

  /** What one file cannot tell must not take what others tell: it is unknown, the rest is there. */
  function familiesNow(): readonly Family[] {
    const { attempt, failure: first } = createAttempts();
    const state = attempt(() => follower.state());
    noteState(state);
    const process = follower.process();
    const now: Family[] = [];
    if (process !== undefined) {
      if (state !== undefined) now.push(oneHot(processState, processStates, state));
      // A thread that could not be looked at may sleep since long.
      if (failure === undefined && first() === undefined) {
        const blocked = follower.spells.blockedSecondsOf(process.pid);
        const seconds = reasons.map((reason) => [reason, blocked.get(reason) ?? 0] as const);
        now.push(byLabel(blockedSeconds, Object.fromEntries(seconds)));
      }
      lastTasks = attempt(readTasks);
      if (lastTasks !== undefined) now.push(single(cgroupTasks, lastTasks));
      const queued = attempt(readQueue);
      if (queued !== undefined) now.push(single(listenQueue, queued));
    }
    const problem = failure ?? first();
    if (problem === undefined) return now;
    throw incomplete(problem.message, withUnknown(now, last));
  }

  tick();
  const stopTicking = clock.every(tickSeconds, tick);

  return {
    name: 'redis-process',
    source: 'memory',
    metrics: [processState, blockedSeconds, cgroupTasks, listenQueue],
    async collect() {
      last = familiesNow();
      return last;
    },
    report() {
      const process = follower.process();
      const name = 'redis_process';
      const samplers = [{ name, ageSeconds: clock.monotonic() - lastTick }];
      if (process === undefined) {
        return { signals: [{ name, supported: false, reason: follower.reason() }], samplers };
      }
      const { comm, pid } = process;
      const ofState = stateFinding(lastState, process, follower.traced());
      const findings = [ofState].filter((one) => one !== undefined);
      if (lastTasks !== undefined && lastTasks > manyTasks) {
        const text = `${lastTasks} processes and threads are in the container or service of ${comm}: something piles up there.`;
        findings.push({ severity: 'warning', text });
      }
      const reason =
        lastState === 'gone' ? follower.reason() : `${comm} is followed, its pid is ${pid}.`;
      const stopped = stoppedNow(process);
      return {
        signals: [{ name, supported: true, reason }],
        samplers,
        findings,
        ...(stopped === undefined ? {} : { stopped }),
        ...(failure === undefined
          ? { second: { redis_stopped: stopped === undefined ? 0 : 1 } }
          : {}),
      };
    },
    async close() {
      stopTicking();
    },
  };
}
