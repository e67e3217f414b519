/**
 * Totals that never go back. Asynq's own counters do: when Redis restarts from an older RDB, or
 * fails over to a replica that lagged, or is flushed. Exported as they are, a drop from 112 to 80
 * looks to Prometheus like a restart at 0 and adds 80 tasks nobody ran. So what is exported is
 * the raw value plus all that was ever lost: flat after a rollback, then growing again.
 */

export interface Total {
  /** Undefined until Redis has told: a total that was never read is not 0. */
  raw: number | undefined;
  offset: number;
}

/** Asynq restarts a counter at 1 when it reaches 2^63 - 1; that is no rollback. */
const wrapsAt = 2 ** 63;

export const newTotal = (): Total => ({ raw: undefined, offset: 0 });

export const totalOf = ({ raw = Number.NaN, offset }: Total): number => raw + offset;

/** Take a new raw value in. Returns how much Redis has forgotten, 0 normally. */
export function advanceTotal(total: Total, raw: number): number {
  const before = total.raw ?? 0;
  const dropped = before - raw;
  if (dropped > 0) total.offset += dropped;
  const wrapped = before >= wrapsAt;
  total.raw = raw;
  return dropped > 0 && !wrapped ? dropped : 0;
}

/**
 * Tasks archived since the queue was first seen. The set of archived tasks is trimmed to 9,999,
 * so its size goes flat in the middle of a storm of failures. Two lower bounds, and the larger
 * holds: growth of the set (misses what was trimmed or deleted meanwhile) and members that died
 * in the windows of time looked at (misses what a server with a slow clock dated back).
 */
export interface ArchivedTotal {
  grown: number;
  dated: number;
  size: number | undefined;
  /** Unix second up to which deaths have been counted. */
  countedTo: number;
}

export const newArchivedTotal = (): ArchivedTotal => ({
  grown: 0,
  dated: 0,
  size: undefined,
  countedTo: 0,
});

export const archivedTotalOf = ({ grown, dated }: ArchivedTotal): number => Math.max(grown, dated);
