/**
 * Parser of one row of /proc/interrupts (kernel/irq/proc.c, arch/x86/kernel/irq.c): the head
 * names the online CPUs, and a row has one count under each of them. An offline CPU has no
 * column; its count persists and comes back with it.
 */

function unexpected(line: string): Error {
  return new Error(`interrupts: unexpected line ${JSON.stringify(line.slice(0, 120))}`);
}

function parseHead(line: string): string[] {
  return line
    .trim()
    .split(/\s+/)
    .map((name) => {
      const number = /^CPU(\d{1,5})$/.exec(name)?.[1];
      if (number === undefined) throw unexpected(line);
      return number;
    });
}

/** Labels stand right-aligned at the start of a line; the same text may end a device's name. */
function findRow(text: string, label: string): string | undefined {
  const word = `${label}:`;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    const start = text.lastIndexOf('\n', at) + 1;
    if (text.slice(start, at).trim() !== '') continue;
    const end = text.indexOf('\n', at);
    if (end === -1) throw unexpected(text.slice(start));
    return text.slice(start, end);
  }
  return undefined;
}

/**
 * Counts by number of the online CPU, of the row with this label, such as `HYP`; undefined when
 * this kernel prints no such row. Counts are unsigned 32 bits and may wrap.
 */
export function parseInterruptRow(
  text: string,
  label: string,
): ReadonlyMap<string, number> | undefined {
  if (!text.includes('\n')) throw unexpected(text);
  const cpus = parseHead(text.slice(0, text.indexOf('\n')));
  const row = findRow(text, label);
  if (row === undefined) {
    // It may stand in what is missing.
    if (!/\n\0*$/.test(text)) throw unexpected(text.slice(text.lastIndexOf('\n') + 1));
    return undefined;
  }
  const words = row
    .slice(row.indexOf(':') + 1)
    .trim()
    .split(/\s+/, cpus.length);
  const counts = new Map<string, number>();
  for (const [i, cpu] of cpus.entries()) {
    const word = words[i];
    if (word === undefined || !/^\d{1,10}$/.test(word) || counts.has(cpu)) throw unexpected(row);
    counts.set(cpu, Number(word));
  }
  return counts;
}
