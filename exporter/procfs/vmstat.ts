/** Parser of /proc/vmstat (mm/vmstat.c): `pgmajfault 1234`, one name and number a line. */
import { rowReader } from './rows.ts';

const rowsOf = rowReader({ file: 'vmstat', row: /\w+ \d+/, separator: ' ' });

/**
 * The counters asked for, by name; one that this kernel does not have is not in it. Of the other
 * lines only the form is checked: per-CPU counters may be momentarily below zero there, which
 * the kernel prints as a number near 2^64.
 */
export function parseVmstat(text: string, wanted: readonly string[]): ReadonlyMap<string, number> {
  const rowOf = rowsOf(text);
  const counts = new Map<string, number>();
  for (const name of wanted) {
    const row = rowOf(name);
    if (row === undefined) continue;
    const value = Number(row.slice(name.length + 1));
    if (!Number.isSafeInteger(value))
      throw new Error(`vmstat: unexpected line ${JSON.stringify(row)}`);
    counts.set(name, value);
  }
  return counts;
}
