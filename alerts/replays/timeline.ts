/**
 * A timeline file as series: what each metric was worth from event to event. Files say values and
 * rates per second, so that a person can read them; promtool wants `start+stepxcount`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

interface Change {
  readonly set?: Readonly<Record<string, number>>;
  /** Growth per second. */
  readonly rate?: Readonly<Record<string, number>>;
  /** Prefixes of the gauges that cannot be read, and are NaN. Counters keep their last value. */
  readonly unread?: readonly string[];
  /** Prefixes of the series that vanish, with the exporter that published them. */
  readonly gone?: readonly string[];
  /** The exporter begins anew: everything as on a good day, counters at 0. */
  readonly restart?: boolean;
}

interface TimelineEvent extends Change {
  readonly at: string;
  readonly what: string;
}

interface TimelineFile {
  readonly title: string;
  /** When it hits: what pages and tickets are measured against. */
  readonly incident: string;
  readonly end: string;
  /** The parts in which every alert is evaluated, one after the other, and how often. */
  readonly closely: readonly {
    readonly from: string;
    readonly until: string;
    readonly step: string;
  }[];
  /** The SLOs are judged from here; the beginning if nothing is said. */
  readonly judged_from?: string;
  readonly repeat?: { readonly from: string; readonly until: string; readonly every: string };
  readonly events: readonly TimelineEvent[];
}

export interface Part {
  readonly from: number;
  readonly until: number;
  readonly step: number;
}

export interface Timeline {
  readonly title: string;
  readonly incident: number;
  readonly end: number;
  readonly closely: readonly Part[];
  readonly judgedFrom: number;
  /** In order, in seconds since the start. */
  readonly events: readonly { readonly at: number; readonly change: Change }[];
}

export interface Series {
  readonly series: string;
  readonly values: string;
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export function seconds(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)([smhd])/g)];
  if (parts.map(([part]) => part).join('') !== duration || parts.length === 0) {
    throw new Error(`expected a duration such as 1h30m, got ${JSON.stringify(duration)}`);
  }
  return parts.reduce((sum, [, count, unit = 's']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

function eventTimes({ events, repeat }: TimelineFile): { at: number; change: Change }[] {
  const once = events.map((event) => ({ at: seconds(event.at), change: event }));
  if (repeat === undefined) return once;
  const starts = [];
  const every = seconds(repeat.every);
  for (let at = seconds(repeat.from); at < seconds(repeat.until); at += every) starts.push(at);
  return starts.flatMap((start) => once.map(({ at, change }) => ({ at: start + at, change })));
}

const well: Change = parse(readFileSync(join(import.meta.dirname, 'well.yml'), 'utf8'));

export function readTimeline(path: string): Timeline {
  const file: TimelineFile = parse(readFileSync(path, 'utf8'));
  return {
    title: file.title,
    incident: seconds(file.incident),
    end: seconds(file.end),
    closely: file.closely.map(({ from, until, step }) => ({
      from: seconds(from),
      until: seconds(until),
      step: seconds(step),
    })),
    judgedFrom: seconds(file.judged_from ?? '0s'),
    events: [{ at: 0, change: well }, ...eventTimes(file).sort((a, b) => a.at - b.at)],
  };
}

interface State {
  /** Undefined while the series is absent. */
  value: number | undefined;
  rate: number;
}

function apply(states: Map<string, State>, change: Change): void {
  const { set = {}, rate = {}, unread = [], gone = [], restart = false } = change;
  if (restart) apply(states, well);
  for (const [name, state] of states) {
    if (gone.some((prefix) => name.startsWith(prefix))) Object.assign(state, absent);
    if (unread.some((prefix) => name.startsWith(prefix))) Object.assign(state, notRead);
  }
  for (const [name, value] of Object.entries(set)) states.set(name, { value, rate: 0 });
  for (const [name, perSecond] of Object.entries(rate)) {
    const before = restart ? undefined : states.get(name)?.value;
    states.set(name, { value: set[name] ?? before ?? 0, rate: perSecond });
  }
}

const absent: State = { value: undefined, rate: 0 };
const notRead: State = { value: Number.NaN, rate: 0 };
const number = (value: number) => String(Number(value.toPrecision(12)));

/** `count` samples from here, in promtool's notation. */
function segment({ value, rate }: State, count: number, step: number, first: boolean): string {
  if (value === undefined) {
    if (first) return `_x${count}`;
    return count === 1 ? 'stale' : `stale _x${count - 1}`;
  }
  if (Number.isNaN(value)) return `NaNx${count - 1}`;
  return `${number(value)}+${number(rate * step)}x${count - 1}`;
}

const target = 'job="stealwatch",host="vps1",instance="vps1:10190"';

function withTarget(name: string): string {
  return name.endsWith('}') ? `${name.slice(0, -1)},${target}}` : `${name}{${target}}`;
}

/** The part from `from` to `until` with a sample every `step`; events fall on the next sample. */
export function seriesOf({ events }: Timeline, { from, until, step }: Part): Series[] {
  const names = new Set(
    events.flatMap(({ change: { set = {}, rate = {} } }) => [
      ...Object.keys(set),
      ...Object.keys(rate),
    ]),
  );
  const states = new Map<string, State>([...names].map((name) => [name, { ...absent }]));
  const texts = new Map<string, string[]>([...names].map((name) => [name, []]));
  const onGrid = (at: number) => from + Math.ceil((at - from) / step) * step;
  events.forEach(({ at, change }, index) => {
    apply(states, change);
    const start = onGrid(at);
    const stop = Math.min(onGrid(events[index + 1]?.at ?? until + step), until + step);
    for (const [name, state] of states) {
      const firstSample = Math.max(start, from);
      const skipped = Math.min(firstSample, stop) - start;
      if (state.value !== undefined) state.value += state.rate * skipped;
      const count = Math.round((stop - firstSample) / step);
      if (count <= 0) continue;
      const text = texts.get(name) ?? [];
      text.push(segment(state, count, step, text.length === 0));
      if (state.value !== undefined) state.value += state.rate * (stop - firstSample);
    }
  });
  return [...texts].map(([name, text]) => ({ series: withTarget(name), values: text.join(' ') }));
}
