/**
 * Parser of /proc/stat (fs/proc/stat.c). Times are ticks of USER_HZ, which is 100 on every
 * architecture Linux runs Node on; they stay integers here, so that differences are exact.
 * guest and guest_nice are already inside user and nice and are not returned.
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

/** Ticks in the order of `cpuModes`; without the last on a kernel that has no steal column. */
export type CpuTicks = readonly number[];

export interface Stat {
  /** The sum that the kernel makes, offline CPUs included. */
  readonly total: CpuTicks;
  /** Online CPUs only, by number. */
  readonly cpus: ReadonlyMap<string, CpuTicks>;
  /** Unix time in seconds. */
  readonly bootTime: number;
  /** Threads that wait for a disk (nr_iowait). Not the number of threads in D state. */
  readonly procsBlocked: number;
}

function unexpected(line: string): Error {
  return new Error(`stat: unexpected line ${JSON.stringify(line.slice(0, 120))}`);
}

function parseCount(text: string | undefined, line: string): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw unexpected(line);
  }
  return value;
}

const cpuLine = /^cpu(\d{0,5}) +((?:\d+ ){6,9}\d+)$/;

function addCpu(line: string, cpus: Map<string, CpuTicks>): void {
  const [, number, counts] = cpuLine.exec(line) ?? [];
  if (number === undefined || counts === undefined || cpus.has(number)) throw unexpected(line);
  const ticks: number[] = [];
  for (const text of counts.split(' ', cpuModes.length)) ticks.push(parseCount(text, line));
  cpus.set(number, ticks);
}

/** Text that was cut off, lacks a line or holds an impossible number is an error that quotes it. */
export function parseStat(text: string): Stat {
  if (!text.endsWith('\n')) throw unexpected(text.slice(text.lastIndexOf('\n') + 1));
  const cpus = new Map<string, CpuTicks>();
  let bootTime: number | undefined;
  let procsBlocked: number | undefined;
  // By index, not split: the intr line of a large machine is many kilobytes of no interest.
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    if (text.startsWith('cpu', start)) {
      addCpu(text.slice(start, end), cpus);
    } else if (text.startsWith('btime ', start)) {
      bootTime = parseCount(text.slice(start + 6, end), text.slice(start, end));
    } else if (text.startsWith('procs_blocked ', start)) {
      procsBlocked = parseCount(text.slice(start + 14, end), text.slice(start, end));
    }
    start = end + 1;
  }
  const total = cpus.get('');
  cpus.delete('');
  if (total === undefined || cpus.size === 0) throw new Error('stat: no cpu lines');
  if (bootTime === undefined) throw new Error('stat: no btime line');
  if (procsBlocked === undefined) throw new Error('stat: no procs_blocked line');
  for (const [number, { length }] of cpus) {
    if (length !== total.length) {
      throw new Error(`stat: cpu${number} has ${length} columns, the sum ${total.length}`);
    }
  }
  return { total, cpus, bootTime, procsBlocked };
}
