/**
 * One scrape: every collector behind `isolate`, all at once, then the exporter's own families.
 * Scrapes that come while one runs share its result, or what is there of it when they must leave.
 */
import type { Clock } from '../measure/clock.ts';
import { byLabel, type Collector, type Family, gauge, type Metric, single } from './collector.ts';
import { isolate } from './isolate.ts';
import { type Ask, type Collected, inRounds } from './round.ts';
import { reportsOf, verdictFrom } from './status.ts';
import { verdicts } from './verdict.ts';

const success = gauge({
  name: 'stealwatch_collector_success',
  help: '1 when the collector read its source in this scrape.',
  note: '1 when the collector read its source in this scrape, 0 when it failed or ran out of time.',
  labels: ['collector'],
});
const duration = gauge({
  name: 'stealwatch_collector_duration_seconds',
  help: 'How long the server that the collector asked took in this scrape.',
  note: 'How long the collector took in this scrape, by the monotonic clock. Only for those that ask a server: the others read from memory or from files that answer at once, and their freshness is stealwatch_sampler_age_seconds.',
  labels: ['collector'],
});
const lastSuccess = gauge({
  name: 'stealwatch_collector_last_success_timestamp_seconds',
  help: 'Unix time of the last success, 0 before the first.',
  note: 'Unix time at which the collector last read its source, 0 before the first time. For those that ask a server.',
  labels: ['collector'],
});
const signalSupported = gauge({
  name: 'stealwatch_signal_supported',
  help: '1 when this machine lets us see the signal; / says why not.',
  note: '1 when this machine lets the exporter see the signal; the page at / says why not.',
  labels: ['signal'],
});
const samplerAge = gauge({
  name: 'stealwatch_sampler_age_seconds',
  help: 'Time since the last tick of a background clock, by the monotonic clock.',
  labels: ['sampler'],
});

const verdict = gauge({
  name: 'stealwatch_verdict',
  help: 'Who is to blame now, as a number, from all signals together.',
  note: `Who is to blame now, from all signals together, as the sentence at / and in /status says: ${verdicts.map((name, code) => `${code} ${name}`).join(', ')}.`,
});

/** What a scrape says of itself and of all collectors together. */
export const scrapeMetrics = [success, duration, lastSuccess, signalSupported, samplerAge, verdict];

export interface ScrapeEvents {
  /** The collector's state changed: worked before and failed now, or the other way round. */
  collectorChanged(name: string, error: Error | undefined): void;
}

export interface Scraper {
  /** Never rejects; done by `deadlineSeconds`, and by what `ready` takes. */
  readonly scrape: Ask<readonly Family[]>;
}

/** To the microsecond: more digits are noise, on the wire at each scrape. */
const rounded = (seconds: number) => Math.round(seconds * 1e6) / 1e6;

function byCollector(
  metric: Metric,
  collected: readonly Collected[],
  value: (one: Collected) => number,
): Family {
  return byLabel(
    metric,
    Object.fromEntries(collected.map((one) => [one.isolated.collector.name, value(one)])),
  );
}

function ownFamilies(collected: readonly Collected[]): Family[] {
  const reports = reportsOf(collected.map(({ isolated }) => isolated.collector));
  const signals = reports.flatMap((report) => report.signals ?? []);
  const samplers = reports.flatMap((report) => report.samplers ?? []);
  const asking = collected.filter(({ isolated }) => isolated.collector.source === 'network');
  return [
    byCollector(success, collected, ({ outcome }) => (outcome.success ? 1 : 0)),
    byCollector(duration, asking, ({ outcome }) => rounded(outcome.durationSeconds)),
    byCollector(lastSuccess, asking, ({ isolated }) => isolated.lastSuccess()),
    byLabel(
      signalSupported,
      Object.fromEntries(signals.map(({ name, supported }) => [name, supported ? 1 : 0])),
    ),
    byLabel(
      samplerAge,
      Object.fromEntries(samplers.map(({ name, ageSeconds }) => [name, rounded(ageSeconds)])),
    ),
    single(verdict, verdicts.indexOf(verdictFrom(reports).name)),
  ];
}

export function createScraper(
  collectors: readonly Collector[],
  clock: Clock,
  events: ScrapeEvents,
): Scraper {
  const isolated = collectors.map((collector) => isolate(collector, clock));
  const working = new Map<string, boolean>();

  function note({ isolated: { collector }, outcome }: Collected): void {
    const { name } = collector;
    if (working.get(name) !== outcome.success && (working.has(name) || !outcome.success)) {
      events.collectorChanged(name, outcome.error);
    }
    working.set(name, outcome.success);
  }

  /** Who leaves early tells nothing of the collectors. */
  function combine(collected: readonly Collected[], complete: boolean): readonly Family[] {
    if (complete) collected.forEach(note);
    return [...collected.flatMap(({ outcome }) => outcome.families), ...ownFamilies(collected)];
  }

  return { scrape: inRounds(isolated, clock, combine) };
}
