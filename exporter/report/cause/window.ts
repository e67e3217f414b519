/**
 * What a series says of a window of time. A point speaks of the step before it, so a point at the
 * edge speaks of other times too: it is left out where others fill the window, and where none does,
 * what it may hide is reckoned with.
 */
import type { Gap, Instant, Measure, Series } from '../facts/facts.ts';
import { isRatio } from './sane-values.ts';

export interface Window {
  readonly from: Instant;
  readonly to: Instant;
}

export interface Stats {
  readonly mean: number;
  readonly least: number;
  readonly most: number;
  /** What the window may have held at worst: beyond the points where a step is longer than it. */
  readonly leastPossible: number;
  readonly mostPossible: number;
  /** Share of the window that was measured, 0 to 1. */
  readonly covered: number;
  /** True where one point speaks of more than the window. */
  readonly coarse: boolean;
  readonly stepSeconds: number;
  readonly source: string;
  readonly of: string | undefined;
}

/** A day of which less was measured is no day to compare with. */
const enoughOfADay = 0.5;

/** So much must have been measured before silence of the figures means anything. */
export const enoughCovered = 0.8;

interface Piece {
  readonly value: number;
  /** Of the window, that the point speaks of. */
  readonly seconds: number;
}

function piecesOf({ points, stepSeconds }: Series, { from, to }: Window): Piece[] {
  return points.flatMap(({ at, value }) => {
    const seconds = Math.min(at, to) - Math.max(at - stepSeconds, from);
    return seconds > 0 && Number.isFinite(value) ? [{ value, seconds }] : [];
  });
}

function meanOf(pieces: readonly Piece[]): number {
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
  return pieces.reduce((sum, { value, seconds }) => sum + value * seconds, 0) / seconds;
}

/** All of it may have happened in the part that lies in the window. */
function atMost({ value, seconds }: Piece, step: number, ratio: boolean): number {
  const all = value * Math.max(1, step / seconds);
  return ratio ? Math.min(1, all) : all;
}

function atLeast({ value, seconds }: Piece, step: number, ratio: boolean): number {
  return ratio ? 1 - atMost({ value: 1 - value, seconds }, step, true) : 0;
}

function possible(pieces: readonly Piece[], series: Series, coarse: boolean) {
  const values = pieces.map(({ value }) => value);
  if (!coarse) return { leastPossible: Math.min(...values), mostPossible: Math.max(...values) };
  const { stepSeconds: step, measure } = series;
  const ratio = isRatio(measure);
  return {
    leastPossible: Math.min(...pieces.map((piece) => atLeast(piece, step, ratio))),
    mostPossible: Math.max(...pieces.map((piece) => atMost(piece, step, ratio))),
  };
}

export function statsOf(series: Series, window: Window): Stats | undefined {
  const all = piecesOf(series, window);
  const whole = all.filter(({ seconds }) => seconds >= series.stepSeconds * 0.999);
  const coarse = whole.length < 2;
  const pieces = coarse ? all : whole;
  if (pieces.length === 0) return undefined;
  const values = pieces.map(({ value }) => value);
  const seconds = all.reduce((sum, piece) => sum + piece.seconds, 0);
  return {
    mean: meanOf(pieces),
    least: Math.min(...values),
    most: Math.max(...values),
    ...possible(pieces, series, coarse),
    covered: Math.min(1, seconds / (window.to - window.from)),
    coarse,
    stepSeconds: series.stepSeconds,
    source: series.source,
    of: series.of,
  };
}

/** Of the series of one measure and one thing, the one that saw most of the window, in most detail. */
function best(stats: readonly Stats[]): Stats | undefined {
  const rank = ({ covered, coarse, stepSeconds }: Stats) =>
    (covered >= enoughCovered ? 2e9 : covered * 1e9) - (coarse ? 5e8 : 0) - stepSeconds;
  return [...stats].sort((one, other) => rank(other) - rank(one))[0];
}

/** Undefined where too little of it was measured to be compared with. */
export const comparable = (stats: Stats | undefined): Stats | undefined =>
  stats !== undefined && stats.covered >= enoughOfADay ? stats : undefined;

export interface Measured {
  /** Of the machine as a whole. */
  whole(measure: Measure, window: Window): Stats | undefined;
  /** Of each CPU, disk or queue, in order of name. */
  each(measure: Measure, window: Window): readonly Stats[];
  readonly series: readonly Series[];
  readonly gaps: readonly Gap[];
}

export function measured(series: readonly Series[], gaps: readonly Gap[]): Measured {
  const of = (measure: Measure, name: string | undefined, window: Window) =>
    best(
      series
        .filter((one) => one.measure === measure && one.of === name)
        .flatMap((one) => statsOf(one, window) ?? []),
    );
  return {
    series,
    gaps,
    whole: (measure, window) => of(measure, undefined, window),
    each(measure, window) {
      const names = series.flatMap((one) =>
        one.measure === measure && one.of !== undefined ? [one.of] : [],
      );
      return [...new Set(names)].sort().flatMap((name) => of(measure, name, window) ?? []);
    },
  };
}

const sameThing = (one: Series, other: Series) =>
  one.of === other.of && one.source === other.source;

/** What the host took of the CPU that was asked for, where only shares of all time were kept. */
export function demandSeries(series: readonly Series[]): Series[] {
  return series
    .filter(({ measure }) => measure === 'cpu_steal')
    .filter(
      (steal) => !series.some((one) => one.measure === 'steal_of_demand' && sameThing(one, steal)),
    )
    .flatMap((steal) => {
      const beside = (measure: Measure) =>
        series.find((one) => one.measure === measure && sameThing(one, steal));
      const idle = beside('cpu_idle');
      return idle === undefined ? [] : [stolenShare(steal, idle, beside('cpu_iowait'))];
    });
}

/** Of less demand than this nothing is a share. */
const leastDemand = 0.05;

/** Values at times that only go up: the series of one source share theirs. */
function following(one: Series | undefined): (at: Instant) => number | undefined {
  const points = one?.points ?? [];
  let next = 0;
  return (at) => {
    while ((points[next]?.at ?? Infinity) < at) next++;
    const point = points[next];
    return point?.at === at ? point.value : undefined;
  };
}

function stolenShare(steal: Series, idle: Series, iowait: Series | undefined): Series {
  const [idleAt, waitAt] = [following(idle), following(iowait)];
  const points = steal.points.flatMap(({ at, value }) => {
    const notWanted = idleAt(at);
    if (notWanted === undefined) return [];
    const demand = 1 - notWanted - (waitAt(at) ?? 0);
    return [{ at, value: demand < leastDemand ? 0 : Math.min(1, value / demand) }];
  });
  return { ...steal, measure: 'steal_of_demand', points };
}
