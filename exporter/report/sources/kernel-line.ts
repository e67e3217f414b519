/**
 * One line of a text kernel log, in any form it is kept in: `dmesg` with its options, what
 * rsyslog and journalctl write, raw records of /dev/kmsg.
 */
import { parseRecord } from '../../kmsg/record.ts';
import type { Instant } from '../facts/facts.ts';
import { type IsoStamp, isoStamp, localTime, monthOf } from './stamps.ts';
import type { Zone } from './zone.ts';

export interface KernelLine {
  /** Since boot, by the kernel itself; undefined where the text does not keep it. */
  readonly microseconds: number | undefined;
  /** When somebody wrote it down, or what `dmesg -T` made of it; undefined where there is none. */
  readonly stamp: Instant | undefined;
  /** Of the stamp, in seconds: `Nov 30 09:42:05` is cut to 1. */
  readonly resolution: number;
  /** Whether the stamp came with its zone; undefined where there is none. */
  readonly zoned?: boolean;
  /** 0 is the kernel; undefined where the form does not tell. */
  readonly facility: number | undefined;
  /** Whose line it is, where the log may hold those of several machines. */
  readonly host: string | undefined;
  /** Who wrote it, in a log that is not the kernel's alone: `kernel`, `sshd`. */
  readonly tag: string;
  readonly text: string;
}

export interface LineContext {
  readonly zone: Zone;
  /** Of a stamp without one. */
  yearOf(month: number, day: number): number;
  /** Of the line before, for the hour that comes twice. */
  readonly notBefore?: Instant | undefined;
}

/** `kern  :err   : ` of `dmesg -x`. */
const decoded = /^([a-z]+\d?) *:([a-z]+) *: /;
/** `<3>` of `dmesg -r` and of the console. */
const priority = /^<(\d{1,3})>/;
/**
 * `[ 1370.072632] `, `[    0.000000][    T0] ` (CONFIG_PRINTK_CALLER), `[    1.500000 <    0.200000>] `: six digits,
 * as kernel/printk has them, and nothing else is one.
 */
const bracket = /^\[ *(\d+)\.(\d{6})(?: <[ \d.+]*>)?\](?: ?\[ *[TC]\d+\])? ?/;
/** `[Wed Feb 25 10:18:01 2026] ` of `dmesg -T`. */
const ctime =
  /^\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:[.,]\d+)? (\d{4})\] ?/;
/** `Nov 30 09:42:05 `; some put the year behind. */
const rfc3164 = /^([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d+))? /;
/** Host, `kern.err ` of busybox, tag with its pid. A tag has no space but in a few names. */
const hostAndTag = /^(?:(\S*[^\s:]) )?(?:[a-z]+\d?\.[a-z]+ )?([^\s:[\]]+)(?:\[\d+\])?: ?/;

const microsecondsOf = (whole = '', fraction = '') =>
  Number(whole) * 1e6 + Math.round(Number(`0.${fraction}`) * 1e6);

const facilities = ['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news'];

/** What stands behind the stamps: perhaps a bracket, then the message. */
function rest(
  text: string,
  facility: number | undefined,
): Pick<KernelLine, 'microseconds' | 'facility' | 'text'> {
  const match = bracket.exec(text);
  if (match === null) return { microseconds: undefined, facility, text };
  return {
    microseconds: microsecondsOf(match[1], match[2]),
    facility,
    text: text.slice(match[0].length),
  };
}

const kernelOnly = { tag: 'kernel', host: undefined, resolution: 1 } as const;

/** `dmesg` without a daemon: bracket, ctime or iso, each perhaps with the facility in front. */
function dmesgLine(line: string, context: LineContext): KernelLine | undefined {
  const named = decoded.exec(line);
  const numbered = named === null ? priority.exec(line) : null;
  const text = line.slice((named ?? numbered)?.[0].length ?? 0);
  const facility =
    numbered === null ? named && facilities.indexOf(named[1] ?? '') : Number(numbered[1]) >> 3;
  const known = facility === null ? undefined : facility < 0 ? 3 : facility;
  const plain = bracket.exec(text);
  if (plain !== null) {
    const { microseconds, text: said } = rest(text, known);
    // `[  191.669508] vm kernel: INFO: ...` of journalctl -o short-monotonic.
    const monotonic = /^\S+ kernel: /.exec(said);
    const message = monotonic === null ? said : said.slice(monotonic[0].length);
    return { ...kernelOnly, microseconds, stamp: undefined, facility: known, text: message };
  }
  const wall = ctime.exec(text);
  if (wall === null) return undefined;
  const [whole, month = '', day, hour, minute, second, year] = wall;
  const local = localTime(Number(year), monthOf(month), [
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  ]);
  if (local === undefined) return undefined;
  const stamp = context.zone.at(local, context.notBefore);
  return { ...kernelOnly, ...rest(text.slice(whole.length), known), stamp, zoned: false };
}

function behindStamp(
  text: string,
  { at: stamp, resolution, zoned }: Pick<IsoStamp, 'at' | 'resolution' | 'zoned'>,
): KernelLine | undefined {
  const match = hostAndTag.exec(text);
  if (match === null) return undefined;
  const [whole, host, tag = ''] = match;
  const said = rest(text.slice(whole.length), tag === 'kernel' ? 0 : undefined);
  return { ...said, stamp, resolution, zoned, host, tag };
}

function isoLine(line: string, context: LineContext): KernelLine | undefined {
  const named = decoded.exec(line);
  const text = line.slice(named?.[0].length ?? 0);
  const stamp = isoStamp(text, context.zone, context.notBefore);
  if (stamp === undefined) return undefined;
  const said = text.slice(stamp.length).replace(/^:? /, '');
  // A daemon's stamp has a dot and is followed by the host; that of dmesg has a comma.
  if (text[19] === ',') {
    const index = named === null ? -1 : facilities.indexOf(named[1] ?? '');
    const facility = named === null ? undefined : index < 0 ? 3 : index;
    const { at, zoned } = stamp;
    return { ...kernelOnly, ...rest(said, facility), stamp: at, resolution: 0, zoned };
  }
  return behindStamp(said, stamp);
}

function syslogLine(line: string, context: LineContext): KernelLine | undefined {
  const match = rfc3164.exec(line);
  if (match === null) return undefined;
  const [whole, name = '', day = '', ownYear, hour, minute, second, ownFraction] = match;
  const month = monthOf(name);
  const year = ownYear === undefined ? context.yearOf(month ?? 1, Number(day)) : Number(ownYear);
  const local = localTime(year, month, [
    Number(day),
    Number(hour),
    Number(minute),
    Number(second) + Number(`0.${ownFraction ?? 0}`),
  ]);
  if (local === undefined) return undefined;
  const at = context.zone.at(local, context.notBefore);
  const resolution = ownFraction === undefined ? 1 : 0;
  return behindStamp(line.slice(whole.length), { at, resolution, zoned: false });
}

function kmsgLine(line: string): KernelLine | undefined {
  const record = parseRecord(line);
  if (record === undefined) return undefined;
  const { facility, microseconds, text } = record;
  return { ...kernelOnly, microseconds, stamp: undefined, facility, text };
}

const digit = (code: number) => code >= 48 && code <= 57;

/** Undefined for a line of another form, such as one that belongs to the line before. */
export function parseKernelLine(line: string, context: LineContext): KernelLine | undefined {
  const first = line.charCodeAt(0);
  // Most logs are one form, and its first character tells it.
  if (digit(first)) return isoLine(line, context) ?? kmsgLine(line);
  return syslogLine(line, context) ?? dmesgLine(line, context) ?? isoLine(line, context);
}

/** Whether a stamp lacks its year, and its month and day. */
export function yearless(line: string): readonly [month: number, day: number] | undefined {
  const match = rfc3164.exec(line);
  if (match === null || match[3] !== undefined) return undefined;
  const month = monthOf(match[1] ?? '');
  return month === undefined ? undefined : [month, Number(match[2])];
}

/** The objects of `dmesg -J`, as the lines of `dmesg -r`; torn at the end is no matter. */
const jsonObject = /\{(?:[^{}"]|"(?:[^"\\]|\\.)*")*\}/g;

export function linesOfDmesgJson(text: string): string[] {
  return [...text.matchAll(jsonObject)].flatMap(([object]) => {
    try {
      const { fac, pri, time, msg } = JSON.parse(object) as Record<string, unknown>;
      if (typeof msg !== 'string' || typeof time !== 'number') return [];
      const named = typeof fac === 'string' ? `${fac}:notice: ` : '';
      const head = typeof pri === 'number' ? `<${pri}>` : named;
      return [`${head}[${time.toFixed(6)}] ${msg}`];
    } catch {
      return [];
    }
  });
}
