/** Times as logs write them. */
import type { Instant } from '../facts/facts.ts';
import type { LocalTime, Zone } from './zone.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 1 to 12, undefined for what is no English month of three letters. */
export function monthOf(name: string): number | undefined {
  const index = months.indexOf(name);
  return index < 0 ? undefined : index + 1;
}

/** Day 0 of the next is the last of this one. */
const daysOf = (year: number, month: number): number =>
  new Date(Date.UTC(year, month, 0)).getUTCDate();

/** What no clock shows is no time; second 60 is a leap second. */
export function localTime(
  year: number,
  month: number | undefined,
  [day, hour, minute, second]: readonly [number, number, number, number],
): LocalTime | undefined {
  if (month === undefined || month < 1 || month > 12) return undefined;
  if (hour > 23 || minute > 59 || second >= 61 || year < 1970 || year > 9999) return undefined;
  if (day < 1 || day > daysOf(year, month)) return undefined;
  return { year, month, day, hour, minute, second };
}

/** Hours from UTC: Kiritimati. */
const furthestZone = 14;

const iso =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(?:(Z)|([+-])(\d\d):?(\d\d))?/;

export interface IsoStamp {
  readonly at: Instant;
  /** How many characters of the line it was. */
  readonly length: number;
  readonly zoned: boolean;
  /** In seconds: 1 where it is cut to that. */
  readonly resolution: number;
}

/** `2026-11-30T09:37:36,072632+00:00`, with dot or comma; without a zone it is of the machine's. */
export function isoStamp(line: string, zone: Zone, notBefore?: Instant): IsoStamp | undefined {
  const match = iso.exec(line);
  if (match === null) return undefined;
  const [whole, year, month, day, hour, minute, second, fraction, z, sign, zh, zm] = match;
  const local = localTime(Number(year), Number(month), [
    Number(day),
    Number(hour),
    Number(minute),
    Number(second) + Number(`0.${fraction ?? 0}`),
  ]);
  if (local === undefined || Number(zh ?? 0) > furthestZone || Number(zm ?? 0) > 59)
    return undefined;
  const zoned = z !== undefined || sign !== undefined;
  const form = { length: whole.length, zoned, resolution: fraction === undefined ? 1 : 0 };
  if (!zoned) return { ...form, at: zone.at(local, notBefore) };
  const east = (Number(zh ?? 0) * 3600 + Number(zm ?? 0) * 60) * (sign === '-' ? -1 : 1);
  const { year: y, month: m, day: d, hour: h, minute: min, second: s } = local;
  return { ...form, at: Date.UTC(y, m - 1, d, h, min) / 1000 + s - east };
}

/**
 * Years for stamps that have none, line after line in the order of the log: a new one begins
 * where the calendar steps back by more than a month. Count once, then read once.
 */
export interface YearCounter {
  note(month: number, day: number): void;
  /** New years so far. */
  crossed(): number;
}

const daysInYear = 31 * 12;
const mostStepBackDays = 31;

export function createYearCounter(): YearCounter {
  let last = 0;
  let crossed = 0;
  return {
    note(month, day) {
      const dayOfYear = month * 31 + day;
      if (dayOfYear < last - mostStepBackDays) crossed++;
      // A clock that is put back by an hour at the end of a year is in the old one again.
      else if (crossed > 0 && dayOfYear > last + daysInYear - mostStepBackDays) crossed--;
      last = dayOfYear;
    },
    crossed: () => crossed,
  };
}

/** A file was written no later than it was changed, but for clocks that differ and zones. */
const slackSeconds = 2 * 86_400;

/** The year of a log's last stamp, by when the file was last written. */
export function yearOfLast(month: number, day: number, written: Instant): number {
  const latest = new Date((written + slackSeconds) * 1000);
  const newest = latest.getUTCFullYear();
  let year = Date.UTC(newest, month - 1, day) > latest.getTime() ? newest - 1 : newest;
  // The 29th of February has been in one of the last eight years.
  for (let back = 0; back < 8 && day > daysOf(year, month); back += 1) year -= 1;
  return year;
}
