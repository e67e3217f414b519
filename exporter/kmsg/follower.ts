/**
 * Follows the kernel log on a clock of its own, for a bounded time a tick.
 *
 * Opening starts at the oldest record in the kernel's ring, so what is there at the start is
 * handed over as `past`: it is remembered, not counted, or every restart would count this boot
 * again. In a flood the rest stays in the kernel's ring for the next tick (a tick takes some 5,000
 * records, and lines that are none at what they cost); if that goes on, the kernel overwrites what we did not reach and the sequence
 * numbers tell how much was lost. Memory is flat throughout.
 */
import type { Clock } from '../measure/clock.ts';
import { type KmsgRecord, parseRecord, unexpected } from './record.ts';
import { openSource, type RecordSource } from './source.ts';
import { asError, codeOf } from '../measure/errors.ts';

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
  /** How long a tick takes is measured with this, in milliseconds. */
  readonly now?: () => number;
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

const tickMs = 30;
/** Read before the time is looked at, however long they took: a host that steals must not stop us. */
const linesBetweenLooks = 500;
/** More ticks than any usual ring takes: a flood cannot keep us in the past for ever. */
const longestDrainTicks = 30;
const longestBackoffSeconds = 60;

/** EPERM: no CAP_SYSLOG under dmesg_restrict, or a device cgroup. EACCES: file permissions. */
function refusal(error: unknown): Access {
  const code = codeOf(error);
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

const errorOf = (raw: string | undefined): Error | undefined =>
  raw === undefined ? undefined : unexpected(raw);

/** What happens to records between the source and the collector. */
function createIntake(options: FollowerOptions): Intake {
  let past = true;
  let ticks = 0;
  let expected: number | undefined;
  /** What was no record: the last thing read, and the first one untold. */
  let problem: string | undefined;
  let untold: string | undefined;
  let anyRecord = false;
  const now = options.now ?? (() => performance.now());

  function handle(raw: string): void {
    const record = parseRecord(raw);
    if (record === undefined) {
      problem = raw;
      untold ??= raw;
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
      const end = now() + tickMs;
      for (let lines = 1; !quiet; lines++) {
        const raw = source.next();
        if (raw === undefined) quiet = true;
        else if (raw !== '') handle(raw);
        if (lines % linesBetweenLooks === 0 && now() >= end) break;
      }
      ticks++;
      if (quiet || ticks >= longestDrainTicks) past = false;
      if (quiet) options.onQuiet();
    },
    problem: () => errorOf(problem),
    takeProblem() {
      const taken = errorOf(untold);
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
