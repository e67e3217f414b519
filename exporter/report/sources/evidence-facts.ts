/** An answer of /evidence, or a file that the prober kept of one, as facts of a report. */
import type {
  EvidenceAnswer,
  EvidenceIncident,
  KernelExcerpt,
  Rows,
} from '../../evidence/format.ts';
import type { Boot, Gap, Gathered, Instant, Measure, Recorded, Series } from '../facts/facts.ts';
import { redisStates } from '../../redis/state.ts';
import { frameOf } from '../../tasks/reasons.ts';
import { createKernelFacts } from './kernel-facts.ts';

/** Columns of the recorder that are measures as they are. */
const measures: ReadonlySet<string> = new Set<Measure>([
  'cpu_own',
  'cpu_idle',
  'cpu_iowait',
  'cpu_steal',
  'steal_of_demand',
  'stalled_seconds',
  'host_page_ins',
  'threads_in_d',
  'threads_waiting_for_page',
  'redis_latency_seconds',
  'redis_stopped',
  'load_1m',
  'pressure_io',
]);

/** Places in redis/state.ts: up, and slow, which is an answer too. */
const answeringStates: ReadonlySet<number> = new Set([0, 1]);

interface Column {
  readonly measure: Measure;
  readonly index: number;
  /** Undefined for what says nothing. */
  readonly valueOf: (value: number) => number | undefined;
}

const asItIs = (value: number): number => value;
const isUp = (state: number): number | undefined => {
  if (redisStates[state] === undefined) return undefined;
  return answeringStates.has(state) ? 1 : 0;
};

const columnsOf = (names: readonly string[]): Column[] =>
  names.flatMap((name, index): Column[] => {
    if (name === 'redis_state') return [{ measure: 'redis_up', index, valueOf: isUp }];
    return measures.has(name) ? [{ measure: name as Measure, index, valueOf: asItIs }] : [];
  });

/** Rows of one step, wherever they stand. */
function rowsByStep(parts: readonly Rows[]): Map<number, Rows['rows'][number][]> {
  const byStep = new Map<number, Rows['rows'][number][]>();
  for (const { step, rows } of parts) byStep.set(step, [...(byStep.get(step) ?? []), ...rows]);
  return byStep;
}

function seriesOf({ samples }: EvidenceIncident, start: Instant, source: string): Series[] {
  const columns = columnsOf(samples.columns);
  return [...rowsByStep(samples.parts)].flatMap(([stepSeconds, rows]) =>
    columns.flatMap(({ measure, index, valueOf }): Series[] => {
      const points = rows.flatMap((row) => {
        const [time, cell] = [row[0], row[index]];
        const value = typeof cell === 'number' ? valueOf(cell) : undefined;
        return typeof time === 'number' && value !== undefined ? [{ at: start + time, value }] : [];
      });
      return points.length === 0 ? [] : [{ measure, stepSeconds, points, source }];
    }),
  );
}

/** Seconds that nobody recorded: the machine stood still, or the exporter did. */
function gapsOf({ samples }: EvidenceIncident, start: Instant, source: string): Gap[] {
  const rows = samples.parts.flatMap(({ step, rows }) =>
    rows.map((row) => ({ step, end: row[0] ?? 0 })),
  );
  return rows.flatMap(({ step, end }, index) => {
    const from = rows[index - 1]?.end;
    return from !== undefined && end - from > 2 * step + 1
      ? [{ from: start + from, to: start + end - step, source }]
      : [];
  });
}

const headline = /blocked (in I\/O wait )?for more than \d+ seconds/;

/** As it was printed first, and each time after; by an older recorder that did not keep them, the last. */
function printings({ time, last, count, seconds, lines, again }: KernelExcerpt) {
  const later = count <= 1 || last <= time ? [] : (again ?? [{ time: last, seconds }]);
  const renewed = (blocked: number | undefined) =>
    blocked === undefined
      ? lines
      : lines.map((line) => line.replace(headline, `blocked $1for more than ${blocked} seconds`));
  return [
    { time, lines },
    ...later.map((one) => ({ time: one.time, lines: renewed(one.seconds) })),
  ];
}

/** As it knew of it by itself. */
function recordedOf(
  { onset, last, cause, tasks, redis, end, samples }: EvidenceIncident,
  start: Instant,
  place: { readonly boot: string; readonly source: string },
): Recorded {
  const newest = samples.parts.at(-1)?.rows.at(-1)?.[0] ?? onset.latest;
  return {
    ...place,
    onset: { earliest: start + onset.earliest, latest: start + onset.latest },
    asleep: tasks.map(({ comm, reason, since, last }) => ({
      comm,
      reason,
      since: start + since,
      last: start + last,
    })),
    redis: (redis?.states ?? []).map(({ time, state }) => ({ at: start + time, state })),
    cause: cause.name,
    last: start + (end?.earliest ?? last ?? newest),
  };
}

/** The recorder shows a trace once, and by its hash whose it is as well. */
function withTraces(kernel: readonly KernelExcerpt[]): KernelExcerpt[] {
  const traces = new Map<string, readonly string[]>();
  return kernel.map((excerpt) => {
    const frames = excerpt.lines.filter((line) => frameOf(line) !== undefined);
    const known = traces.get(excerpt.hash);
    if (frames.length === 0 && known !== undefined) {
      return Object.assign({}, excerpt, { lines: [...excerpt.lines, ...known] });
    }
    if (known === undefined && frames.length > 0) traces.set(excerpt.hash, frames);
    return excerpt;
  });
}

function kernelFactsOf(answer: EvidenceAnswer, boot: string, source: string) {
  const facts = createKernelFacts();
  const all = answer.incidents
    .flatMap(({ kernel }) => withTraces(kernel).flatMap(printings))
    .toSorted((one, other) => one.time - other.time);
  for (const { time, lines } of all) {
    for (const text of lines) {
      const microseconds = Math.round(time * 1e6);
      facts.feed({ facility: 0, sequence: 0, microseconds, caller: undefined, text }, undefined);
    }
  }
  const dateOf = (microseconds: number) => answer.boot.start + microseconds / 1e6;
  return facts.end({ boot, source, dateOf });
}

/** The clock of the wall, of a machine that asked others for the time. */
const clockErrorSeconds = 1;
/** What answered a moment ago may well be running. */
const freshSeconds = 60;

export interface EvidenceOrigin {
  readonly source: string;
  /** Of the boot that runs here. */
  readonly runningBoot: string;
  readonly now: Instant;
}

function bootOf(
  { boot, now: answered, machine }: EvidenceAnswer,
  id: string,
  origin: EvidenceOrigin,
): Boot {
  const { source, runningBoot, now } = origin;
  const start = {
    earliest: boot.start - clockErrorSeconds,
    latest: boot.start + clockErrorSeconds,
  };
  const ended = id !== runningBoot && now - answered.wall > freshSeconds;
  return {
    id,
    start,
    ...(machine.kernelRelease === undefined ? {} : { kernelRelease: machine.kernelRelease }),
    ...(ended ? { end: { at: answered.wall, how: 'unknown' as const } } : {}),
    endSaid: ended ? ['the flight recorder was last heard of then'] : [],
    source,
  };
}

/** journald writes the id without dashes. */
const bootIdOf = (id: string): string => id.replaceAll('-', '');

export function evidenceFacts(answer: EvidenceAnswer, origin: EvidenceOrigin): Gathered {
  const { source } = origin;
  const { incidents, boot, machine } = answer;
  const id = bootIdOf(boot.id);
  const { hostname, kernelRelease, vendor, product } = machine;
  const said = Object.entries({ hostname, kernelRelease, vendor, product });
  return {
    ...kernelFactsOf(answer, id, source),
    boots: [bootOf(answer, id, origin)],
    series: incidents.flatMap((incident) => seriesOf(incident, boot.start, source)),
    recorded: incidents.map((one) => recordedOf(one, boot.start, { boot: id, source })),
    gaps: incidents.flatMap((incident) => gapsOf(incident, boot.start, source)),
    machine: Object.fromEntries(said.filter(([, value]) => value !== undefined)),
  };
}
