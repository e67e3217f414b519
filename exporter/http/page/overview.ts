/**
 * What is said at `/`, before it is drawn for a browser or written for a terminal: what is the matter,
 * what to do next, what else is seen now, what was before, and what cannot be seen.
 */
import {
  bySeverity,
  type Check,
  type Finding,
  type Report,
  type Severity,
  type Signal,
} from '../../core/collector.ts';
import { type Status, statusOf } from '../../core/status.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { type NextStep, nextStep } from './next-step.ts';
import { type Drawn, drawnOf } from './shown.ts';
import { durationText } from '../../measure/duration.ts';

/** All that the page is made from. */
export interface PageFacts {
  readonly reports: readonly Report[];
  readonly version: string;
  /** Oldest first. */
  readonly incidents: readonly IncidentSummary[];
  /** Unix time. */
  readonly wall: number;
}

/** The header of the answer that says `state`: for programs, which do not read sentences. */
export const stateHeader = 'Stealwatch-State';

export interface Overview {
  readonly version: string;
  /** When all of this was so: a page that cannot be loaded again stays on the screen. */
  readonly wall: number;
  /** The worst that is true now. */
  readonly state: Severity;
  readonly status: Status['status'];
  readonly headline: Finding;
  readonly next: NextStep | undefined;
  readonly present: readonly Finding[];
  readonly past: readonly Finding[];
  readonly charts: readonly Drawn[];
  /** Newest first. */
  readonly incidents: readonly IncidentSummary[];
  readonly missing: readonly Signal[];
  readonly failing: readonly Check[];
  readonly well: readonly Check[];
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

/** The verdict, unless something is worse than it: a Redis that is down beside a quiet host. */
function headlineOf(
  { verdict, checks }: Pick<Status, 'verdict' | 'checks'>,
  present: readonly Finding[],
): Finding {
  if (verdict.severity === 'bad') return verdict;
  const worst = present.find(({ severity }) => severity === 'bad');
  if (worst !== undefined) return worst;
  const failing = checks.find(({ critical, ok }) => critical && !ok);
  if (failing === undefined) return verdict;
  const severity = failing.pending === true ? 'warning' : 'bad';
  return { severity, text: asSentence(failing.reason) };
}

function stateOf(shown: readonly Finding[]): Severity {
  const has = (wanted: Severity) => shown.some(({ severity }) => severity === wanted);
  if (has('bad')) return 'bad';
  return has('warning') ? 'warning' : 'good';
}

export function overviewOf({ reports, version, incidents, wall }: PageFacts): Overview {
  const now = statusOf(reports);
  const { status, verdict, checks, findings } = now;
  const present = findings.filter(({ past }) => past !== true);
  const headline = headlineOf(now, present);
  const signals = reports.flatMap((report) => report.signals ?? []);
  const missing = signals.filter(({ supported }) => !supported);
  return {
    version,
    wall,
    state: stateOf([headline, verdict, ...present]),
    status,
    headline,
    next: nextStep({ ...now, blind: missing.length > 0, incidents, wall }),
    present: [verdict, ...present].filter((finding) => finding !== headline).sort(bySeverity),
    past: findings.filter(({ past }) => past === true),
    charts: reports.flatMap((report) => report.charts ?? []).flatMap(drawnOf),
    incidents: incidents.toReversed(),
    missing,
    failing: checks.filter(({ ok }) => !ok),
    well: checks.filter(({ ok }) => ok),
  };
}

/** It counts on only while something of it is seen. */
export function incidentLength({ seconds, open, quietSeconds }: IncidentSummary): string {
  const length = durationText(Math.round(seconds));
  if (quietSeconds !== undefined) {
    return `${length}, last seen ${durationText(Math.round(quietSeconds))} ago`;
  }
  return open ? `${length} so far` : length;
}

/** What made an incident of it, and who was to blame at its worst, in sentences. */
export function incidentSentences({ met, cause }: IncidentSummary): string {
  return `${asSentence(met.join('; '))} Verdict: ${cause.text}`;
}
