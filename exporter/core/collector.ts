/**
 * The Collector contract: what a source of numbers looks like to the rest of the exporter.
 *
 * A collector is made by a factory function, declares every metric it may publish, reads its
 * source when asked, and tells from memory what it knows. It never logs, never renders, never
 * invents a value. Everything it returns is plain data; `metrics.ts` turns it into text.
 */

import type { HistogramValue } from '../measure/histogram.ts';
import type { History } from '../measure/history.ts';
import type { Prepared } from './prepared.ts';
import type { Evidence } from './evidence.ts';
import type { Second } from './second.ts';
import type { Rescue } from './rescue-record.ts';

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric as it is declared, once, as a constant beside the read that fills it. */
export interface Metric {
  /** Whole literal name, base unit last, `_total` on counters. */
  readonly name: string;
  readonly type: MetricType;
  /** One short sentence that ends with where the number comes from. On the wire at each scrape. */
  readonly help: string;
  /** The same at length, for docs/metrics.md, where `help` leaves something to be said. */
  readonly note?: string;
  /** Label names, in the order they are printed. Every sample carries exactly these. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without +Inf; empty for other types. */
  readonly buckets: readonly number[];
  /**
   * A gauge that only grows, by the name it has elsewhere. `increase()` is taken of it, which a NaN
   * among its samples makes NaN.
   */
  readonly grows?: true;
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number | HistogramValue;
}

/**
 * One metric and its samples at this moment. A metric this machine cannot give is left out of
 * the result; a value that was there and cannot be read now is NaN, so no series comes or goes
 * with the weather.
 */
export interface Family {
  readonly metric: Metric;
  readonly samples: readonly Sample[];
  /** More samples than are worth holding, as lines that were rendered in the background. */
  readonly prepared?: Prepared;
}

/** Whether this machine lets us see a signal, and if not, why and what would grant it. */
export interface Signal {
  /** Value of the `signal` label of `stealwatch_signal_supported`. */
  readonly name: string;
  readonly supported: boolean;
  /** A sentence for people. When unsupported: what is missing and how to grant it. */
  readonly reason: string;
}

/** The age of a background clock: how long ago it last did its work. */
export interface Sampler {
  /** Value of the `sampler` label of `stealwatch_sampler_age_seconds`. */
  readonly name: string;
  readonly ageSeconds: number;
  /** What its last attempt failed on, where it knows. */
  readonly problem?: string;
}

/** One line of `/status`. */
export interface Check {
  readonly name: string;
  /** A failing critical check turns `/status` into 503. */
  readonly critical: boolean;
  readonly ok: boolean;
  /** Nobody has looked yet, as in the first second: it fails, and means nothing. */
  readonly pending?: true;
  /** One word, from a bounded set: `up`, `frozen`, `stale`. */
  readonly state: string;
  /** Where the state has several causes, which: the word of whoever refuses, from a bounded set: `MISCONF`. */
  readonly code?: string;
  /** A sentence. Carries no secret, no password, no URL with user info. */
  readonly reason: string;
  /** How long the check has been in this state, in seconds. */
  readonly sinceSeconds: number;
  /** How old the knowledge is that this check rests on, in seconds. */
  readonly ageSeconds: number;
}

/** Worst first: `bad` needs a person, `warning` explains or foretells, `good` is quiet. */
const severities = ['bad', 'warning', 'good'] as const;
export type Severity = (typeof severities)[number];

/** What a collector sees right now, in words a tired person understands. */
export interface Finding {
  readonly severity: Severity;
  readonly text: string;
  /** It is over, and told for a while as what was before. */
  readonly past?: true;
  /** It is over, and so fresh that it counts all the same: behind what goes on. */
  readonly ended?: true;
}

export const bySeverity = (a: Pick<Finding, 'severity'>, b: Pick<Finding, 'severity'>): number =>
  severities.indexOf(a.severity) - severities.indexOf(b.severity);

/** The grave before the small, and what goes on before what has ended. */
export const byWeight = (a: Finding, b: Finding): number =>
  bySeverity(a, b) || Number(a.ended === true) - Number(b.ended === true);

/** The last minutes of one number, for the page at `/`. */
export interface Chart {
  readonly title: string;
  readonly unit: 'ratio' | 'seconds' | 'per_second' | 'count';
  /** Drawn only for the page at `/`; a scrape leaves it alone. */
  readonly history: History;
}

/** A thread that sleeps in D state now. */
export interface BlockedThread {
  readonly tid: number;
  /** As the label `process` says it. */
  readonly process: string;
  /** The kernel function it sleeps in; empty where the kernel does not say. */
  readonly waitChannel: string;
  /** Word of tasks/reasons.ts. */
  readonly reason: string;
  /** How long, at least. */
  readonly seconds: number;
}

/** Its process is stopped, by SIGSTOP or a debugger. */
export interface Stopped {
  /** How long, at least. */
  readonly seconds: number;
  readonly text: string;
  /** SIGCONT ends the one; of the other a debugger has to let go. */
  readonly by: 'signal' | 'debugger';
  readonly pid: number;
  /** Whose pid it is: of the machine itself, seen there or from a container, or of what is seen of it. */
  readonly seenFrom: 'machine' | 'container' | 'part';
}

/** All that a collector can say without touching its source. */
export interface Report {
  readonly signals?: readonly Signal[];
  readonly samplers?: readonly Sampler[];
  readonly checks?: readonly Check[];
  readonly findings?: readonly Finding[];
  readonly charts?: readonly Chart[];
  /** What this collector knows that bears on who is to blame (verdict.ts). */
  readonly evidence?: Evidence;
  /** The threads in D state that have slept for the longest, idle kernel threads left out. */
  readonly blockedThreads?: (most: number) => readonly BlockedThread[];
  /** What `stealwatch rescue` has done, oldest first. */
  readonly rescues?: readonly Rescue[];
  /** Why Redis does not answer, where that is this machine's own doing. */
  readonly stopped?: Stopped;
  /** What it knows of the last second: for the flight recorder, which reads nothing itself. */
  readonly second?: Second;
}

export interface Collector {
  /** Value of the `collector` label; also the file's name and the word in `--without`. */
  readonly name: string;
  /** Every metric that `collect` may return. */
  readonly metrics: readonly Metric[];
  /**
   * What `collect` reads, and so what is worth saying about it. `memory`: what a background clock
   * gathered, whose age is in `stealwatch_sampler_age_seconds`. `kernel`, the default: files that
   * answer now or fail. `network`: a server that may be slow or silent for hours, so how long it
   * took and since when.
   */
  readonly source?: 'memory' | 'kernel' | 'network';
  /**
   * Read the source once. Reject on failure, with an `incomplete` error when something is still
   * true; stop when `signal` aborts.
   */
  collect(signal: AbortSignal): Promise<readonly Family[]>;
  /** Answer from memory, at once, whatever is frozen. */
  report?(): Report;
  /** Release what the factory acquired: timers, sockets, fds, workers. Idempotent. */
  close?(): Promise<void>;
}

/**
 * A failure that still publishes: counters at their last value, gauges as NaN, so that the
 * collector counts as failed and no series goes away.
 */
export interface Incomplete extends Error {
  readonly families: readonly Family[];
}

export function incomplete(message: string, families: readonly Family[]): Incomplete {
  return Object.assign(new Error(message), { families });
}

export function isIncomplete(error: Error): error is Incomplete {
  return 'families' in error;
}

/** What was true of it stays true when its source cannot be asked any more. */
export const onlyGrows = ({ type, grows }: Metric): boolean => type !== 'gauge' || grows === true;

/**
 * What may be said of a source that does not answer: what only grows at its last value, other gauges
 * as NaN; what it was called is what it is called.
 */
export function unanswered({ metric, samples }: Family): Family {
  if (onlyGrows(metric) || metric.name.endsWith('_info')) return { metric, samples };
  return { metric, samples: samples.map(({ labels }) => ({ labels, value: Number.NaN })) };
}

type MetricText = Pick<Metric, 'name' | 'help' | 'note' | 'grows'> & {
  readonly labels?: readonly string[];
};

export function counter({ labels = [], ...text }: MetricText): Metric {
  return { ...text, type: 'counter', labels, buckets: [] };
}

export function gauge({ labels = [], ...text }: MetricText): Metric {
  return { ...text, type: 'gauge', labels, buckets: [] };
}

export function histogram({
  labels = [],
  buckets,
  ...text
}: MetricText & { readonly buckets: readonly number[] }): Metric {
  return { ...text, type: 'histogram', labels, buckets };
}

const noLabels: Labels = {};

/** A family of one sample without labels. */
export function single(metric: Metric, value: number | HistogramValue): Family {
  return { metric, samples: [{ labels: noLabels, value }] };
}

/**
 * Label objects by metric and label value, made once: what is the same object at each scrape is
 * formatted only at the first. Bounded, for label values that come from outside.
 */
const labelObjects = new WeakMap<Metric, Map<string, Labels>>();
const mostLabelObjects = 1024;

function labelsOf(metric: Metric, label: string, value: string): Labels {
  let known = labelObjects.get(metric);
  if (known === undefined || known.size > mostLabelObjects) {
    known = new Map();
    labelObjects.set(metric, known);
  }
  let labels = known.get(value);
  if (labels === undefined) {
    labels = { [label]: value };
    known.set(value, labels);
  }
  return labels;
}

const isMap = (
  values: Readonly<Record<string, number>> | ReadonlyMap<string, number>,
): values is ReadonlyMap<string, number> => values instanceof Map;

/**
 * A family with one sample per entry, for metrics with exactly one label. Names that come from
 * outside come in a Map: in a record `__proto__` is nobody's name.
 */
export function byLabel(
  metric: Metric,
  values: Readonly<Record<string, number>> | ReadonlyMap<string, number>,
): Family {
  const [label] = metric.labels;
  if (label === undefined || metric.labels.length !== 1) {
    throw new Error(`${metric.name} has ${metric.labels.length} labels, expected exactly one`);
  }
  // Runs for every series at every scrape: entries would be an array each.
  const samples: Sample[] = [];
  const add = (value: number, key: string) =>
    void samples.push({ labels: labelsOf(metric, label, key), value });
  if (isMap(values)) values.forEach(add);
  else for (const key of Object.keys(values)) add(values[key] ?? Number.NaN, key);
  return { metric, samples };
}

/** A one-hot family: 1 for the state that holds, 0 for the others. */
export function oneHot(metric: Metric, states: readonly string[], current: string): Family {
  if (!states.includes(current)) {
    throw new Error(`${metric.name}: state ${current} is none of ${states.join(' ')}`);
  }
  return byLabel(
    metric,
    Object.fromEntries(states.map((state) => [state, state === current ? 1 : 0])),
  );
}
