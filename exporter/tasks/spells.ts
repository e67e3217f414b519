/**
 * Spells in D state: which threads are blocked in the kernel now, since when, and what for.
 *
 * A spell is one uninterrupted sleep. It goes on while the thread is in D and its count of
 * context switches stands still; any switch means it woke up, so what looks the same is a new
 * spell. The kernel does not say when a sleep began (block_start in /proc/PID/sched needs
 * schedstats, which are off by default, and is in a clock of the CPU's run queue that nobody else
 * can read), so a spell counts from the first time it was seen: its age is a lower bound, short
 * by the time between two looks at the thread and by what passed before the exporter started.
 */
import { createAttempts } from '../core/attempts.ts';
import type { Clock } from '../measure/clock.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat, type TaskStat } from '../procfs/task-stat.ts';
import { parseTaskStatus, unexpectedStatus } from '../procfs/task-status.ts';
import { type Reason, reasonOfWaitChannel } from './reasons.ts';
import { readVisible } from './process-files.ts';

export interface Thread {
  readonly pid: number;
  readonly tid: number;
  /** The name of the process, which is its first thread's: threads have names of their own. */
  readonly process: string;
}

export interface Spell extends Thread {
  readonly kernelThread: boolean;
  readonly startTicks: number;
  readonly contextSwitches: number;
  /** By the monotonic clock, in seconds. */
  readonly since: number;
  /** The kernel function it sleeps in; empty or `0` when the kernel does not say. */
  readonly waitChannel: string;
  readonly reason: Reason;
}

export interface Spells {
  /** Look at one thread. */
  look(thread: Thread): void;
  /** The same for a thread whose stat has just been read. */
  note(thread: Thread, stat: TaskStat): void;
  /**
   * Look again at blocked threads, at most `limit` of them, in turns. Throws the first that went
   * wrong once all were looked at.
   */
  recheck(limit: number): void;
  blocked(): readonly Spell[];
  /** How many spells have been seen to begin. */
  begun(): number;
  ageSeconds(spell: Spell): number;
  /** The oldest spell of any thread of one process, by reason; only reasons that hold. */
  blockedSecondsOf(pid: number): ReadonlyMap<Reason, number>;
}

/** More blocked threads than this are not told apart. The worst seen in the wild was 6,100. */
const mostSpells = 16_384;

/**
 * A kernel thread that waits for nothing we know is idle: some drivers' threads (vmmemctl,
 * w1_bus_master) spend their lives in D. They are blocked threads, but none to worry about.
 */
export function isIdleKernelThread({ kernelThread, reason }: Spell): boolean {
  return kernelThread && (reason === 'other' || reason === 'unknown');
}

export function createSpells({ procfs, clock }: { procfs: PseudoFs; clock: Clock }): Spells {
  // In the order in which they were looked at last.
  const spells = new Map<number, Spell>();
  let begun = 0;

  function waitChannelOf({ pid, tid }: Thread) {
    const waitChannel = readVisible(procfs, `${pid}/task/${tid}/wchan`)?.trim() ?? '';
    return { waitChannel, reason: reasonOfWaitChannel(waitChannel) };
  }

  function spellOf(thread: Thread, stat: TaskStat, known: Spell | undefined): Spell | undefined {
    const status = readVisible(procfs, `${thread.pid}/task/${thread.tid}/status`);
    if (status === undefined) return undefined;
    const { contextSwitches } = parseTaskStatus(status);
    // Without it one sleep cannot be told from the next.
    if (contextSwitches === undefined) throw unexpectedStatus(status);
    const { startTicks, kernelThread } = stat;
    if (known?.contextSwitches === contextSwitches && known.startTicks === startTicks) {
      // A thread caught while it was falling asleep had no wait channel yet.
      return known.reason === 'unknown' ? { ...known, ...waitChannelOf(thread) } : known;
    }
    begun += 1;
    return {
      pid: thread.pid,
      tid: thread.tid,
      process: thread.process,
      kernelThread,
      startTicks,
      contextSwitches,
      since: clock.monotonic(),
      ...waitChannelOf(thread),
    };
  }

  function note(thread: Thread, stat: TaskStat): void {
    const known = spells.get(thread.tid);
    spells.delete(thread.tid);
    if (stat.state !== 'D') return;
    const spell = spellOf(thread, stat, known);
    if (spell !== undefined && spells.size < mostSpells) spells.set(thread.tid, spell);
  }

  /** A thread whose stat makes no sense is not known any more, or each recheck would fail on it. */
  function statOf(text: string, { tid }: Thread): TaskStat {
    try {
      return parseTaskStat(text);
    } catch (error) {
      spells.delete(tid);
      throw error;
    }
  }

  function look(thread: Thread): void {
    const text = readVisible(procfs, `${thread.pid}/task/${thread.tid}/stat`);
    const stat = text === undefined ? undefined : statOf(text, thread);
    if (stat === undefined) spells.delete(thread.tid);
    else note(thread, stat);
  }

  const ageSeconds = ({ since }: Spell) => clock.monotonic() - since;

  return {
    look,
    note,
    recheck(limit) {
      const { attempt, failure } = createAttempts();
      for (const spell of [...spells.values()].slice(0, limit)) attempt(() => look(spell));
      const first = failure();
      if (first !== undefined) throw first;
    },
    blocked: () => [...spells.values()],
    begun: () => begun,
    ageSeconds,
    blockedSecondsOf(pid) {
      const oldest = new Map<Reason, number>();
      for (const spell of spells.values()) {
        if (spell.pid !== pid) continue;
        oldest.set(spell.reason, Math.max(oldest.get(spell.reason) ?? 0, ageSeconds(spell)));
      }
      return oldest;
    },
  };
}
