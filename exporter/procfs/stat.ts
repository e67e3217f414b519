/**
 * Parser of /proc/stat (fs/proc/stat.c). Times are ticks of USER_HZ, which is 100 on every
 * architecture Linux runs Node on; they stay integers here, so that differences are exact.
 * guest and guest_nice are already inside user and nice and are not returned.
 *
 * What can be read is read, to the single column: container runtimes that make this file
 * themselves (lxcfs) have printed sums twice and idle times near 2^64.
 */

export const ticksPerSecond = 100;

export const cpuModes = [
  'user',
  'nice',
  'system',
  'idle',
  'iowait',
  'irq',
  'softirq',
  'steal',
] as const;

/**
 * Ticks in the order of `cpuModes`; without the last on a kernel that has no steal column. NaN
 * where the column cannot be read or holds what cannot be.
 */
export type CpuTicks = readonly number[];

export interface Stat {
  /** The sum that the kernel makes, offline CPUs included; empty when there is no CPU line. */
  readonly total: CpuTicks;
  /** Online CPUs only, by number. */
  readonly cpus: ReadonlyMap<string, CpuTicks>;
  /** How many CPUs have a line, readable or not. */
  readonly online: number;
  /** Unix time in seconds; undefined when it cannot be read. */
  readonly bootTime: number | undefined;
  /**
   * Threads that wait for a disk (nr_iowait). Not the number of threads in D state. Undefined
   * when it cannot be read.
   */
  readonly procsBlocked: number | undefined;
  /** The first line that is wanted and cannot be read, quoted. */
  readonly problem: string | undefined;
}

const unexpected = (line: string) => `stat: unexpected line ${JSON.stringify(line.slice(0, 120))}`;

/** NaN for what cannot be. Undefined for what is no number. */
function parseCount(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : NaN;
}

const cpuLine = /^cpu(\d{0,5}) +(\S+(?: \S+){3,}) *$/;

function weightOf(ticks: CpuTicks): number {
  return ticks.reduce((sum, one) => sum + (Number.isNaN(one) ? 0 : one), 0);
}

function sumOf(cpus: ReadonlyMap<string, CpuTicks>, mode: number): number {
  if (cpus.size === 0) return NaN;
  return [...cpus.values()].reduce((sum, ticks) => sum + (ticks[mode] ?? NaN), 0);
}

/** Of several sums the larger one; where it cannot be read, that of the CPUs' own lines. */
function totalOf(
  sums: readonly CpuTicks[],
  cpus: ReadonlyMap<string, CpuTicks>,
  width: number,
): CpuTicks {
  const [best] = sums.length < 2 ? sums : sums.toSorted((a, b) => weightOf(b) - weightOf(a));
  if (best === undefined) return Array.from({ length: width }, (_, mode) => sumOf(cpus, mode));
  if (!best.some(Number.isNaN)) return best;
  return best.map((ticks, mode) => (Number.isNaN(ticks) ? sumOf(cpus, mode) : ticks));
}

/** Gathers the lines of CPUs; `problem` is the first that could not be read. */
function cpuTable() {
  const cpus = new Map<string, number[]>();
  const sums: number[][] = [];
  let width = 0;
  let online = 0;
  let problem: string | undefined;

  function ticksOf(counts: string, line: string): number[] {
    const ticks: number[] = [];
    for (const text of counts.split(' ', cpuModes.length)) {
      const count = parseCount(text);
      if (count === undefined) problem ??= unexpected(line);
      ticks.push(count ?? NaN);
    }
    width = Math.max(width, ticks.length);
    return ticks;
  }

  function add(line: string): void {
    const [, number, counts] = cpuLine.exec(line) ?? [];
    if (line[3] !== ' ') online += 1;
    if (number === undefined || counts === undefined || cpus.has(number)) {
      problem ??= unexpected(line);
    } else if (number === '') {
      sums.push(ticksOf(counts, line));
    } else {
      cpus.set(number, ticksOf(counts, line));
    }
  }

  /** A line with fewer columns than the others lacks them. */
  function widen(name: string, ticks: number[]): void {
    if (ticks.length === width) return;
    problem ??= `stat: ${name} has ${ticks.length} columns, others ${width}`;
    while (ticks.length < width) ticks.push(NaN);
  }

  return {
    add,
    take() {
      for (const ticks of sums) widen('the sum', ticks);
      for (const [number, ticks] of cpus) widen(`cpu${number}`, ticks);
      if (cpus.size === 0 && sums.length === 0) problem ??= 'stat: no cpu lines';
      else if (cpus.size === 0) problem ??= 'stat: no line of a single CPU';
      else if (sums.length === 0) problem ??= 'stat: no line of the sum';
      return { total: totalOf(sums, cpus, width), cpus, online, problem };
    },
  };
}

export function parseStat(text: string): Stat {
  const table = cpuTable();
  let bootTime: number | undefined;
  let procsBlocked: number | undefined;
  let problem: string | undefined;

  function count(line: string): number | undefined {
    const value = parseCount(line.slice(line.indexOf(' ') + 1));
    if (value === undefined) problem ??= unexpected(line);
    return Number.isNaN(value) ? undefined : value;
  }

  // By index, not split: the intr line of a large machine is many kilobytes of no interest.
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    if (end === -1) {
      const rest = text.slice(start, start + 120);
      if (!rest.startsWith('\0'))
        problem ??= `stat: the text is cut off at ${JSON.stringify(rest)}`;
      break;
    }
    if (text.startsWith('cpu', start)) table.add(text.slice(start, end));
    else if (text.startsWith('btime ', start)) bootTime = count(text.slice(start, end));
    else if (text.startsWith('procs_blocked ', start)) procsBlocked = count(text.slice(start, end));
    start = end + 1;
  }
  const { problem: ofCpus, ...cpus } = table.take();
  return { ...cpus, bootTime, procsBlocked, problem: ofCpus ?? problem };
}
