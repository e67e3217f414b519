/**
 * Every alert against every state that its inputs can be in, as one promtool test file: each state
 * is a host of its own, so that all of them are played in one pass.
 */
import type { RuleTest } from '../testing/rule-files.ts';

/** A value, or what it is `t` seconds after the trouble began. */
export type Level = number | ((t: number) => number);

export interface Input {
  /** With the labels the rule asks for. */
  readonly series: string;
  readonly good: Level;
  readonly bad: Level;
  /** The last value that is still good. */
  readonly limit?: Level;
}

export interface Row {
  readonly alert: string;
  readonly file: string;
  readonly inputs: readonly Input[];
  /** Seconds from the onset to the first evaluation at which it fires. */
  readonly fires: number;
  /** How long the inputs are bad; without it, for good. */
  readonly lasts?: number;
  /** Seconds from the onset to the first evaluation at which it no longer fires. Without it, it goes on. */
  readonly ends?: number;
  /** Of samples and evaluations. 2 s unless told. */
  readonly step?: number;
  readonly job?: string;
  /** Labels of the inputs that the rule does not ask for. */
  readonly free?: readonly string[];
  /** Other values of an input's label that count as much. */
  readonly also?: readonly Readonly<Record<string, string>>[];
  /** The states in which it is not as one would think: fires where silence is the rule, or the other way, and why. */
  readonly except?: Readonly<Partial<Record<string, readonly [fires: boolean, why: string]>>>;
}

type Sample = number | '_' | 'stale';
interface Check {
  readonly after: number;
  readonly fires: boolean;
}

interface State {
  readonly name: string;
  readonly job?: string;
  /** Labels that are changed in every input that has them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `t` is since the onset, negative before. */
  readonly sample: (input: Input, t: number, index: number) => Sample;
  readonly checks: readonly Check[];
}

/** Releases differ in whether a sample on the edge of a range is in it. */
const edge = 3;
/** Onset, the gap, and how long one looks, in steps. */
export const before = 45;
const gap = 90;
const after = 210;

const at = (level: Level, t: number) => (typeof level === 'number' ? level : level(t));

function isCounter({ series }: Input): boolean {
  return /_(total|fsync)(\{|$)/.test(series);
}

function labelsOf({ inputs, free = [] }: Row): string[] {
  const names = inputs.flatMap(({ series }) =>
    [...series.matchAll(/(\w+)="/g)].map(([, name = '']) => name),
  );
  return [...new Set(names)].filter((name) => !free.includes(name));
}

/** What the states of a row share: when to look, and what a bad input says when. */
interface Look {
  readonly row: Row;
  readonly step: number;
  /** The last moment at which it surely still fires. */
  readonly last: number;
  readonly bad: (input: Input, t: number) => Sample;
  /** The usual answer at these times, or the row's exception. */
  readonly expected: (name: string, usual: boolean, ...times: number[]) => Check[];
}

function lookAt(row: Row): Look {
  const { fires, lasts = Number.POSITIVE_INFINITY, ends, step = 2, except = {} } = row;
  return {
    row,
    step,
    last: ends === undefined ? fires + Math.ceil(30 / step) * step : ends - edge * step,
    bad: (input, t) => at(t < 0 || t >= lasts ? input.good : input.bad, t < lasts ? t : t - lasts),
    expected: (name, usual, ...times) =>
      times.map((time) => ({ after: time, fires: except[name]?.[0] ?? usual })),
  };
}

/** Over the threshold: from when to when it fires. */
function over({ row: { fires, ends }, step, last, bad }: Look): State {
  return {
    name: 'over',
    sample: bad,
    checks: [
      ...(fires > 0 ? [{ after: fires - step, fires: false }] : []),
      { after: fires, fires: true },
      { after: last, fires: true },
      ...(ends === undefined ? [] : [{ after: ends, fires: false }]),
    ],
  };
}

function limit({
  row: { inputs, fires, lasts = Number.POSITIVE_INFINITY },
  step,
  last,
  expected,
}: Look) {
  if (inputs.every((input) => input.limit === undefined)) return [];
  const sample: State['sample'] = (input, t) =>
    at(t < 0 || t >= lasts ? input.good : (input.limit ?? input.bad), t);
  return [{ name: 'limit', sample, checks: expected('limit', false, fires, fires + step, last) }];
}

/** Read, and nothing there; not read; not read once. */
function unread({ row: { fires }, step, last, bad, expected }: Look): State[] {
  return [
    { name: 'zero', sample: () => 0, checks: expected('zero', false, fires, last) },
    {
      name: 'nan',
      sample: (input, t) => (t < 0 ? at(input.good, t) : Number.NaN),
      checks: expected('nan', false, fires, last),
    },
    {
      name: 'one nan',
      sample: (input, t) => (t === fires + step ? Number.NaN : bad(input, t)),
      checks: expected('one nan', true, fires + step),
    },
  ];
}

/** No scrape, for three minutes or for longer than any range of a page; an exporter that began anew. */
function away({ row: { fires }, step, last, bad, expected }: Look): State[] {
  const length = gap * step;
  const end = fires + step;
  return [
    {
      name: 'gone',
      sample: (input, t) => (t > fires ? (t === end ? 'stale' : '_') : bad(input, t)),
      checks: expected('gone', false, end + Math.max(180, 2 * step)),
    },
    {
      name: 'back and bad',
      sample: (input, t) => (t >= 0 && t < length ? '_' : bad(input, t < 0 ? t : t - length)),
      checks: expected('back and bad', true, length + fires + 2 * step),
    },
    {
      name: 'back and well',
      sample: (input, t) => (t >= 0 && t < length ? '_' : at(input.good, t)),
      checks: expected('back and well', false, length, length + fires),
    },
    {
      name: 'new',
      sample: (input, t) => (t < -step ? '_' : bad(input, t)),
      checks: expected('new', true, last),
    },
    {
      name: 'restarted',
      sample: (input, t) => (t >= 0 && isCounter(input) ? 0 : at(input.good, t)),
      checks: expected('restarted', false, 0, fires, last),
    },
  ];
}

/** Bad, and of something else: every label that the rule asks for, changed. */
function others({ row, last, bad, expected }: Look): State[] {
  const { fires, also = [] } = row;
  return [
    {
      name: 'another job',
      job: 'another',
      sample: bad,
      checks: expected('another job', false, fires, last),
    },
    ...labelsOf(row).map((label) => ({
      name: `another ${label}`,
      labels: { [label]: 'another' },
      sample: bad,
      checks: expected(`another ${label}`, false, fires, last),
    })),
    ...also.map((labels) => ({
      name: `also ${Object.values(labels).join(' ')}`,
      labels,
      sample: bad,
      checks: [{ after: fires, fires: true }],
    })),
  ];
}

/** Bad, and one of the inputs is not there. */
function without({ row: { inputs, fires }, last, bad, expected }: Look): State[] {
  if (inputs.length === 1) return [];
  return inputs.map(({ series }, missing) => {
    const name = `without ${series.replace(/\{.*/, '')} ${missing}`;
    return {
      name,
      sample: (input, t, index) => (index === missing ? '_' : bad(input, t)),
      checks: expected(name, false, fires, last),
    };
  });
}

const scraped = (t: number) => t % 16 === 0;
const lost = (t: number) => t === 64 || t === 80;

/** Some 15 s from scrape to scrape, which is more than some ranges. */
function seldom({ row: { fires }, step, expected }: Look): State[] {
  if (step !== 2) return [];
  return [
    {
      name: 'every 16 s and well, two lost',
      sample: (input, t) => (scraped(t) && !lost(t) ? at(input.good, Math.min(t, 0)) : '_'),
      checks: expected('every 16 s and well, two lost', false, 80, 96, 112),
    },
    {
      name: 'every 16 s and bad',
      sample: (input, t) => (scraped(t) ? at(t < 0 ? input.good : input.bad, t) : '_'),
      checks: expected('every 16 s and bad', true, Math.ceil(fires / 16) * 16 + 32),
    },
  ];
}

function statesOf(row: Row): State[] {
  const look = lookAt(row);
  const states = [limit, unread, away, others, without, seldom];
  return [over(look), ...states.flatMap((some) => some(look))];
}

/** So that an exception is never for a state that there is none of. */
export const stateNames = (row: Row): string[] => statesOf(row).map(({ name }) => name);

/** `5x3` is four samples of 5. */
function packed(samples: readonly Sample[]): string {
  const runs: { sample: Sample; count: number }[] = [];
  for (const sample of samples) {
    const run = runs.at(-1);
    if (run !== undefined && Object.is(run.sample, sample)) run.count += 1;
    else runs.push({ sample, count: 1 });
  }
  return runs
    .map(({ sample, count }) => {
      if (sample === '_') return `_x${count}`;
      return count === 1 || sample === 'stale' ? String(sample) : `${sample}x${count - 1}`;
    })
    .join(' ');
}

/** Other labels of a host, so that two states are never one series. */
function seriesFor(row: Row, state: State, host: string): RuleTest['input_series'] {
  const step = row.step ?? 2;
  return row.inputs.map((input, index) => {
    const times = Array.from({ length: before + gap + after }, (_, i) => (i - before) * step);
    const [metric = '', inner = ''] = input.series.replace('}', '').split('{');
    let labels = inner;
    for (const [name, value] of Object.entries(state.labels ?? {})) {
      labels = labels.replace(new RegExp(`\\b${name}="[^"]*"`), `${name}="${value}"`);
    }
    const job = state.job ?? row.job ?? 'stealwatch';
    const all = [`job="${job}"`, `host="${host}"`, `instance="i"`, ...(labels ? [labels] : [])];
    return {
      series: `${metric}{${all.join(',')}}`,
      values: packed(times.map((t) => state.sample(input, t, index))),
    };
  });
}

/** One test for all rows of one step: who fires at each moment that somebody asks about. */
export function playOf(rows: readonly Row[], shared: RuleTest['input_series'] = []): RuleTest {
  const step = rows[0]?.step ?? 2;
  const input_series = [...shared];
  const asked = new Map<string, { expr: string; time: number; fires: string[]; other: string[] }>();
  for (const [number, row] of rows.entries()) {
    for (const state of statesOf(row)) {
      const host = `${row.alert} ${number} ${state.name}`;
      input_series.push(...seriesFor(row, state, host));
      for (const { after: t, fires } of state.checks) {
        const time = before * step + t;
        const key = `${row.alert} ${time}`;
        const one = asked.get(key) ?? { expr: row.alert, time, fires: [], other: [] };
        asked.set(key, one);
        (fires ? one.fires : one.other).push(host);
      }
    }
  }
  return {
    name: `every ${step} s`,
    interval: `${step}s`,
    input_series,
    promql_expr_test: [...asked.values()].map(({ expr, time, fires, other }) => ({
      expr: `count by (host) (ALERTS{alertname="${expr}",alertstate="firing",host=~"${[...new Set([...fires, ...other])].join('|')}"}) > bool 0`,
      eval_time: `${time}s`,
      exp_samples: [...new Set(fires)].map((host) => ({ labels: `{host="${host}"}`, value: 1 })),
    })),
  };
}
