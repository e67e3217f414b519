/**
 * Parser of /proc/diskstats (block/genhd.c, Documentation/admin-guide/iostats.rst): major,
 * minor, name, then 11 counts, 15 since Linux 4.18, 17 since 5.5. Times are milliseconds in 32
 * bits and wrap after 49 days of waiting.
 */

interface DiskCounts {
  /** NaN, as the other, where the number cannot be. */
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

export interface Diskstats {
  readonly disks: readonly Disk[];
  /** What is wrong, with the first line, of a text that holds nothing to be read, or is cut off. */
  readonly problem: string | undefined;
  /** Lines that name a device and cannot be read, by its name: what is wrong, with the line. */
  readonly unreadable: ReadonlyMap<string, string>;
  /** Lines with a number that cannot be, likewise; their other numbers are taken. */
  readonly impossible: ReadonlyMap<string, string>;
}

const unexpected = (text: string) =>
  `diskstats: unexpected line ${JSON.stringify(text.slice(0, 160))}`;

const line = /^ *\d+ +\d+ (\S+)((?: \d+){11,}) *$/;
const named = /^ *\d+ +\d+ (\S+)/;

function countsAt(fields: readonly number[], operations: number, milliseconds: number): DiskCounts {
  const at = (i: number) => {
    const value = fields[i] ?? NaN;
    return Number.isSafeInteger(value) ? value : NaN;
  };
  return { operations: at(operations), milliseconds: at(milliseconds) };
}

function parseLine(text: string): Disk | undefined {
  const [, name, rest = ''] = line.exec(text) ?? [];
  if (name === undefined) return undefined;
  const fields = rest.trim().split(' ').map(Number);
  return {
    name,
    read: countsAt(fields, 0, 3),
    write: countsAt(fields, 4, 7),
    flush: fields.length >= 17 ? countsAt(fields, 15, 16) : undefined,
  };
}

function holdsImpossible({ read, write, flush }: Disk): boolean {
  return [read, write, flush].some(
    (counts) => counts !== undefined && Number.isNaN(counts.operations + counts.milliseconds),
  );
}

/** Every device the kernel lists, partitions included. */
export function parseDiskstats(text: string): Diskstats {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  const disks: Disk[] = [];
  const unreadable = new Map<string, string>();
  const impossible = new Map<string, string>();
  for (const one of lines) {
    const disk = parseLine(one);
    if (disk !== undefined) {
      disks.push(disk);
      if (holdsImpossible(disk)) impossible.set(disk.name, unexpected(one));
      continue;
    }
    // Partitions had four counts up to 2.6.24; the caller knows which names it wants.
    const name = named.exec(one)?.[1];
    if (name === undefined) continue;
    unreadable.set(name, unexpected(one));
  }
  const cutOff = rest !== '' && !rest.startsWith('\0');
  const nothing = disks.length === 0 ? lines.find((one) => one.trim() !== '') : undefined;
  const problem = nothing === undefined ? undefined : unexpected(nothing);
  return {
    disks,
    problem: problem ?? (cutOff ? 'diskstats: the text is cut off' : undefined),
    unreadable,
    impossible,
  };
}
