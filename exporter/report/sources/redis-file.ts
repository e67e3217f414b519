/** One file of a log of Redis: as much of it as lies in a range of time. */
import type { Hash } from 'node:crypto';
import type { Instant } from '../facts/facts.ts';
import { bytesOf, type Look, lookAt } from './file-window.ts';
import type { Focus } from './focus.ts';
import { type FileLimits, whyNot } from './packed-file.ts';
import { parseRedisLine, type RedisLine, yearlessRedis } from './redis-line.ts';
import { createYearCounter, yearOfLast } from './stamps.ts';
import { readLog } from './text-file.ts';
import { utc, type Zone } from './zone.ts';

const mostBytes = 96 * 1024 * 1024;
/** A file is written when its last line is: what is further off was copied, or rotated by hand. */
const writtenSeconds = 90;

interface ZoneChoice {
  readonly zone: Zone;
  readonly problem?: string;
}

const thisYear = (mtime: Instant) => (month: number, day: number) => yearOfLast(month, day, mtime);

/**
 * Redis writes the time of its own zone and does not say which: that of the machine, or in a
 * container UTC. The one in which the last line was written when the file was is the right one.
 */
function zoneOfStamps({ lines, mtime }: Look, machine: Zone, isCopy: boolean): ZoneChoice {
  const lastIn = (zone: Zone): RedisLine | undefined =>
    lines.reduce<RedisLine | undefined>(
      (last, line) => parseRedisLine(line, { zone, yearOf: thisYear(mtime) }) ?? last,
      undefined,
    );
  const last = lastIn(machine);
  if (last === undefined || last.zoned) return { zone: machine };
  const fits = (zone: Zone) => Math.abs((lastIn(zone)?.at ?? 0) - mtime) <= writtenSeconds;
  if (fits(machine)) return { zone: machine };
  if (fits(utc)) return { zone: utc };
  if (machine.name === 'UTC' && !isCopy) return { zone: machine };
  const problem = isCopy
    ? `its times have no zone: they were taken for ${machine.name}, that of the machine which reads it; where it was written in another, all of them are off by hours`
    : `its times have no zone: they were taken for ${machine.name}, that of the machine; in a container they may be UTC`;
  return { zone: machine, problem };
}

/** Of a log by the file that is still written: those that are packed tell nothing of it. */
export async function zoneOfLog(path: string, machine: Zone, isCopy: boolean): Promise<ZoneChoice> {
  try {
    return zoneOfStamps(await lookAt(path), machine, isCopy);
  } catch {
    // What is wrong with the file is said when it is read.
    return { zone: machine };
  }
}

/** The year of the first stamp of the part that is read. */
async function firstYear(path: string, limits: FileLimits, mtime: Instant): Promise<number> {
  const counter = createYearCounter();
  let last: readonly [number, number] = [1, 1];
  await readLog(path, limits, (line) => {
    const date = yearlessRedis(line);
    if (date !== undefined) counter.note(...(last = date));
  });
  return yearOfLast(...last, mtime) - counter.crossed();
}

export interface RedisFileOptions {
  readonly path: string;
  readonly env: FileLimits['env'];
  readonly zone: Zone;
  readonly focus: Focus;
  readonly hash: Hash;
  readonly onLine: (line: RedisLine) => void;
}

/** Where to begin and to end, and what is left out. */
async function partOf(
  { path, focus, zone }: RedisFileOptions,
  { packed, size }: Look,
): Promise<Pick<FileLimits, 'fromByte' | 'toByte'> & { readonly problem?: string }> {
  if (packed) return {};
  const timeOf = (line: string) => parseRedisLine(line, { zone, yearOf: () => 1970 })?.at;
  const { fromByte, toByte } = await bytesOf(path, focus, timeOf);
  const from = Math.max(fromByte, toByte - mostBytes);
  if (from === fromByte) return { fromByte, toByte };
  const problem = `it has ${Math.round((toByte - fromByte) / 1e6)} of ${Math.round(size / 1e6)} MB in the time of interest: the last ${Math.round(mostBytes / 1e6)} of them were read`;
  return { fromByte: from, toByte, problem };
}

async function read(options: RedisFileOptions): Promise<string[]> {
  const { path, env, zone, focus, hash, onLine } = options;
  const look = await lookAt(path);
  const yearless = look.lines.some((line) => yearlessRedis(line) !== undefined);
  // Stamps without a year can only be counted through: no looking here and there.
  const { problem: leftOut, ...part } = yearless ? {} : await partOf(options, look);
  const limits: FileLimits = { env, mostBytes, ...part };
  const year = yearless || look.packed ? await firstYear(path, limits, look.mtime) : 1970;
  const years = createYearCounter();
  let notBefore: Instant | undefined;
  const yearOf = (month: number, day: number): number => {
    years.note(month, day);
    return year + years.crossed();
  };
  const isLine = (text: string) => parseRedisLine(text, { zone, yearOf: () => 1970 }) !== undefined;
  let known = look.lines.some(isLine);
  let lines = 0;
  const { problems } = await readLog(path, { ...limits, hash }, (text) => {
    lines++;
    const line = parseRedisLine(text, { zone, yearOf, notBefore });
    if (line === undefined) return;
    known = true;
    notBefore = line.at;
    if (line.at >= focus.from && line.at <= focus.to) onLine(line);
  });
  const none =
    known || lines === 0
      ? undefined
      : `none of its ${lines} lines looks like a line of Redis or Valkey`;
  return [leftOut, none, ...problems].filter((text) => text !== undefined);
}

/** What is wrong with the file, in words; never an error. */
export async function readRedisFile(options: RedisFileOptions): Promise<readonly string[]> {
  try {
    return await read(options);
  } catch (error) {
    return [whyNot(error)];
  }
}
