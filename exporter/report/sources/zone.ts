/** Local times of the machine that is read, which need not be the zone of the one that reads. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallFileSync } from '../../core/read-file.ts';
import type { Instant } from '../facts/facts.ts';

/** As a clock on a wall shows it; `month` from 1. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export interface Zone {
  readonly name: string;
  /**
   * Of the two moments that one time of a clock may be in autumn, the first that is not before
   * `notBefore`. A time that was left out in spring is the moment an hour later.
   */
  at(local: LocalTime, notBefore?: Instant): Instant;
}

const asIfUtc = ({ year, month, day, hour, minute, second }: LocalTime): number =>
  Date.UTC(year, month - 1, day, hour, minute, 0) / 1000 + second;

const offsetPattern = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/;

/** Seconds east of Greenwich at a moment. */
function offsetReader(name: string): (at: Instant) => number {
  const format = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' });
  return (at) => {
    const parts = format.formatToParts(at * 1000);
    const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = offsetPattern.exec(text) ?? [];
    const value = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return sign === '-' ? -value : value;
  };
}

const quarterOfAnHour = 900;
const day = 86_400;

/** Throws where Node knows no zone of this name. */
export function zoneCalled(name: string): Zone {
  const offsetAt = offsetReader(name);
  /** By quarter of an hour of local time: no zone changes in between. Its offsets, at most two. */
  const cache = new Map<number, readonly number[]>();

  function offsetsOf(quarter: number): readonly number[] {
    const known = cache.get(quarter);
    if (known !== undefined) return known;
    const local = quarter * quarterOfAnHour;
    const around = new Set([offsetAt(local - day), offsetAt(local + day)]);
    const real = [...around].filter((offset) => offsetAt(local - offset) === offset);
    // Left out in spring: what a clock that was not put forward shows.
    const offsets = real.length > 0 ? real.sort((a, b) => b - a) : [Math.min(...around)];
    if (cache.size > 100_000) cache.clear();
    cache.set(quarter, offsets);
    return offsets;
  }

  return {
    name,
    at(local, notBefore = -Infinity) {
      const plain = asIfUtc(local);
      const moments = offsetsOf(Math.floor(plain / quarterOfAnHour)).map(
        (offset) => plain - offset,
      );
      return moments.find((moment) => moment >= notBefore) ?? moments.at(-1) ?? plain;
    },
  };
}

export const utc: Zone = { name: 'UTC', at: asIfUtc };

const fromLink = /zoneinfo\/(?:posix\/|right\/)?(.+)$/;

function nameIn(root: string): string | undefined {
  try {
    const name = fromLink.exec(readlinkSync(join(root, 'etc/localtime')))?.[1];
    if (name !== undefined) return name;
  } catch {
    // No link: a file, or nothing at all.
  }
  try {
    const name = readSmallFileSync(join(root, 'etc/timezone')).toString().trim();
    return name === '' ? undefined : name;
  } catch {
    return undefined;
  }
}

/** The zone of the machine below `root`; UTC, and why, where it cannot be told. */
export function zoneOf(root: string): { readonly zone: Zone; readonly problem?: string } {
  const name = nameIn(root);
  if (name === undefined) return { zone: utc };
  try {
    return { zone: zoneCalled(name) };
  } catch {
    const problem = `its time zone ${JSON.stringify(name.slice(0, 40))} is not known here: local times were taken for UTC`;
    return { zone: utc, problem };
  }
}
