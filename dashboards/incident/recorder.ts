/** Series by series, as OpenMetrics text with timestamps: what `promtool tsdb create-blocks-from` reads. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { boundText } from '../../exporter/exposition/bucket-bound.ts';

export type Labels = Readonly<Record<string, string>>;

/** By metric and label, every value. */
export type LabelValues = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

export interface Recorder {
  /** One sample of one series at the current time. */
  set(name: string, value: number, labels?: Labels): void;
  /** Add to a counter; it stays where it is when nothing is added. */
  add(name: string, amount: number, labels?: Labels): void;
  /** Add `count` observations of `value` to a histogram with these bounds. */
  observe(
    name: string,
    bounds: readonly number[],
    value: number,
    count: number,
    labels?: Labels,
  ): void;
  /** Everything set and counted so far is one sample at `seconds`; without `publish` it is lost. */
  tick(seconds: number, publish: boolean): void;
  /** What was set since the last tick is one sample at `seconds`, whatever the exporter did. */
  gauges(seconds: number): void;
  /** What was recorded, without the labels of the target. */
  series(): LabelValues;
  /** Append what was recorded since the last call. */
  write(file: string): void;
}

/** `target` are the labels that Prometheus adds to every series of a scrape. */
export function createRecorder(target: Labels): Recorder {
  const now = new Map<string, number>();
  const counters = new Map<string, number>();
  const samples = new Map<string, string[]>();
  const names = new Map<string, Map<string, Set<string>>>();

  const prefix = Object.entries(target)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',');

  function key(name: string, labels: Labels): string {
    const known = names.get(name) ?? new Map<string, Set<string>>();
    names.set(name, known);
    let inner = prefix;
    for (const label in labels) {
      const value = labels[label] ?? '';
      inner += `,${label}="${value}"`;
      const values = known.get(label);
      if (values === undefined) known.set(label, new Set([value]));
      else values.add(value);
    }
    return `${name}{${inner}}`;
  }

  function add(name: string, amount: number, labels: Labels = {}): void {
    const series = key(name, labels);
    counters.set(series, (counters.get(series) ?? 0) + amount);
  }

  function write(values: ReadonlyMap<string, number>, seconds: number): void {
    for (const [series, value] of values) {
      const list = samples.get(series) ?? [];
      samples.set(series, list);
      list.push(`${series} ${value} ${seconds}\n`);
    }
  }

  return {
    set(name, value, labels = {}) {
      now.set(key(name, labels), value);
    },
    add,
    observe(name, bounds, value, count, labels = {}) {
      for (const bound of [...bounds, Infinity]) {
        add(`${name}_bucket`, value <= bound ? count : 0, { ...labels, le: boundText(bound) });
      }
      add(`${name}_sum`, value * count, labels);
      add(`${name}_count`, count, labels);
    },
    tick(seconds, publish) {
      for (const values of publish ? [now, counters] : []) write(values, seconds);
      now.clear();
    },
    gauges(seconds) {
      write(now, seconds);
      now.clear();
    },
    series: () => names,
    write(file) {
      const fd = openSync(file, 'a');
      try {
        for (const lines of samples.values()) writeSync(fd, lines.join(''));
        samples.clear();
      } finally {
        closeSync(fd);
      }
    },
  };
}
