/** What a measure can be. A file may hold anything, and a share of 9e301 % must not be told, or accuse anybody. */
import type { Instant, Measure, Series } from '../facts/facts.ts';

/** No sampler is slower; sysstat's usual step is ten minutes. */
const longestStep = 24 * 3600;
/** More of nothing that is measured here fits into a machine. */
const mostOfAnything = 1e12;
/** A rate of Prometheus reckons with what it did not see, and goes beyond the whole by some. */
const beyondTheWhole = 2;

const ratios: ReadonlySet<Measure> = new Set([
  'cpu_idle',
  'cpu_own',
  'cpu_iowait',
  'cpu_steal',
  'steal_of_demand',
  'memory_used',
  'pressure_cpu',
  'pressure_io',
  'pressure_memory',
  'disk_busy',
]);

export const isRatio = (measure: Measure): boolean => ratios.has(measure);

const yesOrNo: ReadonlySet<Measure> = new Set(['redis_up', 'redis_stopped']);

/** Undefined for what cannot be. */
function saneValue(measure: Measure, value: number): number | undefined {
  if (!(value >= 0 && value <= mostOfAnything)) return undefined;
  if (yesOrNo.has(measure)) return value === 0 || value === 1 ? value : undefined;
  if (!isRatio(measure)) return value;
  return value > beyondTheWhole ? undefined : Math.min(1, value);
}

const inOrder = (points: Series['points']): boolean =>
  points.every(({ at }, index) => at >= (points[index - 1]?.at ?? -Infinity));

/** The same where nothing is wrong with it; in order of time in any case. */
export function saneSeries(one: Series, isSane: (at: Instant) => boolean): Series | undefined {
  const { measure, stepSeconds, points } = one;
  if (!(stepSeconds > 0 && stepSeconds <= longestStep)) return undefined;
  const saneOf = ({ at, value }: (typeof points)[number]) =>
    isSane(at) ? saneValue(measure, value) : undefined;
  // A week of a machine is half a million of them, and as a rule nothing is wrong.
  if (points.every((point) => saneOf(point) === point.value) && inOrder(points)) return one;
  const good = points.flatMap((point) => {
    const value = saneOf(point);
    if (value === undefined) return [];
    return [value === point.value ? point : { at: point.at, value }];
  });
  const sorted = inOrder(good) ? good : good.toSorted((a, b) => a.at - b.at);
  return { ...one, points: sorted };
}
