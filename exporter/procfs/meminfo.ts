/** Parser of /proc/meminfo (fs/proc/meminfo.c): `MemAvailable:   24311560 kB`. */
import { type Rows, rowReader } from './rows.ts';

const rowsOf = rowReader({
  file: 'meminfo',
  separator: ':',
  number: /^\s*(\d{1,20}) kB\s*$/,
  unit: 1024,
});

/** Bytes of the rows asked for, by name. */
export function parseMeminfo(text: string, wanted: readonly string[]): Rows {
  const rows = rowsOf(text, wanted);
  const { values, impossible } = rows;
  if (values.has('MemTotal') || impossible.has('MemTotal') || !wanted.includes('MemTotal')) {
    return rows;
  }
  return { ...rows, problem: rows.problem ?? 'meminfo: no MemTotal line' };
}
