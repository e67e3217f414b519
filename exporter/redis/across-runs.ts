/**
 * Counters of a Redis over all its processes. Another process may have a history of its own: an old
 * replica after a failover, the next one behind a load balancer. What it counted before it was first
 * asked is no increase, so counting goes on from the last value by what comes on top. A process that
 * started since the last answer has no such history: all it counted happened meanwhile.
 */
import { type Family, type Labels, type Metric } from '../core/collector.ts';

interface Counted {
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
  const plain = new Map<Metric, Family>();
  let runs: string[] = [];
  let lastAt = Number.NaN;

  function countOn(row: Counted, raw: number, base: number | undefined): void {
    // Less than before is CONFIG RESETSTAT: a reset as Prometheus knows it.
    if (base === undefined && (raw < row.raw || row.value === row.raw)) row.value = raw;
    else row.value += raw - (base ?? row.raw);
    row.raw = raw;
  }

  function rowsOf(metric: Metric): Map<string, Counted> {
    const rows = new Map<string, Counted>();
    for (const { labels, value } of plain.get(metric)?.samples ?? []) {
      rows.set(keyOf(labels), { raw: Number(value), value: Number(value) });
    }
    return rows;
  }

  function one(family: Family, isOther: boolean, isNew: boolean): Family {
    const { metric, samples } = family;
    const fewer = samples.length < (plain.get(metric)?.samples.length ?? 0);
    if (!isOther && !fewer && !known.has(metric)) {
      plain.set(metric, family);
      return family;
    }
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
          rows.set(key, { raw, value: raw });
          return sample;
        }
        countOn(row, raw, isOther ? (isNew ? 0 : raw) : undefined);
        return row.value === raw ? sample : { labels, value: row.value };
      }),
    };
  }

  return {
    published(families, { run, uptimeSeconds, atSeconds }) {
      const last = runs.at(-1);
      const isOther = last !== undefined && run !== undefined && run !== last;
      const isNew = (uptimeSeconds ?? Infinity) < atSeconds - lastAt;
      lastAt = atSeconds;
      if (run !== undefined) runs = [...runs, run].slice(-remembered);
      return families.map((family) =>
        counts(family.metric) ? one(family, isOther, isNew) : family,
      );
    },
    alternates() {
      const changes = runs.filter((run, i) => i > 0 && run !== runs[i - 1]).length;
      return changes >= turns && new Set(runs).size <= changes;
    },
  };
}
