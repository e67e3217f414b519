/** Parser of /proc/meminfo (fs/proc/meminfo.c): `MemAvailable:   24311560 kB`. */

const line = /^([\w()]+): +(\d{1,12})( kB)?$/;

/** Bytes by name, without the rows that are counts of pages. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('meminfo: the text is cut off');
  for (const one of lines) {
    const [, name, count, unit] = line.exec(one) ?? [];
    if (name === undefined || bytes.has(name)) {
      throw new Error(`meminfo: unexpected line ${JSON.stringify(one.slice(0, 120))}`);
    }
    if (unit !== undefined) bytes.set(name, Number(count) * 1024);
  }
  if (!bytes.has('MemTotal')) throw new Error('meminfo: no MemTotal line');
  return bytes;
}
