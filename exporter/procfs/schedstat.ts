/**
 * Parser of /proc/PID/schedstat and /proc/thread-self/schedstat: `1000 20 3`, nanoseconds on a
 * CPU, nanoseconds runnable and waiting for one, and how often it got one (kernel/sched/stats.c;
 * needs CONFIG_SCHED_INFO, which distributions set).
 */

export interface Schedstat {
  readonly cpuSeconds: number;
  /** Time on the run queue of this guest. Time the host kept the vCPU is not in it. */
  readonly runDelaySeconds: number;
}

const pattern = /^(\d+) (\d+) (\d+)\n$/;

export function parseSchedstat(text: string): Schedstat {
  const [, cpu, delay] = pattern.exec(text) ?? [];
  if (cpu === undefined || delay === undefined) {
    throw new Error(`schedstat: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  }
  return { cpuSeconds: Number(cpu) / 1e9, runDelaySeconds: Number(delay) / 1e9 };
}
