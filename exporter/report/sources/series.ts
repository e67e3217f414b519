/** Points of many measures, in whatever order they come, as series in order of time. */
import type { Instant, Measure, Series } from '../facts/facts.ts';

export interface SeriesBuilder {
  /** The first of two points of the same moment stays. */
  add(measure: Measure, of: string | undefined, at: Instant, value: number): void;
  all(): Series[];
}

/** A disk that is never there again, a CPU that was: machines have no more than so many. */
const mostSeries = 1024;

/** The middle one of the distances; 0 where there is none. */
function medianStep(times: readonly Instant[]): number {
  const steps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  return steps.sort((one, other) => one - other)[Math.floor(steps.length / 2)] ?? 0;
}

interface Growing {
  readonly measure: Measure;
  readonly of: string | undefined;
  readonly points: { readonly at: Instant; readonly value: number }[];
}

function finished({ measure, of, points }: Growing, source: string): Series {
  points.sort((one, other) => one.at - other.at);
  const unique = points.filter(({ at }, index) => index === 0 || at !== points[index - 1]?.at);
  const stepSeconds = medianStep(unique.map(({ at }) => at));
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
    all: () => [...growing.values()].map((series) => finished(series, source)),
  };
}
