/**
 * What explains that this thread was late without any standstill: its own CPU time, and how long it
 * was runnable while other threads of this guest had the CPUs. Both are in schedstat; a kernel without
 * it (CONFIG_SCHED_INFO) tells the first alone.
 */
import { createAttempts } from '../core/attempts.ts';
import { createPseudoFs, type PseudoFile } from '../procfs/reader.ts';
import { parseSchedstat } from '../procfs/schedstat.ts';

/** No queue of a guest that runs takes longer: a machine that is stopped while we stand in it stood still all the same. */
const mostQueuedSeconds = 5;

export interface OwnTime {
  /** Since some moment; what passes between two calls is what was its own. */
  seconds(): number;
  close(): void;
}

function threadCpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}

export function createOwnTime(
  /** Of the thread that runs the event loop: its own /proc, not the host's. */
  schedstat: PseudoFile = createPseudoFs('/proc').file('thread-self/schedstat'),
  cpuSeconds: () => number = threadCpuSeconds,
): OwnTime {
  let before: number | undefined;
  let queued = 0;

  function runDelay(): number | undefined {
    const { attempt } = createAttempts();
    const text = attempt(() => schedstat.read());
    return text === undefined ? undefined : attempt(() => parseSchedstat(text).runDelaySeconds);
  }

  return {
    seconds() {
      const now = runDelay();
      if (now !== undefined) {
        queued += Math.min(Math.max(0, now - (before ?? now)), mostQueuedSeconds);
        before = now;
      }
      return cpuSeconds() + queued;
    },
    close: () => schedstat.close(),
  };
}
