/**
 * `/status`: what is true now, from memory alone, so it answers in milliseconds whatever is
 * frozen. 503 as soon as a critical check fails: a health check that says 200 while Redis is
 * frozen is how the outage stayed unseen.
 */
import {
  byWeight,
  type Check,
  type Collector,
  type Finding,
  type Report,
  type Sampler,
} from './collector.ts';
import { durationText } from '../measure/duration.ts';
import { limits } from '../measure/limits.ts';
import type { Evidence } from './evidence.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export interface Status {
  readonly status: 'ok' | 'failing';
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
  readonly findings: readonly Finding[];
}

function sinceWhen({ name, ageSeconds, problem }: Sampler): string {
  return `the ${name} clock has not ticked for ${durationText(ageSeconds)}${problem === undefined ? '' : ` (${problem})`}`;
}

/** A background clock that has not ticked for this long is dead, or the machine stood still. */
const staleSamplerSeconds = limits.samplerAgeSeconds.bad;

function samplerChecks({ samplers = [] }: Report): Check[] {
  return samplers.map((sampler) => {
    const { name, ageSeconds } = sampler;
    const ok = ageSeconds <= staleSamplerSeconds;
    return {
      name: `sampler_${name}`,
      critical: true,
      ok,
      state: ok ? 'ticking' : 'stale',
      reason: ok ? `the ${name} clock ticks` : sinceWhen(sampler),
      sinceSeconds: ok ? 0 : ageSeconds,
      ageSeconds,
    };
  });
}

function blindness({ signals = [], samplers = [] }: Report): string[] {
  return [
    ...samplers.filter(({ ageSeconds }) => ageSeconds > staleSamplerSeconds).map(sinceWhen),
    ...signals
      .filter(({ name, supported }) => name === 'steal' && !supported)
      .map(({ reason }) => reason),
  ];
}

/** Who is to blame, from all that the collectors know. */
export function verdictFrom(reports: readonly Report[]): Verdict {
  const evidence: Evidence = { blind: reports.flatMap(blindness) };
  for (const report of reports) Object.assign(evidence, report.evidence);
  return verdictOf(evidence);
}

/** Each collector's report, in order. From memory, and not free: once for each answer. */
export function reportsOf(collectors: readonly Collector[]): Report[] {
  return collectors.map((collector) => collector.report?.() ?? {});
}

export function statusOf(reports: readonly Report[]): Status {
  const checks = reports.flatMap((report) => [...(report.checks ?? []), ...samplerChecks(report)]);
  const findings = reports.flatMap((report) => report.findings ?? []).sort(byWeight);
  const failing = checks.some(({ critical, ok }) => critical && !ok);
  return {
    status: failing ? 'failing' : 'ok',
    verdict: verdictFrom(reports),
    checks,
    findings,
  };
}
