/**
 * Follows the kernel log on a clock of its own, a bounded number of records a tick.
 *
 * Opening starts at the oldest record in the kernel's ring, so what is there at the start is
 * handed over as `past`: it is remembered, not counted, or every restart would count this boot
 * again. In a flood of over 4,000 records a second the rest stays in the kernel's ring for the
 * next tick; if that goes on, the kernel overwrites what we did not reach and the sequence
 * numbers tell how much was lost. Memory is flat throughout.
 */
import type { Clock } from '../clock.ts';
import { type KmsgRecord, parseRecord } from './record.ts';
import { errorCode, openSource, type RecordSource } from './source.ts';

export type Access =
  | { readonly kind: 'following' }
  /** What it holds is no text of records; said until a record comes. */
  | { readonly kind: 'no_records'; readonly error: Error }
  /** There is no such file: nothing is broken, this machine or container has none. */
  | { readonly kind: 'absent'; readonly error: Error }
  | { readonly kind: 'denied'; readonly error: Error }
  | { readonly kind: 'broken'; readonly error: Error };

export interface FollowerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Hand over records that user space wrote. Anyone who may write can then fake the kernel. */
  readonly userspace: boolean;
  /** One record, in order. `past`: it was there before the exporter started. */
  onRecord(record: KmsgRecord, past: boolean): void;
  /** Records were overwritten before they could be read. */
  onLost(count: number): void;
  /** A tick ended with nothing more to read. */
  onQuiet(): void;
}

export interface Follower {
  access(): Access;
  /** Since the last successful read, even one that found nothing new. */
  ageSeconds(): number;
  /** What did not parse since the last call, once, also when records came after it. */
  takeProblem(): Error | undefined;
  /** Whether anything that was read was a record, ever. */
  anyRecord(): boolean;
  close(): void;
}

const recordsPerTick = 4000;
/** More ticks than any usual ring takes: a flood cannot keep us in the past for ever. */
const longestDrainTicks = 30;
const longestBackoffSeconds = 60;

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** EPERM: no CAP_SYSLOG under dmesg_restrict, or a device cgroup. EACCES: file permissions. */
function refusal(error: unknown): Access {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent', error: asError(error) };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied', error: asError(error) };
  return { kind: 'broken', error: asError(error) };
}

interface Intake {
  /** A source was opened: what it holds is past. */
  begin(): void;
  /** One tick's worth of records. */
  read(source: RecordSource): void;
  /** The last thing read was no record. */
  problem(): Error | undefined;
  takeProblem(): Error | undefined;
  anyRecord(): boolean;
}

/** What happens to records between the source and the collector. */
function createIntake(options: FollowerOptions): Intake {
  let past = true;
  let ticks = 0;
  let expected: number | undefined;
  let problem: Error | undefined;
  let untold: Error | undefined;
  let anyRecord = false;

  function handle(raw: string): void {
    let record: KmsgRecord;
    try {
      record = parseRecord(raw);
    } catch (error) {
      problem = asError(error);
      untold ??= problem;
      return;
    }
    problem = undefined;
    anyRecord = true;
    const { sequence } = record;
    if (expected !== undefined && sequence > expected && !past) options.onLost(sequence - expected);
    expected = sequence + 1;
    if (record.facility === 0 || options.userspace) options.onRecord(record, past);
  }

  return {
    begin() {
      past = true;
      ticks = 0;
      expected = undefined;
      problem = undefined;
    },
    read(source) {
      let quiet = false;
      for (let i = 0; i < recordsPerTick && !quiet; i++) {
        const raw = source.next();
        if (raw === undefined) quiet = true;
        else handle(raw);
      }
      ticks++;
      if (quiet || ticks >= longestDrainTicks) past = false;
      if (quiet) options.onQuiet();
    },
    problem: () => problem,
    takeProblem() {
      const taken = untold;
      untold = undefined;
      return taken;
    },
    anyRecord: () => anyRecord,
  };
}

export function followKmsg(options: FollowerOptions): Follower {
  const { path, clock } = options;
  const intake = createIntake(options);
  let source: RecordSource | undefined;
  let access: Access = { kind: 'following' };
  let lastRead = clock.monotonic();
  let nextAttempt = -Infinity;
  let backoffSeconds = 1;

  function drop(error: unknown): void {
    source?.close();
    source = undefined;
    access = refusal(error);
    nextAttempt = clock.monotonic() + backoffSeconds;
    backoffSeconds = Math.min(backoffSeconds * 2, longestBackoffSeconds);
  }

  function tick(): void {
    if (source === undefined && clock.monotonic() < nextAttempt) return;
    try {
      if (source === undefined) {
        source = openSource(path);
        intake.begin();
      }
      intake.read(source);
      lastRead = clock.monotonic();
      const problem = intake.problem();
      access =
        problem === undefined ? { kind: 'following' } : { kind: 'no_records', error: problem };
      backoffSeconds = 1;
    } catch (error) {
      drop(error);
    }
  }

  tick();
  const stop = clock.every(1, tick);
  return {
    access: () => access,
    ageSeconds: () => clock.monotonic() - lastRead,
    takeProblem: () => intake.takeProblem(),
    anyRecord: () => intake.anyRecord(),
    close() {
      stop();
      source?.close();
      source = undefined;
    },
  };
}
