/**
 * What is known of one incident from two answers. The later one rules, but it may say less: an
 * exporter that started again has lost its samples, and one whose memory is full has thinned them.
 */
import type {
  Again,
  BlockedThread,
  EvidenceIncident,
  KernelExcerpt,
  RedisRecord,
  RescueRecord,
  Rows,
  Samples,
} from '../format.ts';

const mostRows = 12_000;
const mostEntries = 64;
/** Of the time of a coarse row, for finer ones to stand in its place. */
const coveredShare = 0.8;

type Row = Rows['rows'][number];

interface SteppedRow {
  readonly step: number;
  readonly time: number;
  readonly row: Row;
}

/** In the columns of the other. */
function flat({ columns, parts }: Samples, wanted: readonly string[]): SteppedRow[] {
  const places = wanted.map((name) => columns.indexOf(name));
  return parts.flatMap(({ step, rows }) =>
    rows.map((row) => ({
      step,
      time: row[0] ?? 0,
      row: places.map((place) => row[place] ?? null),
    })),
  );
}

function partsOf(rows: readonly SteppedRow[]): Rows[] {
  const parts: { step: number; rows: Row[] }[] = [];
  for (const { step, row } of rows) {
    const last = parts.at(-1);
    if (last?.step === step) last.rows.push(row);
    else parts.push({ step, rows: [row] });
  }
  return parts;
}

/** Where the earlier answer has finer rows of the same time, those; all that is older than the later one. */
function mergedRows(earlier: readonly SteppedRow[], later: readonly SteppedRow[]): SteppedRow[] {
  const merged: SteppedRow[] = [];
  let i = 0;
  for (const coarse of later) {
    const from = coarse.time - coarse.step;
    const finer: SteppedRow[] = [];
    for (; i < earlier.length && (earlier[i]?.time ?? 0) <= coarse.time; i += 1) {
      const row = earlier[i];
      if (row === undefined) continue;
      if (row.time <= from && row.time > (merged.at(-1)?.time ?? -Infinity)) merged.push(row);
      else if (row.time > from && row.step < coarse.step) finer.push(row);
    }
    const covered = finer.reduce((sum, { step }) => sum + step, 0);
    if (covered >= coveredShare * coarse.step) merged.push(...finer);
    else merged.push(coarse);
  }
  const newest = merged.at(-1)?.time ?? -Infinity;
  return [...merged, ...earlier.slice(i).filter(({ time }) => time > newest)].slice(-mostRows);
}

function mergedSamples(earlier: Samples, later: Samples): Samples {
  const { columns } = later;
  const rows = mergedRows(flat(earlier, columns), flat(later, columns));
  return { columns, parts: partsOf(rows) };
}

/** By key, the later entry where both have one unless the earlier is more. */
function united<T>(
  earlier: readonly T[],
  later: readonly T[],
  keyOf: (entry: T) => string,
  choose: (earlier: T, later: T) => T,
): T[] {
  const all = new Map(earlier.map((entry) => [keyOf(entry), entry]));
  for (const entry of later) {
    const known = all.get(keyOf(entry));
    all.set(keyOf(entry), known === undefined ? entry : choose(known, entry));
  }
  return [...all.values()];
}

/** Oldest first; of two of one moment the later word. */
const unitedByTime = <T extends { readonly time: number }>(
  earlier: readonly T[],
  later: readonly T[],
): T[] =>
  united(
    earlier,
    later,
    ({ time }) => String(time),
    (_a, b) => b,
  ).sort((a, b) => a.time - b.time);

/** Of many the first and the last: the format has room for as many as 64. */
function mergedAgain(earlier: readonly Again[] = [], later: readonly Again[] = []) {
  const all = unitedByTime(earlier, later);
  if (all.length === 0) return {};
  const half = mostEntries / 2;
  return { again: all.length <= mostEntries ? all : [...all.slice(0, half), ...all.slice(-half)] };
}

const mergedKernel = (earlier: readonly KernelExcerpt[], later: readonly KernelExcerpt[]) =>
  united(
    earlier,
    later,
    ({ kind, hash, time }) => `${kind} ${hash} ${time}`,
    (a, b) => ({
      ...(a.count > b.count ? a : b),
      ...mergedAgain(a.again, b.again),
      lines: a.lines.length > b.lines.length ? a.lines : b.lines,
    }),
  )
    .sort((a, b) => a.time - b.time)
    .slice(0, mostEntries);

const mergedTasks = (earlier: readonly BlockedThread[], later: readonly BlockedThread[]) =>
  united(
    earlier,
    later,
    ({ comm, since, reason }) => `${comm} ${Math.round(since)} ${reason}`,
    (a, b) => (a.last > b.last ? a : b),
  )
    .sort((a, b) => b.last - b.since - (a.last - a.since))
    .slice(0, mostEntries)
    .sort((a, b) => a.since - b.since);

function mergedRedis(earlier?: RedisRecord, later?: RedisRecord): RedisRecord | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  const all = unitedByTime(earlier.states, later.states);
  const states = all.filter(({ state }, i) => all[i - 1]?.state !== state).slice(-2 * mostEntries);
  const reason = later.reason ?? earlier.reason;
  return { states, ...(reason === undefined ? {} : { reason }) };
}

/** An exporter that starts again knows them from their record, unless that is gone. */
function mergedRescues(earlier: readonly RescueRecord[] = [], later: readonly RescueRecord[] = []) {
  const all = unitedByTime(earlier, later);
  return all.length === 0 ? {} : { rescues: all.slice(-mostEntries) };
}

const saysNothing = ({ name }: EvidenceIncident['cause']) => name === 'unknown' || name === 'quiet';

/** What started again may know of the kernel's words alone. */
function mergedLast(...answers: readonly EvidenceIncident[]) {
  const known = answers.flatMap(({ last }) => last ?? []);
  return known.length === 0 ? {} : { last: Math.max(...known) };
}

export function merged(earlier: EvidenceIncident, later: EvidenceIncident): EvidenceIncident {
  const redis = mergedRedis(earlier.redis, later.redis);
  const names = new Set([...earlier.formerIds, earlier.id, ...later.formerIds]);
  names.delete(later.id);
  const openedBy = united(
    earlier.openedBy,
    later.openedBy,
    ({ rule }) => rule,
    (a, b) => (a.time <= b.time ? a : b),
  );
  return {
    ...later,
    formerIds: [...names].slice(-8),
    ...mergedLast(earlier, later),
    onset: earlier.onset.latest <= later.onset.latest ? earlier.onset : later.onset,
    openedBy: openedBy.sort((a, b) => a.time - b.time),
    cause: saysNothing(later.cause) && !saysNothing(earlier.cause) ? earlier.cause : later.cause,
    kernel: mergedKernel(earlier.kernel, later.kernel),
    tasks: mergedTasks(earlier.tasks, later.tasks),
    ...(redis === undefined ? {} : { redis }),
    ...mergedRescues(earlier.rescues, later.rescues),
    samples: mergedSamples(earlier.samples, later.samples),
  };
}
