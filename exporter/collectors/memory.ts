/** What the guest knows of its memory. What the host swaps out shows in none of these numbers. */
import {
  byLabel,
  type Collector,
  counter,
  type Family,
  type Finding,
  gauge,
} from '../collector.ts';
import { parseMeminfo } from '../procfs/meminfo.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { parseVmstat } from '../procfs/vmstat.ts';

const memoryBytes = gauge({
  name: 'stealwatch_memory_bytes',
  help: 'Memory by kind, from /proc/meminfo and /proc/vmstat.',
  note: 'Memory by kind; balloon is what the host has taken back through a balloon driver, from /proc/meminfo and /proc/vmstat.',
  labels: ['kind'],
});
const memoryEvents = counter({
  name: 'stealwatch_memory_events_total',
  help: 'Major faults, OOM kills, guest swap and balloon, from /proc/vmstat.',
  note: 'Major faults and OOM kills since boot, and pages swapped by the guest or moved by the balloon, from /proc/vmstat.',
  labels: ['event'],
});

/** Kind to row of /proc/meminfo. */
const kinds = {
  total: 'MemTotal',
  available: 'MemAvailable',
  free: 'MemFree',
  swap_total: 'SwapTotal',
  swap_free: 'SwapFree',
  balloon: 'Balloon',
} as const;

/** Event to row of /proc/vmstat. */
const events = {
  major_fault: 'pgmajfault',
  oom_kill: 'oom_kill',
  swap_in: 'pswpin',
  swap_out: 'pswpout',
  balloon_inflate: 'balloon_inflate',
  balloon_deflate: 'balloon_deflate',
} as const;

const noBalloon =
  'this kernel does not tell of a balloon: it was built without CONFIG_MEMORY_BALLOON, or it has pages of another size than 4 kB and no Balloon row in /proc/meminfo';

/** A balloon of less than this share of the memory is not worth a sentence. */
const noticedShare = 0.01;

function pick<K extends string>(
  names: Readonly<Record<K, string>>,
  values: ReadonlyMap<string, number>,
): Partial<Record<K, number>> {
  const picked: Partial<Record<K, number>> = {};
  for (const [key, name] of Object.entries<string>(names) as [K, string][]) {
    const value = values.get(name);
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}

function familyOf(metric: typeof memoryBytes, values: Readonly<Record<string, number>>): Family[] {
  return Object.keys(values).length === 0 ? [] : [byLabel(metric, values)];
}

function balloonFinding(balloon: number | undefined, total: number | undefined): Finding[] {
  if (balloon === undefined || total === undefined || balloon < total * noticedShare) return [];
  const text = `Your host has taken ${Math.round(balloon / 2 ** 20)} MiB of memory back from this machine through the balloon.`;
  return [{ severity: 'warning', text }];
}

/** `pageBytes`: what the balloon counters count in; only x86 has one size. */
export function memoryCollector({
  procfs,
  pageBytes = process.arch === 'x64' ? 4096 : 'unknown',
}: {
  procfs: PseudoFs;
  pageBytes?: number | 'unknown';
}): Collector {
  const meminfo = procfs.file('meminfo');
  const vmstat = procfs.file('vmstat');
  let bytes: Partial<Record<keyof typeof kinds, number>> = {};
  let counts: Partial<Record<keyof typeof events, number>> = {};

  function read(): void {
    const info = meminfo.read();
    const stat = vmstat.read();
    const nextBytes =
      info === undefined ? {} : pick(kinds, parseMeminfo(info, Object.values(kinds)));
    const nextCounts =
      stat === undefined ? {} : pick(events, parseVmstat(stat, Object.values(events)));
    const { balloon_inflate: inflated, balloon_deflate: deflated } = nextCounts;
    // Older kernels print no Balloon row, but count the pages that went each way.
    if (pageBytes !== 'unknown' && inflated !== undefined && deflated !== undefined) {
      nextBytes.balloon ??= Math.max(0, inflated - deflated) * pageBytes;
    }
    bytes = nextBytes;
    counts = nextCounts;
  }

  try {
    read();
  } catch {
    // `collect` reads again and rejects with this error.
  }

  return {
    name: 'memory',
    metrics: [memoryBytes, memoryEvents],
    async collect() {
      read();
      return [...familyOf(memoryBytes, bytes), ...familyOf(memoryEvents, counts)];
    },
    report() {
      const { balloon, total } = bytes;
      const supported = balloon !== undefined;
      const reason = supported
        ? 'the balloon counters of /proc/meminfo and /proc/vmstat'
        : noBalloon;
      return {
        signals: [{ name: 'memory_balloon', supported, reason }],
        findings: balloonFinding(balloon, total),
      };
    },
    async close() {
      meminfo.close();
      vmstat.close();
    },
  };
}
