/**
 * Series that stay: what a collector published once does not go away because its source cannot be
 * read, or a part of it cannot. A counter keeps its last value, a gauge is NaN, and the collector
 * counts as failed.
 */
import {
  type Collector,
  type Family,
  incomplete,
  isIncomplete,
  type Labels,
  onlyGrows,
  type Sample,
} from './collector.ts';

const keyOf = (labels: Labels) => Object.values(labels).join('\0');

/** Nothing is known of it now: a counter's last value is still true, a gauge's is not. */
function faded({ metric, samples }: Family, missing: readonly Sample[] = samples): Sample[] {
  return onlyGrows(metric) ? [...missing] : missing.map(({ labels }) => ({ labels, value: NaN }));
}

/** A loop, because it runs for every collector at every scrape. */
function isShorter(now: readonly Family[], before: readonly Family[]): boolean {
  for (let i = 0; i < before.length; i += 1) {
    const one = now[i];
    const other = before[i];
    if (one === undefined || one.metric !== other?.metric) return true;
    if (one.samples.length < other.samples.length) return true;
  }
  return false;
}

interface Merged {
  readonly families: readonly Family[];
  /** Names of metrics of which a series would have gone away. */
  readonly lost: readonly string[];
}

/** `now`, and what is only in `before`. */
function merge(now: readonly Family[], before: readonly Family[]): Merged {
  const families = new Map(now.map((family) => [family.metric, family]));
  const lost: string[] = [];
  for (const family of before) {
    const { metric, samples } = family;
    const present = families.get(metric)?.samples ?? [];
    const keys = new Set(present.map(({ labels }) => keyOf(labels)));
    const missing = samples.filter(({ labels }) => !keys.has(keyOf(labels)));
    if (missing.length === 0) continue;
    lost.push(metric.name);
    families.set(metric, { metric, samples: [...present, ...faded(family, missing)] });
  }
  return { families: [...families.values()], lost };
}

/** For collectors whose series are there for good once they are there. */
export function keepingSeries<T extends Collector>(collector: T): T {
  let before: readonly Family[] = [];

  function kept(now: readonly Family[]): Merged {
    const merged = merge(now, before);
    before = merged.families;
    return merged;
  }

  return {
    ...collector,
    async collect(signal: AbortSignal) {
      let now: readonly Family[];
      try {
        now = await collector.collect(signal);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw incomplete(error.message, kept(isIncomplete(error) ? error.families : []).families);
      }
      // Almost always: the same series as before, in the same order.
      if (!isShorter(now, before)) {
        before = now;
        return now;
      }
      const { families, lost } = kept(now);
      if (lost.length === 0) return families;
      throw incomplete(`${lost.join(', ')} cannot be read any more`, families);
    },
  };
}
