/**
 * What each CPU did between two readings of /proc/stat, whatever the counters do meanwhile.
 *
 * A CPU that goes offline loses its line and gets it back later, with some of its counters kept
 * and some not (kernel/time/tick-sched.c); the kernel's own sum steps with it, by hours. So sums
 * are made here, from the movement of single CPUs, and no CPU can move by more time than passed.
 */
import { type MonotonicCounter, monotonicCounter } from '../measure/monotonic.ts';
import { cpuModes, type CpuTicks, type Stat, ticksPerSecond } from '../procfs/stat.ts';

/** What node_exporter allows, too, before it takes a step back for a hot-plugged CPU. */
const wobbleTicks = 3 * ticksPerSecond;

export interface CpuCounters {
  /**
   * Take a reading, made at `now` on the monotonic clock. Returns the ticks each CPU spent since
   * its last reading, in the order of `cpuModes`. A CPU seen for the first time is a baseline
   * and not in it; what could not be read moved by NaN. The arrays are used again by the next call.
   */
  advance(stat: Stat, now: number): ReadonlyMap<string, CpuTicks>;
  /** Ticks of one mode, by CPU; a CPU that went away keeps its last value. NaN: never read. */
  values(mode: (typeof cpuModes)[number]): ReadonlyMap<string, number>;
  /** Counters that stepped back or leapt, so far. */
  resets(): number;
}

interface Cpu {
  readonly counters: readonly MonotonicCounter[];
  readonly moved: number[];
  readAt: number;
}

function mostTicks(elapsedSeconds: number): number {
  // Twice and some: the kernel books late, and the two clocks are not read at one instant.
  return (elapsedSeconds * 2 + 5) * ticksPerSecond;
}

export function createCpuCounters(): CpuCounters {
  const cpus = new Map<string, Cpu>();
  const result = new Map<string, CpuTicks>();

  function add(name: string, ticks: CpuTicks, now: number): void {
    const counters = ticks.map(() => monotonicCounter(wobbleTicks));
    counters.forEach((counter, i) => counter.advance(ticks[i] ?? NaN));
    cpus.set(name, { counters, moved: ticks.map(() => 0), readAt: now });
  }

  return {
    advance(stat, now) {
      result.clear();
      for (const [name, ticks] of stat.cpus) {
        const cpu = cpus.get(name);
        if (cpu === undefined) {
          add(name, ticks, now);
          continue;
        }
        const most = mostTicks(now - cpu.readAt);
        for (const [i, counter] of cpu.counters.entries()) {
          cpu.moved[i] = counter.advance(ticks[i] ?? NaN, most);
        }
        // What could not be read now may have moved twice as far when it can be.
        if (!cpu.moved.some(Number.isNaN)) cpu.readAt = now;
        result.set(name, cpu.moved);
      }
      return result;
    },
    values(mode) {
      const i = cpuModes.indexOf(mode);
      const values = new Map<string, number>();
      for (const [name, { counters }] of cpus) {
        const counter = counters[i];
        if (counter !== undefined) values.set(name, counter.value());
      }
      return values;
    },
    resets() {
      let resets = 0;
      for (const { counters } of cpus.values()) {
        for (const counter of counters) resets += counter.resets();
      }
      return resets;
    },
  };
}
