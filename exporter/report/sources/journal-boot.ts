/** Records of one boot of the journal, in order, into facts. */
import type { Boot, Gathered, Instant, SystemEvent } from '../facts/facts.ts';
import { clockStepped } from './clock-step.ts';
import { endOfBoot, isAsked, isFarewell } from './farewell.ts';
import type { ListedBoot } from './journal-boots.ts';
import type { JournalRecord } from './journal-record.ts';
import { createKernelFacts } from './kernel-facts.ts';
import type { SystemEvents } from './system-events.ts';

/** systemd/sd-messages.h: SD_MESSAGE_JOURNAL_STOP. */
export const journalStopped = 'd93fb3c9c24d451a97cea615ce59c00b';
/** SD_MESSAGE_SHUTDOWN, of logind. */
export const shutdownAsked = '98268866d1d54a499c4e98921d93bc40';
/** Less is the adjustment of a clock that runs well, which may be 500 in a million. */
const leastStepSeconds = 2;
const mostSlew = 500e-6;
/** A clock of a machine that just started may be wrong until it asked another. */
const settlingMicroseconds = 600e6;
/** How far the kernel's clock may run away from the monotonic one: 100 in a million. */
const mostDrift = 100e-6;

/**
 * Where a record of the kernel belongs on the wall clock: journald read it that much later than
 * it was printed. A part of the difference is the drift of two clocks, which is the smallest one
 * seen; a record cannot have been read before it was printed.
 */
function createDelay(): (record: JournalRecord, printed: number) => number {
  let smallest = Infinity;
  return ({ monotonic }, printed) => {
    const delay = monotonic - printed;
    smallest = Math.min(smallest, delay);
    const drift = Math.min(Math.max(smallest, 0), monotonic * mostDrift);
    return Math.max(0, delay - drift) / 1e6;
  };
}

export interface JournalBoot {
  record(record: JournalRecord): void;
  records(): number;
  /** `isWhole`: its last records were read, and none is hidden from us. */
  end(how: {
    readonly isRunning: boolean;
    readonly isWhole: boolean;
    readonly isNewest: boolean;
  }): Gathered & {
    readonly boot: Boot;
    readonly problems: readonly string[];
  };
}

export function createJournalBoot(
  listed: ListedBoot,
  source: string,
  programs: SystemEvents,
): JournalBoot {
  const { id } = listed;
  const kernel = createKernelFacts();
  const delayOf = createDelay();
  const steps: SystemEvent[] = [];
  let records = 0;
  let start: Instant | undefined;
  let last: { readonly zero: number; readonly monotonic: number } | undefined;
  let farewell: Instant | undefined;
  let asked: Instant | undefined;

  /** The wall clock less the time since boot stays, unless somebody sets the clock. */
  function noteClock({ received, monotonic }: JournalRecord): void {
    const zero = received - monotonic / 1e6;
    const seconds = last === undefined ? 0 : zero - last.zero;
    const slew = last === undefined ? 0 : (Math.abs(monotonic - last.monotonic) / 1e6) * mostSlew;
    const stepped = Math.abs(seconds) >= leastStepSeconds + slew;
    if (start === undefined || (stepped && monotonic < settlingMicroseconds)) start = zero;
    if (stepped) {
      const vagueSeconds = Math.max(0, monotonic - (last?.monotonic ?? monotonic)) / 1e6;
      const step = { at: received, seconds, microseconds: monotonic, vagueSeconds };
      steps.push(clockStepped(step, id, source));
    }
    last = { zero, monotonic };
  }

  function fromKernel(record: JournalRecord): void {
    const { monotonic, received, facility = 1, text } = record;
    const microseconds = record.source ?? monotonic;
    const at = received - delayOf(record, microseconds);
    kernel.feed({ facility, sequence: records, microseconds, caller: undefined, text }, at);
  }

  function noteEnd({ messageId, identifier, transport, text, received }: JournalRecord): void {
    const tag = transport === 'kernel' ? 'kernel' : identifier;
    if (messageId === journalStopped || isFarewell(tag, text)) farewell = received;
    if (isAsked(tag, text)) asked = received;
  }

  return {
    record(record) {
      records++;
      noteClock(record);
      if (record.transport === 'kernel') fromKernel(record);
      else programs.line(record.identifier, record.text, record.received, id);
      noteEnd(record);
    },
    records: () => records,
    end({ isRunning, isWhole, isNewest }) {
      const zero = start ?? listed.first;
      const words = { at: listed.last, farewell, asked, isWhole, isNewest };
      const ended = isRunning ? { endSaid: [] } : endOfBoot(words, 'its journal');
      const boot: Boot = {
        id,
        start: { earliest: zero, latest: zero },
        ...ended,
        source,
        ...kernel.said(),
      };
      const facts = kernel.end({ boot: id, source, dateOf: () => undefined });
      return {
        ...facts,
        systemEvents: [...facts.systemEvents, ...steps],
        boot,
      };
    },
  };
}
