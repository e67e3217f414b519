/**
 * Threads that sleep until the host says that a page of theirs is back, and what becomes of them. What
 * a sleep is and what it is for is asked of the exporter's own scanner (tasks/).
 */
import type { Clock } from '../measure/clock.ts';
import { cpuOfTask, parseTaskStat } from '../procfs/task-stat.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { readVisible } from '../tasks/process-files.ts';
import { processLabel } from '../tasks/process-label.ts';
import { reasonOfTrace } from '../tasks/reasons.ts';
import { createSpells, type Spell } from '../tasks/spells.ts';
import { createThreadScan } from '../tasks/thread-scan.ts';

export interface ParkedThread {
  readonly pid: number;
  readonly tid: number;
  readonly process: string;
  /** The name of the thread itself. */
  readonly comm: string;
  readonly waitChannel: string;
  /** The vCPU it is parked on; undefined where the kernel does not say. */
  readonly cpu: number | undefined;
  /** How long we have seen it sleep. */
  readonly seconds: number;
  /** Of this sleep: another one of the same thread has another. */
  readonly sleep: string;
  /** Its kernel stack, where we may read it. */
  readonly stack: readonly string[];
}

/** `asleep`: still the same sleep. `again`: it woke, and waits for a page once more. */
export type Fate = 'asleep' | 'again' | 'awake' | 'gone';

export interface ParkedThreads {
  /** Look at every thread of the machine. Gives the first that could not be understood. */
  scan(): Error | undefined;
  /** As of the last look. */
  list(): ParkedThread[];
  /** Now. */
  fateOf(thread: ParkedThread): Fate;
}

/** Files at a time, between which others get their turn. */
const filesPerStep = 2000;
const mostStackLines = 64;

function stackOf(procfs: PseudoFs, { pid, tid }: Pick<Spell, 'pid' | 'tid'>): string[] {
  const text = readVisible(procfs, `${pid}/task/${tid}/stack`) ?? '';
  return text.split('\n', mostStackLines).filter((line) => line !== '');
}

const sleepOf = ({ tid, startTicks, contextSwitches }: Spell) =>
  `${tid} ${startTicks} ${contextSwitches}`;

export function createParkedThreads({
  procfs,
  clock,
}: {
  readonly procfs: PseudoFs;
  readonly clock: Clock;
}): ParkedThreads {
  const spells = createSpells({ procfs, clock });
  const round = createThreadScan({ procfs, spells, met: () => undefined });

  /** Kernels from 4.14 to 5.15 name no function, but show root the stack. */
  function isParked(spell: Spell): boolean {
    if (spell.reason !== 'unknown') return spell.reason === 'host_page_in';
    return reasonOfTrace(stackOf(procfs, spell)) === 'host_page_in';
  }

  function statOf({ pid, tid }: Pick<Spell, 'pid' | 'tid'>): string {
    return readVisible(procfs, `${pid}/task/${tid}/stat`) ?? '';
  }

  function describe(spell: Spell): ParkedThread[] {
    const stat = statOf(spell);
    if (stat === '') return [];
    return [
      {
        pid: spell.pid,
        tid: spell.tid,
        process: processLabel(spell),
        comm: processLabel({ process: parseTaskStat(stat).comm, kernelThread: false }),
        waitChannel: spell.waitChannel,
        cpu: cpuOfTask(stat),
        seconds: spells.ageSeconds(spell),
        sleep: sleepOf(spell),
        stack: stackOf(procfs, spell),
      },
    ];
  }

  return {
    scan() {
      round.begin();
      while (!round.advance(filesPerStep));
      return round.failure();
    },
    list: () => spells.blocked().filter(isParked).flatMap(describe),
    fateOf(thread) {
      spells.look(thread);
      const spell = spells.blocked().find(({ tid }) => tid === thread.tid);
      if (spell === undefined) return statOf(thread) === '' ? 'gone' : 'awake';
      if (sleepOf(spell) === thread.sleep) return 'asleep';
      return isParked(spell) ? 'again' : 'awake';
    },
  };
}
