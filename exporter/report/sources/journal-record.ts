/** One line of `journalctl -o json --all`. */
import type { Instant } from '../facts/facts.ts';

export interface JournalRecord {
  /** When journald wrote it down. */
  readonly received: Instant;
  /** The same moment since boot, in microseconds. */
  readonly monotonic: number;
  /** When the kernel printed it, since boot, in microseconds. */
  readonly source: number | undefined;
  readonly boot: string;
  readonly transport: string;
  /** Undefined where the record has none that is a number. */
  readonly facility: number | undefined;
  readonly identifier: string;
  readonly messageId: string;
  readonly text: string;
}

/** Read in full from every record; what is not among them stays in the journal. */
export const journalFields = [
  'MESSAGE',
  'MESSAGE_ID',
  'SYSLOG_FACILITY',
  'SYSLOG_IDENTIFIER',
  '_BOOT_ID',
  '_SOURCE_MONOTONIC_TIMESTAMP',
  '_TRANSPORT',
] as const;

/** A field given twice is a list; one that is no UTF-8 a list of bytes; one too large null. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  const items: readonly unknown[] = value;
  if (items.every((item) => typeof item === 'number')) return Buffer.from(items).toString();
  return textOf(items[0]);
}

const whole = (value: unknown): number | undefined => {
  const text = textOf(value);
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
};

/** Undefined for what is no record: a hint, or a line that was torn. */
export function parseJournalLine(line: string): JournalRecord | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const received = whole(fields['__REALTIME_TIMESTAMP']);
  const monotonic = whole(fields['__MONOTONIC_TIMESTAMP']);
  const boot = textOf(fields['_BOOT_ID']);
  if (received === undefined || monotonic === undefined || boot === '') return undefined;
  return {
    received: received / 1e6,
    monotonic,
    source: whole(fields['_SOURCE_MONOTONIC_TIMESTAMP']),
    boot,
    transport: textOf(fields['_TRANSPORT']),
    facility: whole(fields['SYSLOG_FACILITY']),
    identifier: textOf(fields['SYSLOG_IDENTIFIER']),
    messageId: textOf(fields['MESSAGE_ID']),
    text: textOf(fields['MESSAGE']),
  };
}
