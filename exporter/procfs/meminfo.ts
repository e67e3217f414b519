/** Parser of /proc/meminfo (fs/proc/meminfo.c): `MemAvailable:   24311560 kB`. */
import { rowReader } from './rows.ts';

const rowsOf = rowReader({
  file: 'meminfo',
  row: /[\w()]+: +\d{1,12}(?: kB)?/,
  separator: ': ',
});

/** Bytes of the rows asked for, by name; one that this kernel does not have is not in it. */
export function parseMeminfo(text: string, wanted: readonly string[]): ReadonlyMap<string, number> {
  const rowOf = rowsOf(text);
  const bytes = new Map<string, number>();
  for (const name of wanted) {
    const row = rowOf(name);
    if (row?.endsWith(' kB'))
      bytes.set(name, Number(/\d+/.exec(row.slice(name.length))?.[0]) * 1024);
  }
  if (rowOf('MemTotal') === undefined) throw new Error('meminfo: no MemTotal line');
  return bytes;
}
