/**
 * Parser of one record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg):
 * `priority,sequence,microseconds,flags[,more];text`, then lines ` KEY=value` that we do not use.
 * Bytes that are not printable ASCII, and the backslash, come as `\xNN`.
 */

export interface KmsgRecord {
  /** 0 is the kernel itself; what user space writes is forced to 1 or more. */
  readonly facility: number;
  /** Consecutive since boot: a gap is records that were overwritten before we read them. */
  readonly sequence: number;
  /** Time since boot by the kernel's own clock, which stops in suspend. */
  readonly microseconds: number;
  /** `T140` (thread) or `C0` (CPU): who printed it, where CONFIG_PRINTK_CALLER is set. */
  readonly caller: string | undefined;
  readonly text: string;
}

/** Later kernels may add fields before the semicolon; `caller=` was one (5.1). */
const headPattern = /^(\d+),(\d+),(\d+),([^,;]*)((?:,[^,;]*)*);/;
const callerPattern = /,caller=([^,;]*)/;
const escapedBytes = /(?:\\x[0-9a-f]{2})+/gi;

function unescape(text: string): string {
  return text.replaceAll(escapedBytes, (run) =>
    Buffer.from(run.replaceAll('\\x', ''), 'hex').toString('utf8'),
  );
}

/** What to say of a text that is no record. */
export function unexpected(raw: string): Error {
  return new Error(`kmsg: unexpected record ${JSON.stringify(raw.slice(0, 80))}`);
}

/** Undefined for what is no record: a million lines of that are to cost no million errors. */
export function parseRecord(raw: string): KmsgRecord | undefined {
  const head = headPattern.exec(raw);
  if (head === null) return undefined;
  const [whole, priority, sequence, microseconds, , more = ''] = head;
  const end = raw.indexOf('\n');
  return {
    facility: Math.floor(Number(priority) / 8),
    sequence: Number(sequence),
    microseconds: Number(microseconds),
    caller: callerPattern.exec(more)?.[1],
    text: unescape(raw.slice(whole.length, end < whole.length ? undefined : end)),
  };
}
