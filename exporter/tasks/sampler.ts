/**
 * Decides which threads are looked at when. To be called once a second; each time
 *   - threads known to be blocked are looked at again, up to 200, in turns;
 *   - all threads of each Redis are looked at, whatever their state;
 *   - a round over all threads goes on by 100 files. Rounds begin 15 s apart, so up to 1,500
 *     threads are seen every 15 s and 3,000 every 30 s;
 *   - by 1,000 files, and at once if the last round began 5 s ago or more, when the load average,
 *     solved for the number of active threads, says that more are active than are runnable or
 *     known to be blocked: then 3,000 threads take 3 s. A hint that led to nothing new is not
 *     followed again before the next 15 s are over: on a busy machine it would come all the time.
 * procs_blocked is no use as a hint: it counts iowait, which a wait for the host is not.
 */
import { type Attempts, createAttempts } from '../core/attempts.ts';
import type { Clock } from '../measure/clock.ts';
import { parseLoadavg } from '../procfs/loadavg.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { isRedisProcess } from './redis-names.ts';
import { createActiveTasks } from './active-tasks.ts';
import { createSpells, type Spells } from './spells.ts';
import { createThreadScan } from './thread-scan.ts';
import { listFirst } from './process-files.ts';

export const mostRechecks = 200;
const secondsBetweenRounds = 15;
/** The kernel updates the load average this often. */
const secondsBetweenHints = 5;
const quietFiles = 100;
const suspiciousFiles = 1000;
/** Threads that are active but neither runnable nor known: one, less the noise of the estimate. */
const suspiciousThreads = 0.7;
/** Processes called like a Redis, and threads of each, that are looked at every second. */
const mostWatched = 8;
const mostWatchedThreads = 64;

/** The threads of the processes called like a Redis, of which a round tells us. */
function redisWatch(procfs: PseudoFs, spells: Spells) {
  let watched = new Map<number, string>();
  let met = new Map<number, string>();
  return {
    met(pid: number, comm: string): void {
      if (isRedisProcess(comm) && met.size < mostWatched) met.set(pid, comm);
    },
    roundEnded(): void {
      watched = met;
      met = new Map();
    },
    look(attempt: Attempts['attempt']): void {
      for (const [pid, process] of watched) {
        attempt(() => {
          for (const tid of listFirst(procfs, `${pid}/task`, mostWatchedThreads) ?? []) {
            attempt(() => spells.look({ pid, tid: Number(tid), process }));
          }
        });
      }
    },
  };
}

function loadHint(procfs: PseudoFs, spells: Spells) {
  const file = procfs.file('loadavg');
  const activeTasks = createActiveTasks();
  let load1: number | undefined;
  return {
    load1: () => load1,
    /** To be asked as often as the kernel updates the load average. */
    suspicious(): boolean {
      load1 = undefined;
      const text = file.read();
      const loadavg = text === undefined ? undefined : parseLoadavg(text);
      load1 = loadavg?.load1;
      if (loadavg?.runnable === undefined) return false;
      const { runnable } = loadavg;
      // One of the runnable threads is the one that reads this.
      return (
        activeTasks(loadavg.load1) - (runnable - 1) - spells.blocked().length >= suspiciousThreads
      );
    },
    close: () => file.close(),
  };
}

export interface BlockedTaskSampler {
  readonly spells: Spells;
  /**
   * One second's work. What in /proc cannot be understood is left out, and the first of it is
   * thrown once the rest is done.
   */
  step(): void;
  /** Rounds over all threads that have come to their end. */
  rounds(): number;
  /** What went wrong in the last whole round, if anything did. */
  failure(): Error | undefined;
  /** False where no process can be seen at all. */
  possible(): boolean;
  /** The load average over one minute, as it was within the last 5 s; the kernel makes no newer one. */
  load1(): number | undefined;
  close(): void;
}

export function createBlockedTaskSampler({
  procfs,
  clock,
}: {
  procfs: PseudoFs;
  clock: Clock;
}): BlockedTaskSampler {
  const spells = createSpells({ procfs, clock });
  const redis = redisWatch(procfs, spells);
  const hint = loadHint(procfs, spells);
  const scan = createThreadScan({ procfs, spells, met: (pid, comm) => redis.met(pid, comm) });
  let steps = 0;
  let rounds = 0;
  let roundBegan = -Infinity;
  let seenBefore = 0;
  // The first round is a fast one: nothing is known yet.
  let suspicious = true;
  let hintsLedNowhere = false;

  function hinted(): boolean {
    try {
      return hint.suspicious();
    } catch {
      return false;
    }
  }

  function beginRoundIfDue(): void {
    if (scan.underWay()) return;
    const wait = suspicious && !hintsLedNowhere ? secondsBetweenHints : secondsBetweenRounds;
    // Half a second of grace: ticks of one second do not come to the microsecond.
    if (clock.monotonic() - roundBegan < wait - 0.5) return;
    roundBegan = clock.monotonic();
    seenBefore = spells.begun();
    scan.begin();
  }

  function endRound(): void {
    rounds += 1;
    hintsLedNowhere = suspicious && spells.begun() === seenBefore;
    suspicious = false;
    redis.roundEnded();
  }

  return {
    spells,
    step() {
      const { attempt, failure } = createAttempts();
      attempt(() => spells.recheck(mostRechecks));
      // The load is only a hint, and has a collector of its own to tell what is wrong with it.
      if (steps % secondsBetweenHints === 0) suspicious = hinted() || suspicious;
      steps += 1;
      attempt(beginRoundIfDue);
      if (scan.advance(suspicious ? suspiciousFiles : quietFiles)) endRound();
      redis.look(attempt);
      const first = failure();
      if (first !== undefined) throw first;
    },
    rounds: () => rounds,
    failure: () => scan.failure(),
    possible: () => scan.possible(),
    load1: () => hint.load1(),
    close: () => hint.close(),
  };
}
