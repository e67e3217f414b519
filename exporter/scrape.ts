/**
 * One scrape: every collector behind `isolate`, all at once, then the exporter's own families.
 * Scrapes that come while one runs share its result.
 */
import type { Clock } from './clock.ts';
import { byLabel, type Collector, type Family, gauge } from './collector.ts';
import { isolate, type IsolatedCollector, type Outcome } from './isolate.ts';

const success = gauge({
  name: 'stealwatch_collector_success',
  help: '1 when the collector read its source in this scrape, 0 when it failed or ran out of time.',
  labels: ['collector'],
});
const duration = gauge({
  name: 'stealwatch_collector_duration_seconds',
  help: 'How long the collector took in this scrape, by the monotonic clock.',
  labels: ['collector'],
});
const lastSuccess = gauge({
  name: 'stealwatch_collector_last_success_timestamp_seconds',
  help: 'Unix time at which the collector last read its source, 0 before the first time.',
  labels: ['collector'],
});
const signalSupported = gauge({
  name: 'stealwatch_signal_supported',
  help: '1 when this machine lets the exporter see the signal; the page at / says why not.',
  labels: ['signal'],
});
const samplerAge = gauge({
  name: 'stealwatch_sampler_age_seconds',
  help: 'Time since the last tick of a background clock, by the monotonic clock.',
  labels: ['sampler'],
});

/** What a scrape says of itself. */
export const scrapeMetrics = [success, duration, lastSuccess, signalSupported, samplerAge];

export interface ScrapeEvents {
  /** The collector's state changed: worked before and failed now, or the other way round. */
  collectorChanged(name: string, error: Error | undefined): void;
}

export interface Scraper {
  /** Never rejects; done by `deadlineSeconds`. */
  scrape(deadlineSeconds: number): Promise<readonly Family[]>;
}

function ownFamilies(
  isolated: readonly IsolatedCollector[],
  outcomes: readonly Outcome[],
): Family[] {
  const names = isolated.map(({ collector }) => collector.name);
  const table = (value: (i: number) => number) =>
    Object.fromEntries(names.map((name, i) => [name, value(i)]));
  const reports = isolated.map(({ collector }) => collector.report?.() ?? {});
  return [
    byLabel(
      success,
      table((i) => (outcomes[i]?.success === true ? 1 : 0)),
    ),
    byLabel(
      duration,
      table((i) => outcomes[i]?.durationSeconds ?? 0),
    ),
    byLabel(
      lastSuccess,
      table((i) => isolated[i]?.lastSuccess() ?? 0),
    ),
    byLabel(
      signalSupported,
      Object.fromEntries(
        reports.flatMap(({ signals = [] }) =>
          signals.map(({ name, supported }) => [name, supported ? 1 : 0]),
        ),
      ),
    ),
    byLabel(
      samplerAge,
      Object.fromEntries(
        reports.flatMap(({ samplers = [] }) =>
          samplers.map(({ name, ageSeconds }) => [name, ageSeconds]),
        ),
      ),
    ),
  ];
}

export function createScraper(
  collectors: readonly Collector[],
  clock: Clock,
  events: ScrapeEvents,
): Scraper {
  const isolated = collectors.map((collector) => isolate(collector, clock));
  const working = new Map<string, boolean>();
  let running: Promise<readonly Family[]> | undefined;

  function note(name: string, outcome: Outcome): void {
    if (working.get(name) !== outcome.success && (working.has(name) || !outcome.success)) {
      events.collectorChanged(name, outcome.error);
    }
    working.set(name, outcome.success);
  }

  async function scrape(deadlineSeconds: number): Promise<readonly Family[]> {
    const outcomes = await Promise.all(isolated.map((one) => one.run(deadlineSeconds)));
    outcomes.forEach((outcome, i) => note(isolated[i]?.collector.name ?? '', outcome));
    return [...outcomes.flatMap(({ families }) => families), ...ownFamilies(isolated, outcomes)];
  }

  return {
    scrape(deadlineSeconds) {
      running ??= scrape(deadlineSeconds).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
