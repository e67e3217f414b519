/**
 * Parser of /proc/diskstats (block/genhd.c, Documentation/admin-guide/iostats.rst): major,
 * minor, name, then 11 counts, 15 since Linux 4.18, 17 since 5.5. Times are milliseconds in 32
 * bits and wrap after 49 days of waiting.
 */

interface DiskCounts {
  readonly operations: number;
  readonly milliseconds: number;
}

export interface Disk {
  /** As in /proc; the same disk has `!` for `/` in /sys. */
  readonly name: string;
  readonly read: DiskCounts;
  readonly write: DiskCounts;
  /** Undefined before Linux 5.5. */
  readonly flush: DiskCounts | undefined;
}

const line = /^ *\d+ +\d+ (\S+)((?: \d+){11,})$/;

function countsAt(fields: readonly number[], operations: number, milliseconds: number): DiskCounts {
  return { operations: fields[operations] ?? NaN, milliseconds: fields[milliseconds] ?? NaN };
}

function parseLine(text: string): Disk {
  const [, name, rest] = line.exec(text) ?? [];
  const fields = (rest ?? '').trim().split(' ').map(Number);
  const needed = [0, 3, 4, 7, 15, 16].filter((i) => i < fields.length);
  if (name === undefined || needed.some((i) => !Number.isSafeInteger(fields[i]))) {
    throw new Error(`diskstats: unexpected line ${JSON.stringify(text.slice(0, 160))}`);
  }
  return {
    name,
    read: countsAt(fields, 0, 3),
    write: countsAt(fields, 4, 7),
    flush: fields.length >= 17 ? countsAt(fields, 15, 16) : undefined,
  };
}

/** Every device the kernel lists, partitions included. */
export function parseDiskstats(text: string): Disk[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('diskstats: the text is cut off');
  return lines.map(parseLine);
}
