/** Lines of a text kernel log, in order, into boots and what each of them holds. */
import { basename } from 'node:path';
import type { Boot, Gathered, Instant, SystemEvent } from '../facts/facts.ts';
import { clockStepped } from './clock-step.ts';
import { endOfBoot, isAsked, isFarewell } from './farewell.ts';
import { createKernelFacts, type KernelFacts } from './kernel-facts.ts';
import type { KernelLine } from './kernel-line.ts';
import { createOutOfTime } from './out-of-time.ts';
import { createWallClock, type WallClock } from './wall-clock.ts';

export interface TextSource {
  readonly id: string;
  readonly path: string;
  /** It lies where the machine's own syslog daemon writes it, and is no copy that somebody named so. */
  readonly inPlace: boolean;
}

export interface Surroundings {
  /** When the boot began that runs now, where that is of this machine. */
  readonly running: Instant | undefined;
  /** When the log was last written. */
  readonly saved: Instant;
  /** Boots that other sources date. */
  readonly known: readonly Boot[];
  /** Whose zone the stamps have that name none. */
  readonly zone: ZoneOfStamps;
}

export interface ZoneOfStamps {
  readonly name: string;
  /** The log lies where the machine keeps its own. */
  readonly sure: boolean;
}

export interface KernelBoots {
  /** A line of the kernel. */
  kernel(line: KernelLine): void;
  /** A line of a program, where the log holds them. */
  program(line: KernelLine): void;
  /** Lines after the times that were asked for begin here. */
  later(): void;
  records(): number;
  end(around: Surroundings): Gathered & {
    readonly problems: readonly string[];
    /** Undefined where its times are good to a second. */
    readonly timeDoubt: string | undefined;
    /** A program could have written what it calls the kernel's. */
    readonly forgeable: boolean;
  };
}

interface OpenBoot {
  readonly facts: KernelFacts;
  readonly clock: WallClock;
  readonly firstStamp: Instant | undefined;
  /** Largest time since boot, in microseconds. */
  last: number;
  lastStamp: Instant | undefined;
  /** The last line that is only written at an orderly end. */
  farewell: Instant | undefined;
  asked: Instant | undefined;
  /** It has later lines, which were not asked for. */
  goesOn: boolean;
}

/** Records of several CPUs come a little out of order; a new boot begins at 0. */
const stepBackMicroseconds = 10e6;
const linuxVersion = /^Linux version \d/;
/** A boot is the one that runs when both began within so long: clocks are set after the start. */
const sameBootSeconds = 120;

type Ended = Pick<Boot, 'end' | 'endSaid'>;

function endOf(
  { lastStamp: at, farewell, asked, goesOn }: OpenBoot,
  hasPrograms: boolean,
  isNewest: boolean,
): Ended {
  if (at === undefined) return { endSaid: [] };
  const told = farewell !== undefined || asked !== undefined;
  // Of the kernel's lines alone none need be the last.
  const isWhole = !goesOn && (hasPrograms || told);
  return endOfBoot({ at, farewell, asked, isWhole, isNewest }, 'the log');
}

interface Zero {
  readonly at: Instant;
  /** When the boot began that dates it, as another source has it. */
  readonly boot: Instant | undefined;
}

/** When an undated log's clock was 0, by a boot that fits it, or as if saved with its last line. */
function zeroOf(boot: OpenBoot, isLast: boolean, { saved, known }: Surroundings): Zero {
  const release = boot.facts.release();
  const fits = known.find(
    ({ start, end, kernelRelease = release }) =>
      (release === undefined || kernelRelease === release) &&
      start.earliest <= saved &&
      (end === undefined || saved <= end.at + sameBootSeconds) &&
      boot.last / 1e6 <= saved - start.earliest + sameBootSeconds,
  );
  return isLast && fits !== undefined
    ? { at: fits.start.latest, boot: fits.start.latest }
    : { at: saved - boot.last / 1e6, boot: undefined };
}

const stepsOf = (clock: WallClock, boot: string, source: string): SystemEvent[] =>
  clock.steps().map((step) => clockStepped(step, boot, source));

/** What made its times or its claims weaker, counted. */
interface Doubts {
  withoutFacility: number;
  withoutBracket: number;
  /** Without a bracket in a log that has them. */
  unmarked: number;
  /** Not in the kernel's time, with its log going on around them. */
  outOfTime: number;
  /** Dated by a boot of another source, that began then. */
  byBoot: Instant | undefined;
  /** Dated by when the file was written. */
  bySaving: Instant | undefined;
  withoutZone: number;
  /** Lines whose writer only a tag names. */
  byTag: number;
}

const minute = (at: Instant): string =>
  Number.isFinite(at)
    ? `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : '';

function zoneInWords({ name, sure }: ZoneOfStamps): string {
  const taken = `its times have no zone: they were taken for ${name}`;
  return sure
    ? `${taken}, that of the machine`
    : `${taken}, that of the machine which reads it; where it was written in another, all of them are off by hours`;
}

/** Why nobody vouches for its dates. */
function timeDoubt({ bySaving, withoutZone }: Doubts, zone: ZoneOfStamps): string | undefined {
  if (bySaving !== undefined)
    return `the log has no clock of the wall: dated as if its last line was written when the file was, ${minute(bySaving)}`;
  if (withoutZone > 0 && !zone.sure)
    return `the times of the log have no zone: taken for ${zone.name}`;
  return undefined;
}

function* doubtsInWords(doubts: Doubts, zone: ZoneOfStamps): Generator<string> {
  if (doubts.unmarked > 0)
    yield `${doubts.unmarked} lines that call themselves the kernel's lack its time stamp: not counted`;
  if (doubts.outOfTime > 0)
    yield `${doubts.outOfTime} lines that call themselves the kernel's do not stand in its time, and its log goes on around them: not counted`;
  if (doubts.withoutFacility > 0)
    yield "it does not tell the kernel's own lines from those that a program wrote into the kernel's log (dmesg -x or -r does)";
  if (doubts.withoutBracket > 0)
    yield 'its lines have no time since boot: each is dated by when it was written down, which may have been late';
  if (doubts.byTag > 0)
    yield 'it names who wrote a line, and whoever may log can call himself the kernel in it (logger -t kernel): the journal, or kern.log in its place (--root), tell them apart';
  if (doubts.byBoot !== undefined)
    yield `it holds times since boot only: they are dated by the boot that began ${minute(doubts.byBoot)}, by another source`;
  if (doubts.bySaving !== undefined)
    yield `it holds times since boot only: they are dated as if its last line was written when the file was, ${minute(doubts.bySaving)}. Of a copy, or of a text that was saved later, every date is wrong: dmesg --time-format iso keeps them`;
  // Nobody needs to be told that UTC is UTC.
  if (doubts.withoutZone > 0 && !(zone.sure && zone.name === 'UTC')) yield zoneInWords(zone);
}

export function createKernelBoots(source: TextSource): KernelBoots {
  const boots: OpenBoot[] = [];
  const doubts: Doubts = {
    withoutFacility: 0,
    withoutBracket: 0,
    unmarked: 0,
    outOfTime: 0,
    byBoot: undefined,
    bySaving: undefined,
    withoutZone: 0,
    byTag: 0,
  };
  let records = 0;
  let programs = 0;
  let anyBracket = false;
  // By facility, which no program can give itself (rsyslog: kern.*).
  const isKernelsOwn = source.inPlace && basename(source.path).startsWith('kern');

  function open(firstStamp: Instant | undefined): OpenBoot {
    const boot: OpenBoot = {
      facts: createKernelFacts(),
      clock: createWallClock(),
      firstStamp,
      last: 0,
      lastStamp: firstStamp,
      farewell: undefined,
      asked: undefined,
      goesOn: false,
    };
    boots.push(boot);
    return boot;
  }

  function bootOf({ microseconds, stamp, text }: KernelLine): OpenBoot {
    const current = boots.at(-1);
    const begins =
      microseconds === undefined
        ? linuxVersion.test(text)
        : microseconds < (current?.last ?? 0) - stepBackMicroseconds;
    return current === undefined || begins ? open(stamp) : current;
  }

  /** Without a time since boot, that since the first line stands for it. */
  function sinceBoot(boot: OpenBoot, { microseconds, stamp }: KernelLine): number {
    if (microseconds !== undefined) return microseconds;
    doubts.withoutBracket++;
    return Math.max(0, Math.round(((stamp ?? 0) - (boot.firstStamp ?? 0)) * 1e6));
  }

  function noteStamp(boot: OpenBoot, line: KernelLine): void {
    const { microseconds, stamp, resolution, tag, text } = line;
    if (stamp === undefined) return;
    if (microseconds !== undefined) boot.clock.note(microseconds, stamp, resolution);
    boot.lastStamp = stamp;
    if (isFarewell(tag, text)) boot.farewell = stamp;
    if (isAsked(tag, text)) boot.asked = stamp;
  }

  function close(boot: OpenBoot, index: number, around: Surroundings) {
    const { facts, clock, firstStamp } = boot;
    const isLast = index === boots.length - 1;
    const id = `${basename(source.path)} ${index + 1}`;
    const zero = firstStamp === undefined ? zeroOf(boot, isLast, around) : undefined;
    if (zero?.boot !== undefined) doubts.byBoot = zero.boot;
    else if (zero !== undefined) doubts.bySaving = around.saved;
    const dateOf = (microseconds: number) =>
      zero === undefined ? clock.at(microseconds) : zero.at + microseconds / 1e6;
    const first = zero?.at ?? firstStamp ?? 0;
    // Without any bracket a log that begins somewhere says only that the boot is older.
    const start = clock.start() ?? { earliest: zero?.at ?? first - 366 * 86_400, latest: first };
    const runs =
      isLast &&
      around.running !== undefined &&
      Math.abs(start.latest - around.running) <= sameBootSeconds;
    const ended: Ended = runs ? { endSaid: [] } : endOf(boot, programs > 0, isLast);
    const described: Boot = { id, start, ...ended, source: source.id, ...facts.said() };
    return {
      ...facts.end({ boot: id, source: source.id, dateOf }),
      boot: described,
      steps: stepsOf(clock, id, source.id),
    };
  }

  function count(line: KernelLine): void {
    records++;
    if (line.facility === undefined) doubts.withoutFacility++;
    if (line.zoned === false) doubts.withoutZone++;
    if (line.host !== undefined && !isKernelsOwn) doubts.byTag++;
    const boot = bootOf(line);
    const microseconds = sinceBoot(boot, line);
    boot.last = Math.max(boot.last, microseconds);
    noteStamp(boot, line);
    const { facility = 0, text } = line;
    const at = line.microseconds === undefined ? line.stamp : undefined;
    boot.facts.feed({ facility, sequence: records, microseconds, caller: undefined, text }, at);
  }

  const guard = createOutOfTime(count);

  return {
    kernel(line) {
      if (line.microseconds !== undefined) anyBracket = true;
      else if (anyBracket) {
        // Where the kernel's lines have their time, one that has none is somebody else's.
        doubts.unmarked++;
        return;
      }
      guard.take(line);
    },
    program(line) {
      programs++;
      const boot = boots.at(-1);
      if (boot !== undefined) noteStamp(boot, { ...line, microseconds: undefined });
    },
    later() {
      const boot = boots.at(-1);
      if (boot !== undefined) boot.goesOn = true;
    },
    records: () => records,
    end(around) {
      guard.end();
      doubts.outOfTime = guard.leftOut();
      const parts = boots.map((boot, index) => close(boot, index, around));
      return {
        boots: parts.map(({ boot }) => boot),
        kernelReports: parts.flatMap(({ kernelReports }) => kernelReports),
        kernelEvents: parts.flatMap(({ kernelEvents }) => kernelEvents),
        systemEvents: parts.flatMap(({ systemEvents, steps }) => [...systemEvents, ...steps]),
        problems: [
          ...parts.flatMap(({ problems }) => problems),
          ...doubtsInWords(doubts, around.zone),
        ],
        timeDoubt: timeDoubt(doubts, around.zone),
        forgeable: doubts.byTag > 0,
      };
    },
  };
}
