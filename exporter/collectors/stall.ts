/**
 * Short standstills: how late a 50 ms timer fires, less what explains it.
 *
 * A timer is late because this thread was computing (CPU time), because other threads of this
 * guest had the CPUs (run delay), or because nobody ran: the host kept the vCPUs, or stopped the
 * machine, or parked this very thread for a page it had swapped out. The first two are in
 * schedstat; what is left is the standstill. So it tells "nobody ran" from "we were busy".
 *
 * The timer is looked at four times a second: all its lateness since less all that explains it.
 * That is never too much, because what was computed or waited while the timer slept explains
 * nothing and is taken off all the same: a few milliseconds, more when the CPUs are contended.
 *
 * It lives in the event loop and not in a thread of its own, which would cost 9 MB of memory
 * (docs/adr/0005). A CPU quota on the exporter's own cgroup shows here as standstill: set none.
 */
import { stallBuckets } from '../measure/buckets.ts';
import type { Clock } from '../measure/clock.ts';
import { type Collector, gauge, histogram, single } from '../core/collector.ts';
import { createHistogram } from '../measure/histogram.ts';
import { createLateTimer, type LateTimer } from '../cpu/late-timer.ts';
import { parseSchedstat, type Schedstat } from '../procfs/schedstat.ts';
import { createPseudoFs, type PseudoFile } from '../procfs/reader.ts';

const stallSeconds = histogram({
  name: 'stealwatch_stall_seconds',
  help: 'Time in which nobody ran, from a 50 ms timer less its schedstat.',
  note: 'How late a 50 ms timer fired, one observation for each quarter of a second, less the CPU time and the run delay of its thread, from the monotonic clock and /proc/thread-self/schedstat.',
  buckets: stallBuckets,
});
const longest = gauge({
  name: 'stealwatch_stall_longest_seconds',
  help: 'The longest such standstill of the last 5 minutes, from the same timer.',
  note: 'The longest such standstill of the last 5 minutes, from the monotonic clock and /proc/thread-self/schedstat.',
});

const lookSeconds = 0.25;
/** Two windows that take turns: what is shown covers 5 to 10 minutes, never less. */
const windowSeconds = 300;

export function stallCollector({
  clock,
  schedstat = createPseudoFs('/proc').file('thread-self/schedstat'),
  timer = createLateTimer(clock),
  afterTimers = setImmediate,
}: {
  clock: Clock;
  /** Of the thread that runs the event loop: its own /proc, not the host's. */
  schedstat?: PseudoFile;
  timer?: LateTimer;
  /** Runs what it is given once all timers that are due have fired. */
  afterTimers?: (work: () => void) => unknown;
}): Collector {
  const stalls = createHistogram(stallSeconds);
  let worst = { since: clock.monotonic(), now: 0, before: 0 };
  let last: (Schedstat & { at: number }) | undefined;
  let failure: Error | undefined;
  /** When the last look told something. */
  let lookedAt = clock.monotonic();

  function read(): Schedstat | undefined {
    const text = schedstat.read();
    return text === undefined ? undefined : parseSchedstat(text);
  }

  function observe(seconds: number, now: number): void {
    stalls.observe(seconds);
    if (now - worst.since >= windowSeconds) worst = { since: now, now: 0, before: worst.now };
    worst.now = Math.max(worst.now, seconds);
  }

  function look(): void {
    try {
      const at = clock.monotonic();
      const stat = read();
      const late = timer.take();
      if (stat !== undefined && last !== undefined) {
        const explained =
          stat.cpuSeconds - last.cpuSeconds + (stat.runDelaySeconds - last.runDelaySeconds);
        observe(Math.max(0, late - explained), at);
      }
      last = stat === undefined ? undefined : { ...stat, at };
      failure = undefined;
      lookedAt = at;
    } catch (error) {
      failure = error instanceof Error ? error : new Error('the last reading failed');
      last = undefined;
    }
  }

  function reasonNow(): string {
    if (failure !== undefined)
      return `/proc/thread-self/schedstat cannot be read (${failure.message})`;
    return last === undefined
      ? 'this kernel has no /proc/thread-self/schedstat (CONFIG_SCHED_INFO), so "nobody ran" cannot be told from "we were busy"'
      : 'from /proc/thread-self/schedstat';
  }

  look();
  const stop = clock.every(lookSeconds, () => afterTimers(look));

  return {
    name: 'stall',
    source: 'memory',
    metrics: [stallSeconds, longest],
    async collect() {
      if (failure !== undefined) {
        throw new Error(`the last reading failed: ${failure.message}`, { cause: failure });
      }
      if (last === undefined) return [];
      return [
        single(stallSeconds, stalls.value()),
        single(longest, Math.max(worst.now, worst.before)),
      ];
    },
    report: () => ({
      signals: [{ name: 'run_delay', supported: last !== undefined, reason: reasonNow() }],
      samplers: [
        {
          name: 'stall',
          ageSeconds:
            last === undefined && failure === undefined ? 0 : clock.monotonic() - lookedAt,
          ...(failure === undefined ? {} : { problem: failure.message }),
        },
      ],
    }),
    async close() {
      stop();
      timer.close();
      schedstat.close();
    },
  };
}
