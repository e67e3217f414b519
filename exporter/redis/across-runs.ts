/**
 * Counters of a Redis over all its processes. Another process may have a history of its own: an old
 * replica after a failover, the next one behind a load balancer. What it counted before it was first
 * asked is no increase, so counting goes on from the last value by what comes on top. A process that
 * started since the last answer has no such history: all it counted happened meanwhile.
 */
import { type Family, type Labels, type Metric } from '../core/collector.ts';

/** When something was last said, and by which process: how many there were before it. */
interface Said {
  process: number;
  atSeconds: number;
}

interface Counted extends Said {
  raw: number;
  value: number;
}

export interface Answer {
  readonly run: string | undefined;
  readonly uptimeSeconds: number | undefined;
  /** Of any clock that goes on evenly. */
  readonly atSeconds: number;
}

/** Two label sets of one metric have as many values. */
function keyOf(labels: Labels): string {
  const values = Object.values(labels);
  return values.length > 1 ? JSON.stringify(values) : (values[0] ?? '');
}

/** Answers looked back upon, and how often they come from another process where several take turns. */
const remembered = 10;
const turns = 3;

export interface AcrossRuns {
  /** The families of one answer as they are published. */
  published(families: readonly Family[], answer: Answer): Family[];
  /** Processes that were gone answer again, by turns. */
  alternates(): boolean;
}

/** `counts`: what only grows; the other metrics stay as they are. */
export function createAcrossRuns(counts: (metric: Metric) => boolean): AcrossRuns {
  const known = new Map<Metric, Map<string, Counted>>();
  /**
   * The last answer of what has no rows above: always one process, and no series ever went away, so
   * that what is published is what it says.
   */
  const plain = new Map<Metric, Said & { family: Family }>();
  let runs: string[] = [];
  let current = 0;

  function rowsOf(metric: Metric): Map<string, Counted> {
    const rows = new Map<string, Counted>();
    const before = plain.get(metric);
    plain.delete(metric);
    if (before === undefined) return rows;
    const { process, atSeconds } = before;
    for (const { labels, value } of before.family.samples) {
      const raw = Number(value);
      rows.set(keyOf(labels), { raw, value: raw, process, atSeconds });
    }
    return rows;
  }

  /** Notes it; false where it has to be counted row by row from now on. */
  function staysPlain(family: Family, atSeconds: number): boolean {
    const { metric, samples } = family;
    if (known.has(metric)) return false;
    const before = plain.get(metric);
    if (before === undefined) {
      plain.set(metric, { family, process: current, atSeconds });
      return true;
    }
    if (before.process !== current || samples.length < before.family.samples.length) return false;
    before.family = family;
    before.atSeconds = atSeconds;
    return true;
  }

  /** `base`: where the count of this process began, if it is another than the one before. */
  function countOn(row: Counted, raw: number, base: number | undefined): void {
    // Less than before is CONFIG RESETSTAT: a reset as Prometheus knows it.
    if (base === undefined && (raw < row.raw || row.value === row.raw)) row.value = raw;
    else row.value += raw - (base ?? row.raw);
    row.raw = raw;
  }

  function one(family: Family, { uptimeSeconds = Infinity, atSeconds }: Answer): Family {
    if (staysPlain(family, atSeconds)) return family;
    const { metric, samples } = family;
    const rows = known.get(metric) ?? rowsOf(metric);
    known.set(metric, rows);
    return {
      metric,
      samples: samples.map((sample) => {
        const { labels } = sample;
        const raw = Number(sample.value);
        const key = keyOf(labels);
        const row = rows.get(key);
        if (row === undefined) {
          rows.set(key, { raw, value: raw, process: current, atSeconds });
          return sample;
        }
        // Whoever started since the row was last there has counted all of it since.
        const since = uptimeSeconds < atSeconds - row.atSeconds ? 0 : raw;
        countOn(row, raw, row.process === current ? undefined : since);
        row.process = current;
        row.atSeconds = atSeconds;
        return row.value === raw ? sample : { labels, value: row.value };
      }),
    };
  }

  return {
    published(families, answer) {
      const { run } = answer;
      const last = runs.at(-1);
      if (last !== undefined && run !== undefined && run !== last) current += 1;
      if (run !== undefined) runs = [...runs, run].slice(-remembered);
      return families.map((family) => (counts(family.metric) ? one(family, answer) : family));
    },
    alternates() {
      const changes = runs.filter((run, i) => i > 0 && run !== runs[i - 1]).length;
      return changes >= turns && new Set(runs).size <= changes;
    },
  };
}
