/** The same for machines: what was found, what may be said of it, and from what. */
import type { Finding, FindingId } from '../cause/findings.ts';
import { spanOf } from '../cause/incidents.ts';
import { causesOf, type Judged, ticketCause } from '../cause/judge.ts';
import type { Sentence } from '../claims/claim.ts';
import { quoted } from '../claims/kernel-line.ts';
import { timelineOf } from '../claims/timeline.ts';
import { type Replace, toPlain } from '../text/say.ts';

const iso = (at: number) =>
  Number.isFinite(at) && Math.abs(at) < 8.64e12
    ? new Date(Math.round(at * 1000)).toISOString()
    : null;

/** Strings of a value, each as what it may leave the box as; numbers stay. */
function replaced(value: unknown, replace: Replace): unknown {
  if (typeof value === 'string') return replace(value, 'prose');
  if (typeof value === 'number')
    return Number.isFinite(value) ? Number(value.toPrecision(12)) : null;
  if (Array.isArray(value)) return value.map((one) => replaced(one, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      typeof one === 'string' ? replacedAs(key, one, replace) : replaced(one, replace),
    ]),
  );
}

const processKeys: ReadonlySet<string> = new Set(['process', 'comm', 'thread']);

/** By its key: a line of the kernel holds names of processes, and a digest is to be compared. */
function replacedAs(key: string, value: string, replace: Replace): string {
  if (key === 'sha256') return replace(value, 'fixed');
  if (key === 'text') return toPlain(quoted(value), replace);
  return replace(value, processKeys.has(key) ? 'process' : 'prose');
}

/** A kernel report inside a finding: its lines hold the name of the process, and are in the documents. */
function withoutLines(data: object): object {
  return Object.fromEntries(
    Object.entries(data).map(([key, one]: [string, unknown]) => [
      key,
      typeof one === 'object' && one !== null && 'report' in one && 'at' in one
        ? { at: one.at }
        : one,
    ]),
  );
}

function incidentJson({ incident }: Judged): unknown {
  if (incident === undefined) return null;
  const { onset, end, id, boot = null, sleep } = incident;
  return {
    id,
    boot,
    onset: { earliest: iso(onset.earliest), latest: iso(onset.latest) },
    end: { at: iso(end.at), how: end.how },
    reports: sleep?.reports.length ?? 0,
  };
}

function findingsJson({ findings }: Judged, replace: Replace): unknown {
  return Object.fromEntries(
    Object.entries(findings).map(([id, finding]: [string, Finding<FindingId>]) => [
      id,
      {
        certainty: finding.certainty,
        data: replaced(withoutLines(finding.data), replace),
        sources: finding.sources.map((id) => replace(id, 'prose')),
      },
    ]),
  );
}

function claimJson({ id, needs, certainty, text, answer }: Sentence, replace: Replace): unknown {
  const more = answer === undefined ? {} : { answer: toPlain(answer, replace) };
  return { id, needs, certainty, text: toPlain(text, replace), ...more };
}

function claimsJson(sentences: readonly Sentence[], replace: Replace): unknown {
  const byId = new Map(sentences.map((one) => [one.id, one]));
  return [...byId.values()]
    .sort((one, other) => (one.id < other.id ? -1 : 1))
    .map((one) => claimJson(one, replace));
}

export function reportJson(
  judged: Judged,
  sentences: readonly Sentence[],
  replace: Replace,
): string {
  const { facts, findings } = judged;
  const text = (value: string) => replace(value, 'prose');
  const document = {
    schema: 1,
    machine: {
      ...facts.machine,
      ...(facts.machine.hostname === undefined
        ? {}
        : { hostname: replace(facts.machine.hostname, 'host') }),
      addresses: facts.machine.addresses.map(text),
    },
    incident: incidentJson(judged),
    causes: causesOf(findings),
    ticket: ticketCause(findings) ?? null,
    findings: findingsJson(judged, replace),
    claims: claimsJson(sentences, replace),
    suspects: replaced(judged.suspects, replace),
    timeline: timelineOf(judged).map(({ id, at, text: said, source }) => ({
      id,
      at: iso(at),
      text: toPlain(said, replace),
      source: text(source),
    })),
    sources: replaced(facts.sources, replace),
    missing: replaced(facts.missing, replace),
    incidents: judged.incidents.map((incident) => ({
      id: incident.id,
      from: iso(spanOf(incident).from),
      to: iso(spanOf(incident).to),
      reported: incident.sleep !== undefined,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
