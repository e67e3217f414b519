/**
 * What the host denied, as a share of what was asked for.
 *
 * The share of all CPU time (what top shows) hides it: an idle guest that is denied half of the
 * little it asks for shows 1 %, and one fully stolen vCPU of sixteen shows 6 %. So steal is set
 * against demand, and the worst single vCPU counts, too.
 */
import { type CpuTicks, ticksPerSecond } from '../procfs/stat.ts';

/** Below these, in ticks, a ratio would be noise of the 10 ms clock. */
const leastDemand = 0.05 * ticksPerSecond;
const leastVcpuDemand = 0.25 * ticksPerSecond;

/** In ticks, all CPUs together. */
export interface Demand {
  readonly steal: number;
  /** Time that was asked for: used or denied. */
  readonly demand: number;
  /** All time, idle included; NaN where that could not be read. */
  readonly total: number;
  /** Time that nobody asked for, and of that the kernel tells apart when a thread waited for a disk. */
  readonly idle: number;
  readonly iowait: number;
  /**
   * steal / demand, the larger of "all CPUs" and "worst single vCPU that asked for a quarter of
   * a second"; undefined when next to nothing was asked for.
   */
  readonly ratio: number | undefined;
}

/** Positions as in `cpuModes`. */
function busyOf(ticks: CpuTicks): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = ticks;
  return user + nice + system + irq + softirq;
}

/**
 * `moved`: ticks per CPU between two readings, with a steal column. A CPU whose demand could not
 * be read is left out; undefined when that is all of them.
 */
export function demandOf(moved: Iterable<CpuTicks>): Demand | undefined {
  let readable = 0;
  let steal = 0;
  let demand = 0;
  let total = 0;
  const unasked = { idle: 0, iowait: 0 };
  let worst = 0;
  for (const ticks of moved) {
    const [, , , idle = 0, iowait = 0, , , cpuSteal = 0] = ticks;
    const cpuDemand = busyOf(ticks) + cpuSteal;
    if (Number.isNaN(cpuDemand)) continue;
    readable += 1;
    steal += cpuSteal;
    demand += cpuDemand;
    total += cpuDemand + idle + iowait;
    unasked.idle += idle;
    unasked.iowait += iowait;
    if (cpuDemand >= leastVcpuDemand) worst = Math.max(worst, cpuSteal / cpuDemand);
  }
  if (readable === 0) return undefined;
  const ratio = demand >= leastDemand ? Math.max(steal / demand, worst) : undefined;
  return { steal, demand, total, ...unasked, ratio };
}
