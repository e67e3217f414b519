/**
 * What else was out of the ordinary, from series, alerts, gaps and single events. A strong sign
 * makes an incident of its own; a weak one only where nothing strong was going on.
 */
import type { Facts, Instant, Measure, Series } from '../facts/facts.ts';
import type { Sign, SignKind } from './incident.ts';
import { recordedSigns } from './recorded-signs.ts';
import { standstills } from './standstills.ts';

interface Rule {
  readonly kind: SignKind;
  readonly measure: Measure;
  readonly bad: (value: number, usual: number) => boolean;
  /** Shorter spells are none. */
  readonly leastSeconds: number;
  /** Bad only while this is more too. */
  readonly with?: { readonly measure: Measure; readonly above: number };
  /** What comes in bursts goes on over so long a rest. */
  readonly restSeconds?: number;
  /** Of what is true at an instant, one point is no length of time. */
  readonly leastPoints?: number;
  /** Of the machine alone: one CPU or one thing says little. */
  readonly wholeOnly?: true;
}

/** In numbers that docs/evidence.md repeats. */
export const limits = {
  pageWaitSeconds: 20,
  stealOfDemand: 0.1,
  leastSteal: 0.05,
  stealSeconds: 600,
  busyCpu: 0.9,
  busyDisk: 0.8,
  ioWait: 0.5,
  memoryPressure: 0.2,
  swapPages: 100,
  majorFaults: 100,
  fullMemory: 0.9,
  slowRedisSeconds: 1,
  loadRise: 1,
  quietIdle: 0.5,
  tasksInIo: 0.5,
  pageInRise: 10,
  leastPageIns: 0.1,
} as const;

const rules: readonly Rule[] = [
  {
    kind: 'page_wait',
    measure: 'threads_waiting_for_page',
    bad: (threads) => threads >= 1,
    leastSeconds: limits.pageWaitSeconds,
    leastPoints: 2,
  },
  { kind: 'redis_down', measure: 'redis_up', bad: (up) => up === 0, leastSeconds: 20 },
  {
    kind: 'redis_slow',
    measure: 'redis_latency_seconds',
    bad: (seconds) => seconds > limits.slowRedisSeconds,
    leastSeconds: 1,
  },
  {
    kind: 'page_ins',
    measure: 'host_page_ins',
    bad: (rate, usual) => rate >= Math.max(limits.leastPageIns, limits.pageInRise * usual),
    leastSeconds: 60,
    restSeconds: 60,
  },
  {
    kind: 'steal',
    measure: 'steal_of_demand',
    bad: (share) => share > limits.stealOfDemand,
    leastSeconds: limits.stealSeconds,
  },
  {
    kind: 'own_cpu',
    measure: 'cpu_own',
    bad: (share) => share > limits.busyCpu,
    leastSeconds: 300,
  },
  {
    kind: 'busy_disk',
    measure: 'disk_busy',
    bad: (share) => share > limits.busyDisk,
    leastSeconds: 300,
  },
  {
    // Where no disk was measured this alone shows that one did not answer, or was asked too much.
    kind: 'busy_disk',
    measure: 'cpu_iowait',
    bad: (share) => share > limits.ioWait,
    leastSeconds: 300,
    wholeOnly: true,
  },
  {
    kind: 'short_memory',
    measure: 'pressure_memory',
    bad: (share) => share > limits.memoryPressure,
    leastSeconds: 60,
  },
  {
    kind: 'short_memory',
    measure: 'swap_in_pages',
    bad: (rate) => rate > limits.swapPages,
    leastSeconds: 300,
  },
  {
    // What programs run from was thrown out of a full memory and is read again: no swap takes part.
    kind: 'short_memory',
    measure: 'major_faults',
    bad: (rate) => rate > limits.majorFaults,
    with: { measure: 'memory_used', above: limits.fullMemory },
    leastSeconds: 300,
  },
  {
    kind: 'stall',
    measure: 'stalled_seconds',
    bad: (seconds) => seconds > 10,
    leastSeconds: 1,
  },
];

const strong: ReadonlySet<SignKind> = new Set([
  'page_wait',
  'redis_down',
  'alert',
  'lockup',
  'out_of_memory',
  'unclean_end',
]);

export const isStrong = ({ kind }: Sign): boolean => strong.has(kind);

/** In the middle of all points: what is usual, as long as trouble is the smaller part. */
function medianOf(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).sort((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

interface Spell {
  readonly from: Instant;
  to: Instant;
  points: number;
}

/** Points in a row that are bad: from the step before the first to the last. */
function spellsOf(
  { points, stepSeconds }: Series,
  bad: (value: number, at: Instant) => boolean,
  restSeconds = 0,
): Spell[] {
  const spells: Spell[] = [];
  for (const { at, value } of points) {
    if (!bad(value, at)) continue;
    const last = spells.at(-1);
    if (last !== undefined && at - last.to <= Math.max(2 * stepSeconds, restSeconds)) {
      last.to = at;
      last.points++;
    } else spells.push({ from: at - stepSeconds, to: at, points: 1 });
  }
  return spells;
}

/** Of an idle guest a little steal is much of a little: times of which nobody should speak. */
function littleSteal({ of, source }: Series, series: readonly Series[]): ReadonlySet<Instant> {
  const steal = series.find(
    (one) => one.measure === 'cpu_steal' && one.of === of && one.source === source,
  );
  const low = (steal?.points ?? []).filter(({ value }) => value < limits.leastSteal);
  return new Set(low.map(({ at }) => at));
}

/** Times at which what a rule asks for besides was not so, or not measured. */
function notBeside(
  { points, source }: Series,
  series: readonly Series[],
  beside: Rule['with'],
): ReadonlySet<Instant> {
  if (beside === undefined) return new Set();
  const other = series.find((one) => one.measure === beside.measure && one.source === source);
  const above = new Set(
    other?.points.filter(({ value }) => value > beside.above).map(({ at }) => at),
  );
  return new Set(points.map(({ at }) => at).filter((at) => !above.has(at)));
}

/** What one source has twice is dated by the finer: a point of five minutes says too much at both ends. */
function isFiner(other: Series, one: Series): boolean {
  const { measure, of, source, stepSeconds } = one;
  return (
    other.measure === measure &&
    other.of === of &&
    other.source === source &&
    other.stepSeconds < stepSeconds
  );
}

const covers = ({ points, stepSeconds }: Series, from: Instant, to: Instant): boolean =>
  (points[0]?.at ?? Infinity) - stepSeconds <= from && (points.at(-1)?.at ?? -Infinity) >= to;

function saidFiner(one: Series, { from, to }: Spell, series: readonly Series[]): boolean {
  // Its last point may look back on nothing but its beginning.
  const until = Math.max(from, to - one.stepSeconds);
  return series.some((other) => isFiner(other, one) && covers(other, from, until));
}

function measuredSigns(series: readonly Series[]): Sign[] {
  return rules.flatMap(
    ({ kind, measure, bad, with: beside, leastSeconds, restSeconds, leastPoints = 1, wholeOnly }) =>
      series
        .filter((one) => one.measure === measure && (wholeOnly !== true || one.of === undefined))
        .flatMap((one) => {
          const usual = medianOf(one.points.map(({ value }) => value));
          const scarce =
            kind === 'steal' ? littleSteal(one, series) : notBeside(one, series, beside);
          return spellsOf(one, (value, at) => bad(value, usual) && !scarce.has(at), restSeconds)
            .filter(({ from, to, points }) => to - from >= leastSeconds && points >= leastPoints)
            .filter((spell) => !saidFiner(one, spell, series))
            .map(({ from, to }) => ({ kind, from, to, step: one.stepSeconds, source: one.source }));
        }),
  );
}

/** Load that no statistic of the guest accounts for: the CPU idle, nobody waiting for I/O. */
function parkedSigns(series: readonly Series[]): Sign[] {
  return series
    .filter(({ measure }) => measure === 'load_1m')
    .flatMap((load) => {
      const at = (measure: Measure) =>
        new Map(
          series
            .find(
              (one) =>
                one.measure === measure && one.of === undefined && one.source === load.source,
            )
            ?.points.map((point) => [point.at, point.value]),
        );
      const [idle, waiting] = [at('cpu_idle'), at('tasks_in_io_wait')];
      const usual = medianOf(load.points.map(({ value }) => value));
      const parked = {
        ...load,
        points: load.points.map((point) => ({
          at: point.at,
          value:
            point.value >= usual + limits.loadRise &&
            (idle.get(point.at) ?? 0) > limits.quietIdle &&
            (waiting.get(point.at) ?? 1) < limits.tasksInIo
              ? 1
              : 0,
        })),
      };
      return spellsOf(parked, (value) => value === 1)
        .filter(({ from, to }) => to - from >= 600)
        .map(({ from, to }) => ({
          kind: 'parked_load' as const,
          from,
          to,
          step: load.stepSeconds,
          source: load.source,
        }));
    });
}

/** What shows that the kernel stood still. */
export const lockups: ReadonlySet<string> = new Set([
  'soft_lockup',
  'hard_lockup',
  'workqueue_lockup',
  'rcu_stall',
  'clock_skew',
  'clock_slow_read',
]);

function once(kind: SignKind, at: Instant, source: string): Sign {
  return { kind, from: at, to: at, step: 0, source };
}

function eventSigns({ kernelEvents, boots, alerts, gaps }: Facts, now: Instant): Sign[] {
  return [
    ...kernelEvents.flatMap(({ kind, at, source }) => {
      if (lockups.has(kind)) return [once('lockup', at, source)];
      return kind.startsWith('oom_') ? [once('out_of_memory', at, source)] : [];
    }),
    ...boots.flatMap(({ end, source }) =>
      end?.how === 'unclean' ? [once('unclean_end', end.at, source)] : [],
    ),
    ...alerts
      .filter(({ severity }) => severity === 'page')
      .map(({ from, to, source }) => ({
        kind: 'alert' as const,
        from,
        to: to ?? now,
        step: 60,
        source,
      })),
    ...standstills(gaps, boots).map(({ from, to, source }) => ({
      kind: 'gap' as const,
      from,
      to,
      step: 0,
      source,
    })),
  ];
}

/** In order of time. */
export function signsOf(facts: Facts, now: Instant): Sign[] {
  const measured = measuredSigns(facts.series);
  return [
    ...measured,
    ...parkedSigns(facts.series),
    ...recordedSigns(facts, measured),
    ...eventSigns(facts, now),
  ].sort((one, other) => one.from - other.from);
}
