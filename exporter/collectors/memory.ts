/** What the guest knows of its memory. What the host swaps out shows in none of these numbers. */
import {
  byLabel,
  type Collector,
  counter,
  type Family,
  type Finding,
  gauge,
  incomplete,
} from '../core/collector.ts';
import { parseMeminfo } from '../procfs/meminfo.ts';
import type { PseudoFile, PseudoFs } from '../procfs/reader.ts';
import type { Rows } from '../procfs/rows.ts';
import { parseVmstat } from '../procfs/vmstat.ts';
import { messageOf } from '../measure/errors.ts';

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

type Kind = keyof typeof kinds;
type Picked<K extends string> = Partial<Record<K, number>>;

/** Values by our name for them. One whose row is there with a number that cannot be is NaN. */
function pick<K extends string>(names: Readonly<Record<K, string>>, rows: Rows): Picked<K> {
  const picked: Picked<K> = {};
  for (const key of Object.keys(names) as K[]) {
    const name = names[key];
    const value = rows.values.get(name) ?? (rows.impossible.has(name) ? NaN : undefined);
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}

/** A part that is larger than the whole cannot be. */
const wholes = { free: 'total', available: 'total', swap_free: 'swap_total' } as const;

/** No machine has 512 TiB. */
const mostBytes = 2 ** 49;

function withoutImpossibleParts(bytes: Picked<Kind>): Picked<Kind> {
  const checked = { ...bytes };
  for (const kind of Object.keys(bytes) as Kind[]) {
    if ((bytes[kind] ?? 0) > mostBytes) checked[kind] = NaN;
  }
  for (const [part, whole] of Object.entries(wholes) as [keyof typeof wholes, Kind][]) {
    if ((bytes[part] ?? 0) > (bytes[whole] ?? Infinity)) checked[part] = NaN;
  }
  return checked;
}

const noRows: Rows = { values: new Map(), impossible: new Map(), problem: undefined };

/** What cannot be is left out; a gauge that was there before is NaN, a counter keeps its value. */
function known<K extends string>(values: Picked<K>): Picked<K> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => !Number.isNaN(value)),
  ) as Picked<K>;
}

function familyOf(metric: typeof memoryBytes, values: Readonly<Record<string, number>>): Family[] {
  return Object.keys(values).length === 0 ? [] : [byLabel(metric, values)];
}

/** Said as it stands there: whoever made the file has to mend it. */
function impossibleFinding(bytes: Picked<Kind>, rows: Rows): Finding[] {
  const wrong = (Object.keys(bytes) as Kind[]).filter((kind) => Number.isNaN(bytes[kind]));
  if (wrong.length === 0) return [];
  const said = wrong.map((kind) => {
    const name = kinds[kind];
    const row = rows.impossible.get(name);
    return row === undefined
      ? `${name} is more than there is`
      : JSON.stringify(row.replaceAll(/\s+/g, ' ').slice(0, 80));
  });
  const text = `/proc/meminfo says what cannot be (${said.join(', ')}), so ${wrong.join(' and ')} ${wrong.length === 1 ? 'is' : 'are'} not known.`;
  return [{ severity: 'warning', text }];
}

function balloonFinding(balloon: number | undefined, total: number | undefined): Finding[] {
  if (balloon === undefined || total === undefined || !(balloon >= total * noticedShare)) return [];
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
  let bytes: Picked<Kind> = {};
  let counts: Picked<keyof typeof events> = {};
  let info = noRows;
  let problem: string | undefined;
  /** Kinds that were published once: impossible now, they are NaN and not gone. */
  const shown = new Set<string>();
  const lastCounts: Picked<keyof typeof events> = {};

  /** A file that cannot be read costs its own values and not the other's. */
  function rowsOf(file: PseudoFile, parse: (text: string) => Rows): Rows {
    try {
      const text = file.read();
      return text === undefined ? noRows : parse(text);
    } catch (error) {
      return { ...noRows, problem: messageOf(error) };
    }
  }

  function read(): void {
    info = rowsOf(meminfo, (text) => parseMeminfo(text, Object.values(kinds)));
    const stat = rowsOf(vmstat, (text) => parseVmstat(text, Object.values(events)));
    problem = info.problem ?? stat.problem;
    bytes = withoutImpossibleParts(pick(kinds, info));
    counts = pick(events, stat);
    const { balloon_inflate: inflated, balloon_deflate: deflated } = counts;
    // Older kernels print no Balloon row, but count the pages that went each way.
    if (pageBytes !== 'unknown' && inflated !== undefined && deflated !== undefined) {
      bytes.balloon ??= Math.max(0, inflated - deflated) * pageBytes;
    }
  }

  function families(): Family[] {
    for (const kind of Object.keys(known(bytes))) shown.add(kind);
    Object.assign(lastCounts, known(counts));
    const shownBytes = Object.entries(bytes).filter(
      ([kind, value]) => !Number.isNaN(value) || shown.has(kind),
    );
    const shownCounts = Object.keys(counts).flatMap((event) => {
      const value = lastCounts[event as keyof typeof events];
      return value === undefined ? [] : [[event, value] as const];
    });
    return [
      ...familyOf(memoryBytes, Object.fromEntries(shownBytes)),
      ...familyOf(memoryEvents, Object.fromEntries(shownCounts)),
    ];
  }

  read();

  return {
    name: 'memory',
    metrics: [memoryBytes, memoryEvents],
    async collect() {
      read();
      if (problem !== undefined) throw incomplete(problem, families());
      return families();
    },
    report() {
      const { balloon, total } = bytes;
      const supported = balloon !== undefined && !Number.isNaN(balloon);
      const why = problem === undefined ? noBalloon : `it cannot be read (${problem})`;
      const reason = supported ? 'the balloon counters of /proc/meminfo and /proc/vmstat' : why;
      return {
        signals: [{ name: 'memory_balloon', supported, reason }],
        findings: [...balloonFinding(balloon, total), ...impossibleFinding(bytes, info)],
      };
    },
    async close() {
      meminfo.close();
      vmstat.close();
    },
  };
}
