/**
 * Where the CPU time went, all CPUs together, and what the host took from each of them.
 *
 * Read at the scrape, although steal's clock reads the same file each second: its reading is up to a
 * second old, half of what lies between two scrapes, and a rate would be wrong by as much. What could
 * be saved is 22 us of CPU per scrape.
 */
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Collector,
  counter,
  type Family,
  gauge,
  incomplete,
  single,
} from '../core/collector.ts';
import { createCpuCounters } from '../cpu/counters.ts';
import { type MonotonicCounter, monotonicCounter } from '../measure/monotonic.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { cpuModes, parseStat, type Stat, ticksPerSecond } from '../procfs/stat.ts';

const cpuSeconds = counter({
  name: 'stealwatch_cpu_seconds_total',
  help: 'CPU time by mode, all CPUs together, from /proc/stat.',
  note: 'CPU time by mode, all CPUs together, guest time inside user and nice, from /proc/stat.',
  labels: ['mode'],
});
const stealSeconds = counter({
  name: 'stealwatch_cpu_steal_seconds_total',
  help: 'Time the host kept each vCPU that was ready, from /proc/stat.',
  note: 'Time each vCPU was ready to run and the host ran something else, from /proc/stat.',
  labels: ['cpu'],
});
const counterResets = counter({
  name: 'stealwatch_cpu_time_resets_total',
  help: 'CPU counters of the kernel that stepped back, from /proc/stat.',
  note: 'CPU time counters of the kernel that stepped back or leapt further than time went, taken out of what is exported, from /proc/stat.',
});
const cpus = gauge({
  name: 'stealwatch_cpus',
  help: 'Virtual CPUs that are online, from /proc/stat.',
});
const procsBlocked = gauge({
  name: 'stealwatch_procs_blocked',
  help: 'Threads in iowait; host page-ins are not among them, from /proc/stat.',
  note: 'Threads that the kernel counts as waiting for a disk; a wait for the host to bring a page back is not among them, from /proc/stat.',
});
const bootTime = gauge({
  name: 'stealwatch_boot_time_seconds',
  help: 'Unix time at which the kernel booted, from /proc/stat.',
});

export function cpuCollector({ procfs, clock }: { procfs: PseudoFs; clock: Clock }): Collector {
  const file = procfs.file('stat');
  const counters = createCpuCounters();
  /** Ticks by mode: the kernel's sum at the first reading and all movement since. */
  let totals: number[] | undefined;

  /** What the kernel's sum moves by: counted where the text has no line of a single CPU. */
  const sums: MonotonicCounter[] = [];

  function advanceSum({ total, cpus: lines }: Stat, into: number[]): void {
    for (const [i, count] of total.entries()) {
      const moved = (sums[i] ??= monotonicCounter()).advance(count);
      if (lines.size === 0 && !Number.isNaN(moved)) into[i] = (into[i] ?? NaN) + moved;
    }
  }

  /** A mode is known from the first reading that tells its sum. */
  function advance(stat: Stat): number[] {
    const moved = counters.advance(stat, clock.monotonic());
    totals ??= [...stat.total];
    const sum = totals;
    for (const ticks of moved.values()) {
      ticks.forEach((count, i) => {
        if (!Number.isNaN(count)) sum[i] = (sum[i] ?? NaN) + count;
      });
    }
    advanceSum(stat, totals);
    for (const [i, count] of stat.total.entries()) {
      if (Number.isNaN(totals[i] ?? NaN)) totals[i] = count;
    }
    return totals;
  }

  function timeFamilies(stat: Stat): Family[] {
    const seconds = advance(stat).flatMap((ticks, i) =>
      Number.isNaN(ticks) ? [] : [[cpuModes[i] ?? '', ticks / ticksPerSecond] as const],
    );
    return seconds.length === 0 ? [] : [byLabel(cpuSeconds, Object.fromEntries(seconds))];
  }

  function stealFamilies(): Family[] {
    const values = [...counters.values('steal')].filter(([, ticks]) => !Number.isNaN(ticks));
    if (values.length === 0) return [];
    const seconds = values.map(([cpu, ticks]) => [cpu, ticks / ticksPerSecond] as const);
    return [byLabel(stealSeconds, new Map(seconds))];
  }

  return {
    name: 'cpu',
    metrics: [cpuSeconds, stealSeconds, counterResets, cpus, procsBlocked, bootTime],
    async collect() {
      const text = file.read();
      if (text === undefined) return [];
      const stat = parseStat(text);
      const families = [
        ...timeFamilies(stat),
        ...stealFamilies(),
        single(counterResets, counters.resets()),
        ...(stat.online > 0 ? [single(cpus, stat.online)] : []),
        ...(stat.procsBlocked === undefined ? [] : [single(procsBlocked, stat.procsBlocked)]),
        ...(stat.bootTime === undefined ? [] : [single(bootTime, stat.bootTime)]),
      ];
      if (stat.problem !== undefined) throw incomplete(stat.problem, families);
      return families;
    },
    async close() {
      file.close();
    },
  };
}
