/** What `stealwatch report` made of what was left after a reset, beside what the lab knew. */
import { existsSync, readFileSync } from 'node:fs';
import { baselineSeconds, type HostPageIns, type Outcome } from './figures.ts';
import type { Points } from './prometheus.ts';

const remains = new URL('recorded/remains/', import.meta.url);

export const remainsOf = (name: string): URL => new URL(`${name}/`, remains);

export interface Report {
  readonly incident: {
    readonly onset: { readonly earliest: string; readonly latest: string };
    readonly end: { readonly at: string; readonly how: string };
    readonly reports: number;
  } | null;
  readonly causes: readonly string[];
  readonly findings: Readonly<Record<string, { readonly certainty: string }>>;
}

/** The golden report; undefined before the first test wrote it (`npm run golden`). */
export function readReport(name: string): Report | undefined {
  const file = new URL('report/report.json', remainsOf(name));
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
}

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Unix time of the first note that holds this text. */
export function noted({ notes, name }: Outcome, text: string): number {
  const note = notes.find((one) => one.text.includes(text));
  if (note === undefined) throw new Error(`${name}: nothing was noted about ${text}`);
  return note.at;
}

/** Between these two redis-server fell asleep, by the clock of the lab. */
export const asleepWithin = (outcome: Outcome): Window => ({
  from: noted(outcome, 'swap reads stop'),
  to: noted(outcome, 'redis-server is in D state'),
});

export interface Counted {
  readonly exporter: number | null;
  readonly sysstat: number | null;
}

/** A counter's way through the window, per minute. */
function perMinute(points: Points, { from, to }: Window): number | null {
  const inside = points.filter(([at]) => at >= from && at <= to);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || first[0] === last[0]) return null;
  return ((last[1] - first[1]) / (last[0] - first[0])) * 60;
}

/** How many, of rates each of which speaks of the step before it; a reading that came late has a long one. */
function counts(points: Points, { from, to }: Window) {
  return points.flatMap(([at, rate], i) => {
    const seconds = at - (points[i - 1]?.[0] ?? -Infinity);
    return at - seconds >= from && at <= to ? [{ seconds, count: rate * seconds }] : [];
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

function meanPerMinute(points: Points, window: Window): number | null {
  const inside = counts(points, window);
  if (inside.length === 0) return null;
  return (sum(inside.map(({ count }) => count)) / sum(inside.map(({ seconds }) => seconds))) * 60;
}

const countedIn = ({ exporter, sysstat }: HostPageIns, window: Window): Counted => ({
  exporter: perMinute(exporter, window),
  sysstat: meanPerMinute(sysstat, window),
});

/** From the first scrape to the reset: no step that the two cut differently matters. */
function total({ exporter, sysstat }: HostPageIns, window: Window): Counted {
  const counted = exporter.filter(([at]) => at >= window.from && at <= window.to);
  return {
    exporter: (counted.at(-1)?.[1] ?? NaN) - (counted[0]?.[1] ?? NaN),
    sysstat: sum(counts(sysstat, window).map(({ count }) => count)),
  };
}

/** Before anything happened, while pages were moved out and came back, and while Redis slept. */
export function pageIns(outcome: Outcome) {
  const { hostPageIns, from } = outcome;
  if (hostPageIns === undefined) return undefined;
  const asleep = asleepWithin(outcome);
  const quietUntil = from + baselineSeconds;
  const reset = noted(outcome, 'the VPS is reset');
  return {
    all: total(hostPageIns, { from, to: reset }),
    quiet: countedIn(hostPageIns, { from, to: quietUntil }),
    pagedOut: countedIn(hostPageIns, { from: quietUntil, to: asleep.from }),
    asleep: countedIn(hostPageIns, { from: asleep.to, to: reset }),
  };
}
