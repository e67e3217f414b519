/** Times, shares and rates as a report writes them: UTC, and the same on any machine. */
import type { Instant, Interval } from '../facts/facts.ts';

/** A clock that was never set, or a stamp of garbage. */
const mostSeconds = 8.64e12;

function iso(at: Instant): string {
  const valid = Number.isFinite(at) && Math.abs(at) < mostSeconds;
  return valid ? new Date(Math.floor(at) * 1000).toISOString() : 'unknown time';
}

/** `2026-10-14 21:03:12` */
export function utc(at: Instant): string {
  return iso(at).slice(0, 19).replace('T', ' ');
}

/** `2026-10-14 21:03` */
function utcMinute(at: Instant): string {
  return utc(at).slice(0, 16);
}

/** The day is said once where it is the same. */
function range(from: string, to: string, between: string): string {
  if (from === to) return from;
  return from.slice(0, 10) === to.slice(0, 10)
    ? `${from} ${between} ${to.slice(11)}`
    : `${from} ${between} ${to}`;
}

export function utcRange({ from, to }: { readonly from: Instant; readonly to: Instant }): string {
  return range(utc(from), utc(to), 'to');
}

export function utcMinutes({ from, to }: { readonly from: Instant; readonly to: Instant }): string {
  return range(utcMinute(from), utcMinute(to), 'to');
}

/** Rounded outwards, so that the truth lies inside. */
export function between({ earliest, latest }: Interval): string {
  const [from, to] = [utc(earliest), utc(Math.ceil(latest))];
  return from === to ? `at ${from}` : `between ${range(from, to, 'and')}`;
}

/** `3.25`, `41` */
export function figure(value: number): string {
  if (value === 0) return '0';
  if (value >= 100) return String(Math.round(value));
  return value < 10 ? value.toFixed(2).replace(/0$/, '') : value.toFixed(1);
}

/** `1 report`, `10 reports` */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** At the beginning of a line. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
