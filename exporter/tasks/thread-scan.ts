/**
 * Walks over every thread of the machine, a bounded number of files at a time, and notes which
 * are in D state. One stat file costs 15 to 60 us, so a machine with 3,000 threads cannot be
 * looked at whole each second: a round over all of them is spread over as many calls as it takes.
 *
 * Threads, not processes: the one that is stuck need not be the first of its process, which may
 * even be a zombie while another of its threads sleeps on.
 */
import type { PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat } from '../procfs/task-stat.ts';
import { listProcesses, listVisible, readVisible } from './process-files.ts';
import type { Spells } from './spells.ts';
import { asError } from '../measure/errors.ts';

export interface ThreadScan {
  /** Begin a round over the processes there are now. Call when none is under way. */
  begin(): void;
  /** Read at most `files` more stat files. True when that ended the round. */
  advance(files: number): boolean;
  underWay(): boolean;
  /** The first thing that went wrong in the last whole round. */
  failure(): Error | undefined;
  /** False where there is no such file system, after a round has begun. */
  possible(): boolean;
}

export interface ThreadScanOptions {
  readonly procfs: PseudoFs;
  readonly spells: Spells;
  /** Told of each process on the way. */
  readonly met: (pid: number, comm: string) => void;
}

type Failed = (error: unknown) => void;

/** One that cannot be understood must not hide those after it. */
function attempt(work: () => void, failed: Failed): void {
  try {
    work();
  } catch (error) {
    failed(error);
  }
}

function* threadsOf(
  { procfs, spells, met }: ThreadScanOptions,
  pid: number,
  failed: Failed,
): Generator<undefined, void> {
  const text = readVisible(procfs, `${pid}/stat`);
  yield;
  if (text === undefined) return;
  const leader = parseTaskStat(text);
  const process = leader.comm;
  met(pid, process);
  attempt(() => spells.note({ pid, tid: pid, process }, leader), failed);
  if (leader.threads === 1) return;
  for (const name of listVisible(procfs, `${pid}/task`) ?? []) {
    const tid = Number(name);
    if (tid === pid) continue;
    attempt(() => spells.look({ pid, tid, process }), failed);
    yield;
  }
}

function* round(
  options: ThreadScanOptions,
  pids: readonly number[],
  failed: Failed,
): Generator<undefined, void> {
  for (const pid of pids) {
    try {
      yield* threadsOf(options, pid, failed);
    } catch (error) {
      failed(error);
    }
  }
}

export function createThreadScan(options: ThreadScanOptions): ThreadScan {
  let threads: Generator<undefined, void> | undefined;
  let failureNow: Error | undefined;
  let failureBefore: Error | undefined;
  let possible = true;

  return {
    begin() {
      const pids = listProcesses(options.procfs);
      possible = pids !== undefined;
      failureNow = undefined;
      threads = round(options, pids ?? [], (error) => {
        failureNow ??= asError(error);
      });
    },
    advance(files) {
      for (let left = files; left > 0 && threads !== undefined; left -= 1) {
        if (threads.next().done !== true) continue;
        threads = undefined;
        failureBefore = failureNow;
        return true;
      }
      return false;
    },
    underWay: () => threads !== undefined,
    failure: () => failureBefore,
    possible: () => possible,
  };
}
