/**
 * Records as `journalctl -o export` writes them: `NAME=value` lines, or the name, eight bytes of
 * length and the value, where that is no plain text; an empty line ends the record. Half the work of
 * JSON for both sides, and bytes stay bytes.
 */
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
  readonly pid: number | undefined;
  readonly messageId: string;
  readonly text: string;
}

/** Read from every record, besides its times and its boot; what is not among them stays where it is. */
export const journalFields = [
  'MESSAGE',
  'MESSAGE_ID',
  'SYSLOG_FACILITY',
  'SYSLOG_IDENTIFIER',
  'SYSLOG_PID',
  '_PID',
  '_SOURCE_MONOTONIC_TIMESTAMP',
  '_TRANSPORT',
] as const;

/** A line of a log is shorter; a longer one is left out of its record. */
const longestValue = 1024 * 1024;
const lengthBytes = 8;

type Fields = Map<string, string>;

const wanted: ReadonlySet<string> = new Set([
  ...journalFields,
  '__REALTIME_TIMESTAMP',
  '__MONOTONIC_TIMESTAMP',
  '_BOOT_ID',
]);

function whole(fields: Fields, name: string): number | undefined {
  const text = fields.get(name) ?? '';
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}

const beyondAscii = /[\x80-\xff]/;

/** Bytes were read as one character each. */
const decoded = (text: string): string =>
  beyondAscii.test(text) ? Buffer.from(text, 'latin1').toString() : text;

function recordOf(fields: Fields): JournalRecord | undefined {
  const received = whole(fields, '__REALTIME_TIMESTAMP');
  const monotonic = whole(fields, '__MONOTONIC_TIMESTAMP');
  const boot = fields.get('_BOOT_ID') ?? '';
  if (received === undefined || monotonic === undefined || boot === '') return undefined;
  const text = (name: string) => decoded(fields.get(name) ?? '');
  return {
    received: received / 1e6,
    monotonic,
    source: whole(fields, '_SOURCE_MONOTONIC_TIMESTAMP'),
    boot,
    transport: text('_TRANSPORT'),
    facility: whole(fields, 'SYSLOG_FACILITY'),
    identifier: text('SYSLOG_IDENTIFIER'),
    pid: whole(fields, 'SYSLOG_PID') ?? whole(fields, '_PID'),
    messageId: text('MESSAGE_ID'),
    text: text('MESSAGE'),
  };
}

/** Little endian; no value of ours comes near what a double cannot hold. */
function lengthAt(text: string, at: number): number {
  let length = 0;
  for (let byte = lengthBytes - 1; byte >= 0; byte--)
    length = length * 256 + text.charCodeAt(at + byte);
  return length;
}

export interface JournalReader {
  push(chunk: Buffer): void;
  /** Records without their times or their boot, and an unfinished one at the end. */
  torn(): number;
}

export function createJournalReader(onRecord: (record: JournalRecord) => void): JournalReader {
  let text = '';
  let at = 0;
  /** Bytes of a value that is too large, still to come. */
  let skipping = 0;
  let fields: Fields = new Map();
  let torn = 0;

  function finish(): void {
    if (fields.size === 0) return;
    const record = recordOf(fields);
    if (record === undefined) torn++;
    else onRecord(record);
    fields = new Map();
  }

  /** Of several values of one name the first counts. */
  function set(name: string, value: string): void {
    if (wanted.has(name) && !fields.has(name)) fields.set(name, value);
  }

  /** A field whose value is bytes; false where the rest of it is still to come. */
  function takeBytes(name: string, from: number): boolean {
    if (text.length < from + lengthBytes) return false;
    const begin = from + lengthBytes;
    const length = lengthAt(text, from);
    if (length > longestValue) {
      at = begin;
      skipping = length + 1;
      return true;
    }
    if (text.length <= begin + length) return false;
    set(name, text.slice(begin, begin + length));
    at = begin + length + 1;
    return true;
  }

  function takeOne(): boolean {
    if (skipping > 0) {
      const skipped = Math.min(skipping, text.length - at);
      at += skipped;
      skipping -= skipped;
      return skipping === 0;
    }
    const end = text.indexOf('\n', at);
    if (end < 0) return false;
    const line = text.slice(at, end);
    const equals = line.indexOf('=');
    if (equals < 0 && line !== '') return takeBytes(line, end + 1);
    at = end + 1;
    if (line === '') finish();
    else set(line.slice(0, equals), line.slice(equals + 1));
    return true;
  }

  return {
    push(chunk) {
      text = text.slice(at) + chunk.toString('latin1');
      at = 0;
      while (at < text.length && takeOne());
      // What has no end is no journal.
      if (text.length - at > 2 * longestValue) {
        torn++;
        text = '';
        at = 0;
      }
    },
    torn: () => torn + (fields.size > 0 || at < text.length ? 1 : 0),
  };
}
