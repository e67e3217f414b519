/**
 * What it was not, and what cannot be said. A suspect is ruled out only by figures that fill the
 * window; what the gaps and a coarse step may hide counts against it.
 */
import type { Measure } from '../facts/facts.ts';
import { found, given, kernelLogOver, nothing, type Context } from './context.ts';
import type { FindingId, Findings } from './findings.ts';
import { enoughCovered, type Stats } from './window.ts';

export type SuspectId =
  | 'cpu'
  | 'steal'
  | 'disk'
  | 'iowait'
  | 'tasks_in_io'
  | 'memory'
  | 'swap'
  | 'pressure'
  | 'errors';

export type Ruling =
  | 'ruled_out'
  /** The figures are what they would be if it were so. */
  | 'suspicious'
  | 'no_data'
  /** Measured for part of the time only, or by too long a step. */
  | 'too_little';

export interface Suspect {
  readonly id: SuspectId;
  readonly of?: string;
  readonly ruling: Ruling;
  readonly during?: Stats;
  readonly before?: Stats;
  /** Of what is counted instead of measured. */
  readonly count?: number;
}

interface Measurable {
  readonly id: SuspectId;
  readonly measure: Measure;
  readonly each?: true;
  /** Beyond this at any time it is not ruled out. */
  readonly limit: number;
  /** Bad is what falls below the limit. */
  readonly low?: true;
  readonly cleared?: Extract<FindingId, `cleared_${string}`>;
}

const measurable: readonly Measurable[] = [
  { id: 'cpu', measure: 'cpu_idle', limit: 0.5, low: true, cleared: 'cleared_cpu' },
  { id: 'steal', measure: 'cpu_steal', limit: 0.1, cleared: 'cleared_steal' },
  { id: 'disk', measure: 'disk_busy', each: true, limit: 0.5, cleared: 'cleared_disk' },
  { id: 'iowait', measure: 'cpu_iowait', limit: 0.1, cleared: 'cleared_iowait' },
  { id: 'tasks_in_io', measure: 'tasks_in_io_wait', limit: 1 },
  { id: 'memory', measure: 'memory_used', limit: 0.9, cleared: 'cleared_memory' },
  { id: 'swap', measure: 'swap_in_pages', limit: 10, cleared: 'cleared_swap' },
  { id: 'pressure', measure: 'pressure_memory', limit: 0.1 },
];

/** Enough was measured to say something of the whole window. */
const tells = (stats: Stats): boolean => stats.covered >= enoughCovered;

function rulingOf({ limit, low }: Measurable, stats: Stats | undefined): Ruling {
  if (stats === undefined) return 'no_data';
  const within = low === true ? stats.least >= limit : stats.most < limit;
  if (!within) return 'suspicious';
  const surely = low === true ? stats.leastPossible >= limit : stats.mostPossible < limit;
  return surely && tells(stats) ? 'ruled_out' : 'too_little';
}

function suspectOf(one: Measurable, during: Stats, before: Stats | undefined): Suspect {
  const rest = given({ of: during.of, before });
  return { id: one.id, ruling: rulingOf(one, during), during, ...rest };
}

function measuredSuspects(one: Measurable, { figures, during, usual: day }: Context): Suspect[] {
  const each = one.each === true;
  const usual = each
    ? day.each(one.measure)
    : [day.whole(one.measure)].flatMap((stats) => stats ?? []);
  const now = each
    ? figures.each(one.measure, during)
    : [figures.whole(one.measure, during)].flatMap((stats) => stats ?? []);
  if (now.length === 0) return [{ id: one.id, ruling: 'no_data' }];
  return now.map((stats) =>
    suspectOf(
      one,
      stats,
      usual.find(({ of }) => of === stats.of),
    ),
  );
}

/** Errors of disks and file systems: none only if the kernel's log reaches over the window. */
function errorsOf(context: Context): Suspect {
  const { facts, during } = context;
  const count = facts.systemEvents.filter(
    ({ kind, at }) =>
      (kind === 'disk_error' || kind === 'filesystem_error') &&
      at >= during.from - 60 &&
      at <= during.to,
  ).length;
  if (count > 0) return { id: 'errors', ruling: 'suspicious', count };
  if (kernelLogOver(context) === undefined) return { id: 'errors', ruling: 'no_data' };
  return { id: 'errors', ruling: 'ruled_out', count: 0 };
}

export function suspectsOf(context: Context): Suspect[] {
  return [...measurable.flatMap((one) => measuredSuspects(one, context)), errorsOf(context)];
}

function clearedBy({ id, cleared }: Measurable, suspects: readonly Suspect[]): Findings {
  const all = suspects.filter((suspect) => suspect.id === id);
  const out = all.every(({ ruling }) => ruling === 'ruled_out');
  const worst = [...all].sort(
    (one, other) => (other.during?.most ?? 0) - (one.during?.most ?? 0),
  )[0];
  if (cleared === undefined || !out || worst?.during === undefined) return nothing;
  const data = { during: worst.during, ...given({ before: worst.before }) };
  return found(cleared, 'proven', data, [worst.during.source]);
}

/** The findings of those that are out: of several disks only if all are. */
export function clearedOf(suspects: readonly Suspect[]): Findings {
  return Object.assign({}, ...measurable.map((one) => clearedBy(one, suspects)));
}
