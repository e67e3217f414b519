/**
 * What the kernel counts about this thread and machine, read raw before and after a batch and
 * parsed afterwards: parsing allocates, and what allocates may fault.
 */
import { Buffer } from 'node:buffer';
import { openSync, readSync } from 'node:fs';
import { parseSchedstat } from '../procfs/schedstat.ts';
import { codeOf } from '../measure/errors.ts';

/** A file and room for two readings of it. */
interface Raw {
  readonly path: string;
  readonly fd: number;
  readonly buffers: readonly [Buffer, Buffer];
  readonly lengths: [number, number];
}

function open(path: string, size: number): Raw {
  return {
    path,
    fd: openSync(path, 'r'),
    // Filled now, so that the first reading faults nothing in.
    buffers: [Buffer.alloc(size, 1), Buffer.alloc(size, 1)],
    lengths: [0, 0],
  };
}

function openIfThere(path: string, size: number): Raw | undefined {
  try {
    return open(path, size);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

type When = 0 | 1;

function fill({ fd, buffers, lengths }: Raw, when: When): void {
  const buffer = buffers[when];
  let length = 0;
  for (;;) {
    const got = readSync(fd, buffer, length, buffer.length - length, length);
    length += got;
    if (got === 0 || length === buffer.length) break;
  }
  lengths[when] = length;
}

function textOf({ buffers, lengths }: Raw, when: When): string {
  return buffers[when].toString('latin1', 0, lengths[when]);
}

/** The number that `pattern` captures. */
function numberIn(raw: Raw, when: When, pattern: RegExp): number {
  const text = textOf(raw, when);
  const [, digits] = pattern.exec(text) ?? [];
  if (digits === undefined) {
    throw new Error(`${raw.path}: no ${String(pattern)} in ${JSON.stringify(text.slice(0, 120))}`);
  }
  return Number(digits);
}

function difference(raw: Raw, pattern: RegExp): number {
  return numberIn(raw, 1, pattern) - numberIn(raw, 0, pattern);
}

const voluntary = /^voluntary_ctxt_switches:\t(\d+)$/m;
/** The tenth field after the comm, which may hold spaces and parentheses (proc_pid_stat(5)). */
const majorFaults = /^.*\) (?:\S+ ){9}(\d+) /s;
/** The eighth. */
const minorFaults = /^.*\) (?:\S+ ){7}(\d+) /s;
/** Of the whole machine: each is a minor fault of the thread that touched the page. */
const numaHintFaults = /^numa_hint_faults (\d+)$/m;
const swappedIn = /^pswpin (\d+)$/m;
/** The eighth column of the sum over all CPUs, in ticks of 10 ms. */
const steal = /^cpu +(?:\d+ ){7}(\d+)/;

export interface Growth {
  readonly switches: number;
  readonly majorFaults: number;
  readonly minorFaults: number;
  readonly runDelaySeconds: number | undefined;
  readonly stealSeconds: number;
  /** Pages that this guest itself fetched from its swap. */
  readonly swappedIn: number;
}

export interface Readings {
  before(): void;
  after(): void;
  /** Read the machine's steal again: it is booked at a tick, up to 10 ms late. */
  stealAgain(): void;
  growth(): Growth;
}

export function openReadings(proc = '/proc'): Readings {
  const status = open(`${proc}/thread-self/status`, 4096);
  const stat = open(`${proc}/thread-self/stat`, 2048);
  const schedstat = openIfThere(`${proc}/thread-self/schedstat`, 256);
  const vmstat = open(`${proc}/vmstat`, 32 * 1024);
  // Only its first line matters; the interrupt line of a large machine is many kilobytes.
  const machine = open(`${proc}/stat`, 256);

  function fillMachine(when: When): void {
    machine.lengths[when] = readSync(machine.fd, machine.buffers[when], 0, 256, 0);
  }

  function runDelay(): number | undefined {
    if (schedstat === undefined) return undefined;
    const [start, end] = ([0, 1] as const).map((when) => parseSchedstat(textOf(schedstat, when)));
    return (end?.runDelaySeconds ?? 0) - (start?.runDelaySeconds ?? 0);
  }

  /** Where NUMA balancing unmaps cold pages, as good as every touch is such a fault, and no sleep. */
  function ownMinorFaults(): number {
    const hints = numaHintFaults.test(textOf(vmstat, 0)) ? difference(vmstat, numaHintFaults) : 0;
    return Math.max(0, difference(stat, minorFaults) - hints);
  }

  return {
    before() {
      fill(vmstat, 0);
      fillMachine(0);
      if (schedstat !== undefined) fill(schedstat, 0);
      fill(stat, 0);
      fill(status, 0);
    },
    after() {
      fill(status, 1);
      fill(stat, 1);
      if (schedstat !== undefined) fill(schedstat, 1);
      fill(vmstat, 1);
      fillMachine(1);
    },
    stealAgain() {
      fillMachine(1);
    },
    growth: () => ({
      switches: difference(status, voluntary),
      majorFaults: difference(stat, majorFaults),
      minorFaults: ownMinorFaults(),
      runDelaySeconds: runDelay(),
      stealSeconds: Math.max(0, difference(machine, steal)) / 100,
      swappedIn: difference(vmstat, swappedIn),
    }),
  };
}

const mostUnreadable = 10;

/**
 * A reading that cannot be understood says nothing of its touches and is no end of the canary; ten
 * in a row are, with what was wrong.
 */
export function tolerating(growth: () => Growth): () => Growth | undefined {
  let unreadable = 0;
  return () => {
    try {
      const now = growth();
      unreadable = 0;
      return now;
    } catch (error) {
      unreadable += 1;
      if (unreadable >= mostUnreadable) throw error;
      return undefined;
    }
  };
}
