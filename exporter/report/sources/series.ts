/** Points of many measures, in whatever order they come, as series in order of time. */
import type { Instant, Measure, Series } from '../facts/facts.ts';

export interface SeriesBuilder {
  /** The first of two points of the same moment stays. */
  add(measure: Measure, of: string | undefined, at: Instant, value: number): void;
  /** `alone`: of what a single point speaks, in seconds. */
  all(alone: number): Series[];
}

/** A disk that is never there again, a CPU that was: machines have no more than so many. */
const mostSeries = 1024;

/** The middle one of the distances. */
function medianStep(times: readonly Instant[], alone: number): number {
  const steps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  return steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)] ?? alone;
}

interface Growing {
  readonly measure: Measure;
  readonly of: string | undefined;
  readonly points: { readonly at: Instant; readonly value: number }[];
}

function finished({ measure, of, points }: Growing, source: string, alone: number): Series {
  points.sort((one, other) => one.at - other.at);
  const unique = points.filter(({ at }, index) => index === 0 || at !== points[index - 1]?.at);
  const stepSeconds = medianStep(
    unique.map(({ at }) => at),
    alone,
  );
  const series = { measure, stepSeconds, points: unique, source };
  return of === undefined ? series : { ...series, of };
}

export function createSeriesBuilder(source: string): SeriesBuilder {
  const growing = new Map<string, Growing>();
  return {
    add(measure, of, at, value) {
      const key = `${measure} ${of ?? ''}`;
      let series = growing.get(key);
      if (series === undefined) {
        if (growing.size >= mostSeries) return;
        series = { measure, of, points: [] };
        growing.set(key, series);
      }
      series.points.push({ at, value });
    },
    all: (alone) => [...growing.values()].map((series) => finished(series, source, alone)),
  };
}
