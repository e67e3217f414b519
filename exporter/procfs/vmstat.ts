/** Parser of /proc/vmstat (mm/vmstat.c): `pgmajfault 1234`, one name and number a line. */

/**
 * The counters asked for, by name; one that this kernel does not have is not in it. Of the other
 * lines only the form is checked: per-CPU counters may be momentarily below zero there, which
 * the kernel prints as a number near 2^64.
 */
export function parseVmstat(text: string, wanted: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('vmstat: the text is cut off');
  for (const one of lines) {
    const [, name, count] = /^(\w+) (\d+)$/.exec(one) ?? [];
    const value = Number(count);
    const ours = name !== undefined && wanted.includes(name);
    if (name === undefined || (ours && (counts.has(name) || !Number.isSafeInteger(value)))) {
      throw new Error(`vmstat: unexpected line ${JSON.stringify(one.slice(0, 120))}`);
    }
    if (ours) counts.set(name, value);
  }
  return counts;
}
