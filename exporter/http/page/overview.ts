/**
 * What is said at `/`, before it is drawn for a browser or written for a terminal: what is the matter,
 * what to do next, what else is seen now, what was before, and what cannot be seen.
 */
import {
  byWeight,
  type Check,
  type Finding,
  type Report,
  type Severity,
  type Signal,
} from '../../core/collector.ts';
import { type Status, statusOf } from '../../core/status.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { hostFirst, type NextStep, nextStep } from './next-step.ts';
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
  /** Whoever asks has shown who they are, and so may read what was recorded. */
  readonly identified?: boolean;
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
  readonly identified: boolean;
  readonly missing: readonly Signal[];
  readonly failing: readonly Check[];
  readonly well: readonly Check[];
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}

const isStopped = ({ stopped }: Report): boolean => stopped !== undefined;
const isIll = ({ checks = [] }: Report): boolean =>
  checks.some(({ name, ok }) => name === 'redis' && !ok);

/** What is said of a Redis that does not serve: first why, where that is known, then that. */
const ofIllRedis = (reports: readonly Report[]): readonly Finding[] =>
  [...reports.filter(isStopped), ...reports.filter(isIll)].flatMap(({ findings = [] }) => findings);

const failingFinding = ({ pending, reason }: Check): Finding => ({
  severity: pending === true ? 'warning' : 'bad',
  text: asSentence(reason),
});

/**
 * The first that is bad leads. What goes on comes before what has ended, however grave that was; and in
 * what goes on the order is that of the next step, which would else be one for another trouble: what
 * hangs in the host, Redis, the rest of the verdict, the rest.
 */
function headlineOf(
  { verdict, checks }: Pick<Status, 'verdict' | 'checks'>,
  reports: readonly Report[],
  present: readonly Finding[],
): Finding {
  const failing = checks.filter(({ critical, ok }) => critical && !ok).map(failingFinding);
  const inOrder = [
    ...(hostFirst.has(verdict.name) ? [verdict] : []),
    ...ofIllRedis(reports),
    verdict,
    ...present,
    ...failing,
  ];
  const [worst] = inOrder.filter(({ past }) => past !== true).toSorted(byWeight);
  if (worst?.severity === 'bad') return worst;
  return failing[0] ?? verdict;
}

function stateOf(shown: readonly Finding[]): Severity {
  const has = (wanted: Severity) => shown.some(({ severity }) => severity === wanted);
  if (has('bad')) return 'bad';
  return has('warning') ? 'warning' : 'good';
}

export function overviewOf(facts: PageFacts): Overview {
  const { reports, version, incidents, wall, identified = false } = facts;
  const now = statusOf(reports);
  const { status, verdict, checks, findings } = now;
  const present = findings.filter(({ past }) => past !== true);
  const headline = headlineOf(now, reports, present);
  const signals = reports.flatMap((report) => report.signals ?? []);
  const stopped = reports.map((report) => report.stopped).find((one) => one !== undefined);
  const missing = signals.filter(({ supported }) => !supported);
  return {
    version,
    wall,
    state: stateOf([headline, verdict, ...present]),
    status,
    headline,
    next: nextStep({ ...now, signals, stopped, incidents, wall }),
    present: [verdict, ...present].filter((finding) => finding !== headline).sort(byWeight),
    past: findings.filter(({ past }) => past === true),
    charts: reports.flatMap((report) => report.charts ?? []).flatMap(drawnOf),
    incidents: incidents.toReversed(),
    identified,
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
