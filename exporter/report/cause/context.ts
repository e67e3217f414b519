/** What a rule looks at: the facts, the incident, and the windows that are compared. */
import type { Facts, Instant, Measure, Source, SourceKind } from '../facts/facts.ts';
import type { Finding, FindingData, FindingId, Certainty, Findings } from './findings.ts';
import type { Incident } from './incident.ts';
import { comparable, measured, type Measured, type Stats, type Window } from './window.ts';

export interface Context {
  readonly facts: Facts;
  readonly incident: Incident;
  readonly figures: Measured;
  readonly during: Window;
  /** The day before. */
  readonly before: Window;
  /** Of the day before, where enough of it was measured. */
  readonly usual: {
    whole(measure: Measure): Stats | undefined;
    each(measure: Measure): readonly Stats[];
  };
  readonly now: Instant;
}

/** Gives part of the findings; each rule knows its own. */
export type Rule = (context: Context) => Findings;

const daySeconds = 24 * 3600;
/** What is known by one moment alone is judged by the ten minutes before it. */
const momentSeconds = 600;

export function contextOf(facts: Facts, incident: Incident, now: Instant): Context {
  const { onset, end } = incident;
  const moment = end.at - onset.latest < 1;
  const from = moment ? end.at - momentSeconds : onset.latest;
  const figures = measured(facts.series, facts.gaps);
  const before = { from: onset.earliest - daySeconds, to: Math.min(onset.earliest, from) };
  return {
    facts,
    incident,
    figures,
    during: { from, to: Math.max(end.at, from + 1) },
    before,
    usual: {
      whole: (measure) => comparable(figures.whole(measure, before)),
      each: (measure) => figures.each(measure, before).flatMap((one) => comparable(one) ?? []),
    },
    now,
  };
}

/** One finding by its id, typed by it. */
export function found<const K extends FindingId>(
  id: K,
  certainty: Certainty,
  data: FindingData[K],
  sources: readonly string[],
): Findings {
  const finding: Finding<K> = { certainty, data, sources: [...new Set(sources)] };
  return { [id]: finding };
}

export const nothing: Findings = {};

/** Leaves out what is undefined, as optional fields want it. */
export function given<T extends object>(values: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** Not what a recorder kept of it, which is an excerpt. */
const kernelKinds: ReadonlySet<SourceKind> = new Set(['journal', 'kernel_log']);

/** A log of the kernel that reaches over the whole window. */
export function kernelLogOver({ facts, during }: Context): Source | undefined {
  const kinds = new Map(facts.sources.map((source) => [source.id, source]));
  const boot = facts.boots.find(
    ({ start, end, source }) =>
      kernelKinds.has(kinds.get(source)?.kind ?? 'machine') &&
      (kinds.get(source)?.since ?? -Infinity) <= during.from &&
      start.latest <= during.from &&
      (end?.at ?? Infinity) >= during.to,
  );
  return boot === undefined ? undefined : kinds.get(boot.source);
}
