/**
 * One line of a log of Redis or Valkey, in any form since 2.4, by itself or as Docker, containerd
 * and podman keep the output of a container.
 */
import type { Instant } from '../facts/facts.ts';
import { isoStamp, localTime, monthOf } from './stamps.ts';
import type { Zone } from './zone.ts';

export interface RedisLine {
  readonly at: Instant;
  readonly pid: number | undefined;
  /** M, S, C (a child that saves), X (Sentinel). */
  readonly role: string;
  readonly text: string;
  /** Whether its time came with a zone: written by Docker, or as ISO 8601, or in milliseconds. */
  readonly zoned: boolean;
}

export interface RedisLineContext {
  readonly zone: Zone;
  /** Of a stamp without one. */
  readonly yearOf: (month: number, day: number) => number;
  readonly notBefore?: Instant | undefined;
}

type Stamp = Pick<RedisLine, 'at' | 'zoned'>;

/** `14 Nov 07:01:22.119`, with a year since 5.0. */
const legacy = String.raw`(\d{1,2}) ([A-Z][a-z]{2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d+))?`;
const legacyStamp = new RegExp(`^${legacy}$`);
/** `[123] ` up to 2.8, `123:M ` since 3.0; then the stamp, the level, the message. */
const plain = new RegExp(
  String.raw`^(?:\[(\d{1,10})\]|(\d{1,10}):([A-Z])) (${legacy}|\d{4}-\d\d-\d\dT\S+|\d{12,14}) ([-.*#]) (.*)$`,
);
/** `pid=27205 role=primary timestamp="..." level=notice message="..."` of Valkey. */
const logfmt = /^pid=(\d{1,10}) role=("?)([\w/-]+)\2 timestamp="([^"]+)" level=\w+ message="(.*)"$/;

function legacyAt(text: string, context: RedisLineContext): Instant | undefined {
  const [, day = '', name = '', ownYear, hour, minute, second, fraction = '0'] =
    legacyStamp.exec(text) ?? [];
  const month = monthOf(name);
  if (month === undefined) return undefined;
  const year = ownYear === undefined ? context.yearOf(month, Number(day)) : Number(ownYear);
  const local = localTime(year, month, [
    Number(day),
    Number(hour),
    Number(minute),
    Number(second) + Number(`0.${fraction}`),
  ]);
  return local && context.zone.at(local, context.notBefore);
}

function stampOf(text: string, context: RedisLineContext): Stamp | undefined {
  if (/^\d{12,14}$/.test(text)) return { at: Number(text) / 1000, zoned: true };
  const iso = isoStamp(text, context.zone, context.notBefore);
  if (iso !== undefined) return { at: iso.at, zoned: iso.zoned };
  const at = legacyAt(text, context);
  return at === undefined ? undefined : { at, zoned: false };
}

const roles: Readonly<Record<string, string>> = {
  primary: 'M',
  replica: 'S',
  sentinel: 'X',
  'RDB/AOF': 'C',
};

/** Without what a container runtime put around it. */
function bareLine(line: string, context: RedisLineContext): RedisLine | undefined {
  const match = plain.exec(line);
  if (match !== null) {
    const stamp = stampOf(match[4] ?? '', context);
    const pid = Number(match[1] ?? match[2]);
    return stamp && { ...stamp, pid, role: match[3] ?? 'M', text: match.at(-1) ?? '' };
  }
  const [, pid, , role = '', time = '', text = ''] = logfmt.exec(line) ?? [];
  const stamp = pid === undefined ? undefined : stampOf(time, context);
  return (
    stamp && {
      ...stamp,
      pid: Number(pid),
      role: roles[role] ?? role,
      text: text.replaceAll('\\"', '"'),
    }
  );
}

/** A line of a container's output. */
export interface ContainerLine {
  readonly at: Instant;
  readonly text: string;
}

/** `2026-11-30T09:40:08.816123456Z stdout F text`, of containerd and podman. */
const cri = /^(\d{4}-\d\d-\d\dT\S+) std(?:out|err) [FP] (.*)$/;

/** Undefined for what is no line as a container runtime keeps it. */
export function containerLine(line: string, zone: Zone): ContainerLine | undefined {
  if (line.startsWith('{')) {
    try {
      const { log, time } = JSON.parse(line) as Record<string, unknown>;
      if (typeof log !== 'string' || typeof time !== 'string') return undefined;
      const stamp = isoStamp(time, zone);
      return stamp && { at: stamp.at, text: log.trimEnd() };
    } catch {
      return undefined;
    }
  }
  const [, time = '', text = ''] = cri.exec(line) ?? [];
  const stamp = time === '' ? undefined : isoStamp(time, zone);
  return stamp && { at: stamp.at, text };
}

/** Undefined for other lines: the picture at the start, a crash report, another program. */
export function parseRedisLine(line: string, context: RedisLineContext): RedisLine | undefined {
  const first = line.charCodeAt(0);
  // A brace, or a digit that may begin a year.
  const kept = first === 0x7b || first === 0x32 ? containerLine(line, context.zone) : undefined;
  if (kept === undefined) return bareLine(line, context);
  const inner = bareLine(kept.text, context);
  return inner && { ...inner, at: kept.at, zoned: true };
}

const yearlessLine = /^(?:\[\d+\]|\d+:[A-Z]) (\d{1,2}) ([A-Z][a-z]{2}) \d\d:/;

/** Month and day of a stamp without a year. */
export function yearlessRedis(line: string): readonly [month: number, day: number] | undefined {
  const [, day, name = ''] = yearlessLine.exec(line) ?? [];
  const month = monthOf(name);
  return month === undefined ? undefined : [month, Number(day)];
}
