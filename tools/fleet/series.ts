/** One recorded /metrics, made into a fleet: every host gets every series, counters that count. */
import { readFileSync } from 'node:fs';

export interface Series {
  readonly name: string;
  /** Without braces; '' for none. */
  readonly labels: string;
  readonly value: number;
  readonly type: string;
}

/** Reads the text format as this exporter writes it: one family after another, # TYPE first. */
export function readSeries(path: string): Series[] {
  const types = new Map<string, string>();
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const type = /^# TYPE (\S+) (\S+)$/.exec(line);
      if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
      // The golden file leaves out values that differ from run to run.
      const [, name, labels = '', text = '0'] =
        /^([a-z]\w*)(?:\{(.*)\})?(?: (\S+))?$/i.exec(line) ?? [];
      if (name === undefined) return [];
      const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
      return [{ name, labels, value: Number(text), type: types.get(family) ?? 'gauge' }];
    });
}

/** A tenth of the fleet is in trouble: its Redis is silent and its seconds are stolen. */
export function valueOf(series: Series, host: number, atSeconds: number): number {
  const { name, labels, type, value } = series;
  const troubled = host % 10 === 0;
  if (name === 'redis_unresponsive_seconds') return troubled ? 60 : 0;
  if (name === 'redis_up') return troubled ? 0 : 1;
  if (name === 'redis_state') {
    return labels.includes(troubled ? 'state="frozen"' : 'state="up"') ? 1 : 0;
  }
  if (name === 'stealwatch_seconds_total') {
    return labels.includes(troubled ? 'verdict="steal"' : 'verdict="good"') ? atSeconds : 0;
  }
  if (name === 'redis_probes_total') {
    return labels.includes(troubled ? 'result="timeout"' : 'result="ok"') ? atSeconds : 0;
  }
  if (type !== 'counter' && type !== 'histogram') return Number.isNaN(value) ? 0 : value;
  // Histograms count one observation a second in every bucket from the middle on.
  return Math.floor(atSeconds * (0.5 + ((host * 7919) % 100) / 200));
}

/** host, provider, plan, price: what targets/*.yml would say. */
export function hostLabels(host: number): string {
  const provider = ['contoso', 'fabrikam', 'northwind'][host % 3] ?? '';
  return `host="vps${host}",instance="vps${host}:10190",job="stealwatch",provider="${provider}",plan="small",price="7.55"`;
}
