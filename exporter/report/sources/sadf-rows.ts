/**
 * The rows of `sadf -d`: a header for each activity, `# hostname;interval;timestamp;...`, and the
 * values behind it. Columns are found by name: from release to release some come and go.
 */
import type { Instant, Measure } from '../facts/facts.ts';

export interface SadfPoint {
  readonly measure: Measure;
  /** A CPU or a disk; undefined for the machine. */
  readonly of: string | undefined;
  readonly value: number;
}

export interface SadfRow {
  /** As the machine was called. */
  readonly host: string;
  readonly at: Instant;
  /** Which it speaks of: the seconds before `at`. */
  readonly interval: number;
  /** Undefined for a restart of the machine, or of what collects. */
  readonly points: readonly SadfPoint[] | undefined;
  /** Of the samples as a whole: there is one such row for each. */
  readonly isSample: boolean;
}

/** Named cells of a row; undefined for one that is not there, or no number. */
type Cells = (name: string) => number | undefined;

type Reader = (cells: Cells, name: string) => readonly SadfPoint[];

const point = (measure: Measure, value: number | undefined, of?: string): readonly SadfPoint[] =>
  value === undefined || !Number.isFinite(value) || value < 0 ? [] : [{ measure, of, value }];

/** What was rounded to two digits may be over the whole by as much. */
const mostPercent = 101;

const share = (percent: number | undefined): number | undefined =>
  percent === undefined || percent < 0 || percent > mostPercent
    ? undefined
    : Math.min(1, percent / 100);

/** Binary fractions add noise to what was printed with two digits. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

function cpuPoints(cells: Cells, name: string): readonly SadfPoint[] {
  const idle = share(cells('%idle'));
  const iowait = share(cells('%iowait'));
  const steal = share(cells('%steal'));
  if (idle === undefined || iowait === undefined || steal === undefined) return [];
  if (idle + iowait + steal > mostPercent / 100) return [];
  const own = Math.max(0, rounded(1 - idle - iowait - steal));
  const busy = cells('%usr') ?? cells('%user') ?? 0;
  // Of a CPU that is offline all are 0.
  if (idle + iowait + steal + busy === 0) return [];
  const of = name === '-1' || name === 'all' ? undefined : `cpu${name}`;
  return [
    ...point('cpu_idle', idle, of),
    ...point('cpu_iowait', iowait, of),
    ...point('cpu_steal', steal, of),
    ...point('cpu_own', own, of),
  ];
}

/** What is neither free nor cache. Releases differ in what they call used: available is what it was. */
function memoryPoints(cells: Cells): readonly SadfPoint[] {
  const used = cells('kbmemused');
  const percent = cells('%memused');
  if (used === undefined || percent === undefined || percent < 0.1) return [];
  const total = used / (percent / 100);
  const cache = (cells('kbbuffers') ?? 0) + (cells('kbcached') ?? 0);
  const available = cells('kbavail') ?? total - used + cache;
  return point('memory_used', Math.min(1, Math.max(0, 1 - available / total)));
}

/** Not disks of their own. */
const noDisk = /^(?:loop|ram|zram|sr|fd)\d/;

function diskPoints(cells: Cells, name: string): readonly SadfPoint[] {
  if (noDisk.test(name)) return [];
  const wait = cells('await');
  return [
    ...point('disk_operations', cells('tps'), name),
    ...point('disk_await_seconds', wait === undefined ? undefined : wait / 1000, name),
    ...point('disk_busy', share(cells('%util')), name),
  ];
}

/** By the column that no other activity has, in the place where one has its name. */
const activities: readonly (readonly [column: string, read: Reader])[] = [
  ['%idle', cpuPoints],
  ['%util', diskPoints],
  ['kbmemfree', memoryPoints],
  [
    'ldavg-1',
    (cells) => [
      ...point('load_1m', cells('ldavg-1')),
      ...point('tasks_in_io_wait', cells('blocked')),
    ],
  ],
  ['majflt/s', (cells) => point('major_faults', cells('majflt/s'))],
  [
    'pswpin/s',
    (cells) => [
      ...point('swap_in_pages', cells('pswpin/s')),
      ...point('swap_out_pages', cells('pswpout/s')),
    ],
  ],
  ['%scpu', (cells) => point('pressure_cpu', share(cells('%scpu')))],
  ['%sio', (cells) => point('pressure_io', share(cells('%sio')))],
  ['%smem', (cells) => point('pressure_memory', share(cells('%smem')))],
];

/** `HYP` first of all CPUs, then of each. */
const interruptPoints = (name: string, values: readonly string[]): readonly SadfPoint[] =>
  name === 'HYP' ? point('host_page_ins', numberOf(values[0])) : [];

function numberOf(cell: string | undefined): number | undefined {
  // In some languages the point is a comma.
  const text = cell?.replace(',', '.');
  return text !== undefined && /^-?\d{1,15}(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function instantOf(cell: string): Instant | undefined {
  if (/^\d{9,11}$/.test(cell)) return Number(cell);
  const utc = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/.exec(cell);
  const at = utc === null ? NaN : Date.parse(`${utc[1]}T${utc[2]}Z`) / 1000;
  return Number.isFinite(at) ? at : undefined;
}

interface Activity {
  readonly columns: ReadonlyMap<string, number>;
  readonly read: Reader;
  readonly isInterrupts: boolean;
  /** Whether the fourth cell is a name, and the machine is one of them. */
  readonly isCpu: boolean;
}

const nameless: Reader = () => [];

function activityOf(header: string): Activity {
  const names = header.split(';');
  const columns = new Map(names.map((name, index) => [name, index]));
  const found = activities.find(([column]) => columns.has(column));
  return {
    columns,
    read: found?.[1] ?? nameless,
    isInterrupts: names[3] === 'INTR',
    isCpu: names[3] === 'CPU' && columns.has('%idle'),
  };
}

/** Row after row; undefined for a header, and for what is no row. */
export function createSadfReader(): (line: string) => SadfRow | undefined {
  let activity: Activity | undefined;
  return (line) => {
    if (line.startsWith('#')) {
      activity = activityOf(line);
      return undefined;
    }
    const cells = line.split(';');
    const interval = numberOf(cells[1]);
    const at = instantOf(cells[2] ?? '');
    if (at === undefined || interval === undefined) return undefined;
    const [host = '', , , name = ''] = cells;
    if (name.startsWith('LINUX-RESTART'))
      return { host, at, interval, points: undefined, isSample: false };
    if (activity === undefined || interval < 0) return undefined;
    const { columns, read, isInterrupts, isCpu } = activity;
    const named: Cells = (column) => {
      const index = columns.get(column);
      return index === undefined ? undefined : numberOf(cells[index]);
    };
    const points = isInterrupts ? interruptPoints(name, cells.slice(4)) : read(named, name);
    return { host, at, interval, points, isSample: isCpu && (name === '-1' || name === 'all') };
  };
}
