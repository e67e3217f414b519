/**
 * How long disks take, whole disks only.
 *
 * A whole disk is one that /sys/block lists with a device behind it. That leaves out partitions,
 * loop, ram, zram, and what is stacked on other disks (dm, md), whose time would count twice; of
 * the rest, optical and floppy drives, which a guest often has and never uses.
 */
import { createAttempts } from '../core/attempts.ts';
import {
  type Collector,
  counter,
  type Family,
  incomplete,
  type Labels,
  type Sample,
} from '../core/collector.ts';
import { type MonotonicCounter, monotonicCounter } from '../measure/monotonic.ts';
import { type Disk, parseDiskstats } from '../procfs/diskstats.ts';
import type { PseudoFs } from '../procfs/reader.ts';

const diskSeconds = counter({
  name: 'stealwatch_disk_seconds_total',
  help: 'Time that requests to a disk took, added up, from /proc/diskstats.',
  note: 'Time that requests to a disk took, added up over requests that overlap, from /proc/diskstats.',
  labels: ['device', 'op'],
});
const diskOperations = counter({
  name: 'stealwatch_disk_operations_total',
  help: 'Requests that a disk completed, from /proc/diskstats.',
  labels: ['device', 'op'],
});

/** A guest has one or two; the rest of a longer list is left out. */
const mostDisks = 16;
const mostOthers = 1000;
const ops = ['read', 'write', 'flush'] as const;
type Op = (typeof ops)[number];

interface Counters {
  readonly op: Op;
  readonly labels: Labels;
  readonly milliseconds: MonotonicCounter;
  readonly operations: MonotonicCounter;
}

const folderOf = (name: string) => `block/${name.replaceAll('/', '!')}`;
const nameOf = ({ name }: Disk) => name;

function countersOf(disk: Disk): Counters[] {
  return ops
    .filter((op) => disk[op] !== undefined)
    .map((op) => ({
      op,
      labels: { device: disk.name, op },
      milliseconds: monotonicCounter(),
      operations: monotonicCounter(),
    }));
}

export function diskCollector({ procfs, sysfs }: { procfs: PseudoFs; sysfs: PseudoFs }): Collector {
  const file = procfs.file('diskstats');
  /** A disk once shown stays shown, with its last values. */
  const shown = new Map<string, readonly Counters[]>();
  /** Names once found to be no whole disk, so that a hundred loop devices are asked about once. */
  const others = new Set<string>();

  function isWholeDisk(name: string): boolean {
    if (others.has(name) || /^(?:sr|fd)\d+$/.test(name)) return false;
    const { attempt, failure } = createAttempts();
    const found = attempt(() => sysfs.list(`${folderOf(name)}/device`)) !== undefined;
    // A folder that may not be listed is there.
    if (found || failure() !== undefined) return true;
    if (others.size >= mostOthers) others.clear();
    others.add(name);
    return false;
  }

  /**
   * One of several paths to an NVMe disk, `nvme0c1n1` to `nvme0n1`. Up to Linux 6.3 the path
   * counts and the disk stays 0; since then both count the same requests.
   */
  function isCountedPath(name: string, counting: ReadonlySet<string>): boolean {
    const [, subsystem, rest] = /^(nvme\d+)c\d+(n\d+)$/.exec(name) ?? [];
    if (subsystem === undefined || rest === undefined) return false;
    if (!counting.has(`${subsystem}${rest}`)) return false;
    const { attempt } = createAttempts();
    return attempt(() => sysfs.read(`${folderOf(name)}/hidden`))?.trim() !== '0';
  }

  function take(disk: Disk, counting: ReadonlySet<string>): void {
    let counters = shown.get(disk.name);
    if (counters === undefined) {
      if (shown.size >= mostDisks || isCountedPath(disk.name, counting)) return;
      if (!isWholeDisk(disk.name)) return;
      counters = countersOf(disk);
      shown.set(disk.name, counters);
    }
    for (const { op, milliseconds, operations } of counters) {
      const counts = disk[op];
      if (counts === undefined) continue;
      milliseconds.advance(counts.milliseconds);
      operations.advance(counts.operations);
    }
  }

  function samples(valueOf: (counters: Counters) => number): Sample[] {
    return [...shown.values()].flatMap((counters) =>
      counters
        .map((one) => ({ labels: one.labels, value: valueOf(one) }))
        .filter(({ value }) => !Number.isNaN(value)),
    );
  }

  function familiesNow(): Family[] {
    return [
      { metric: diskSeconds, samples: samples((one) => one.milliseconds.value() / 1000) },
      { metric: diskOperations, samples: samples((one) => one.operations.value()) },
    ];
  }

  /** Only of a disk that is shown, or would be: nobody asks for the rest. */
  function problemOf(unreadable: ReadonlyMap<string, string>): string | undefined {
    for (const [name, problem] of unreadable) {
      if (shown.has(name) || (shown.size < mostDisks && isWholeDisk(name))) return problem;
    }
    return undefined;
  }

  return {
    name: 'disk',
    metrics: [diskSeconds, diskOperations],
    async collect() {
      const text = file.read();
      if (text === undefined) return [];
      const { disks, problem: ofText, unreadable, impossible } = parseDiskstats(text);
      const counting = new Set(
        disks.filter(({ read, write }) => read.operations + write.operations > 0).map(nameOf),
      );
      for (const disk of disks) take(disk, counting);
      const families = shown.size === 0 ? [] : familiesNow();
      const gone = disks.length === 0 && shown.size > 0;
      const problem =
        ofText ??
        problemOf(impossible) ??
        problemOf(unreadable) ??
        (gone ? 'diskstats: no line of a disk' : undefined);
      if (problem !== undefined) throw incomplete(problem, families);
      return families;
    },
    async close() {
      file.close();
    },
  };
}
