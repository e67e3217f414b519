/**
 * `/status`: what is true now, from memory alone, so it answers in milliseconds whatever is
 * frozen. 503 as soon as a critical check fails: a health check that says 200 while Redis is
 * frozen is how the outage stayed unseen.
 */
import type { Check, Collector, Finding } from './collector.ts';

export interface Status {
  readonly status: 'ok' | 'failing';
  readonly checks: readonly Check[];
  readonly findings: readonly Finding[];
}

/** A background clock that has not ticked for this long is dead, or the machine stood still. */
const staleSamplerSeconds = 15;

function samplerChecks(collector: Collector): Check[] {
  const samplers = collector.report?.().samplers ?? [];
  return samplers.map(({ name, ageSeconds }) => {
    const ok = ageSeconds <= staleSamplerSeconds;
    return {
      name: `sampler_${name}`,
      critical: true,
      ok,
      state: ok ? 'ticking' : 'stale',
      reason: ok
        ? `the ${name} clock ticks`
        : `the ${name} clock has not ticked for ${Math.round(ageSeconds)} s`,
      sinceSeconds: ok ? 0 : ageSeconds,
      ageSeconds,
    };
  });
}

const order = { bad: 0, warning: 1, good: 2 } as const;

export function statusOf(collectors: readonly Collector[]): Status {
  const checks = collectors.flatMap((collector) => [
    ...(collector.report?.().checks ?? []),
    ...samplerChecks(collector),
  ]);
  const findings = collectors
    .flatMap((collector) => collector.report?.().findings ?? [])
    .sort((a, b) => order[a.severity] - order[b.severity]);
  const failing = checks.some(({ critical, ok }) => critical && !ok);
  return { status: failing ? 'failing' : 'ok', checks, findings };
}
