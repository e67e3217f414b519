/**
 * The page at `/` for a terminal: 80 columns, no escape codes, and no sign but what came from outside
 * that the console of a provider may not have.
 */
import type { Check, Finding, Severity } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { wrap } from '../../measure/wrap.ts';
import type { NextStep } from './next-step.ts';
import { incidentLength, incidentSentences, type Overview } from './overview.ts';
import { utc, visible } from './shown.ts';

const columns = 80;

/** What a line begins with. */
const words: Readonly<Record<Severity, string>> = {
  bad: 'BAD',
  warning: 'WARN',
  good: 'ok',
};

/** The first line begins at the margin, the others below its text. */
function hung(head: string, text: string, indent: number): string[] {
  const lines = wrap(visible(text), columns - indent);
  return lines.map((line, i) => (i === 0 ? head.padEnd(indent) : ' '.repeat(indent)) + line);
}

const textColumn = 6;

const findingLines = ({ severity, text }: Finding): string[] =>
  hung(words[severity], text, textColumn);

function nextLines(step: NextStep | undefined): string[] {
  if (step === undefined) return [];
  const { text, command, runbook } = step;
  const ways = [
    ...(command === undefined ? [] : [command]),
    ...(runbook === undefined ? [] : [`/runbook/${runbook}`]),
  ];
  // A command is not broken: it is there to be copied.
  return [
    '',
    ...hung('Next:', ways.length === 0 ? `${text}.` : `${text}:`, textColumn),
    ...ways.map((way) => ' '.repeat(textColumn) + way),
  ];
}

function incidentLines(incident: IncidentSummary): string[] {
  return [
    `${utc(incident.began)}, ${incidentLength(incident)}`,
    ...hung('', incidentSentences(incident), 2),
  ];
}

function checkLines({ name, state, reason }: Check): string[] {
  return hung(words.bad, `${name}: ${state}: ${reason}`, textColumn);
}

function checksLine(count: number): string[] {
  return count === 0 ? [] : [`${words.good.padEnd(textColumn)}${count} well, /status names them`];
}

/** A terminal has 24 lines, and the news is at the top. */
const mostIncidents = 3;

function incidentsLines(incidents: readonly IncidentSummary[]): string[] {
  if (incidents.length === 0) return [];
  const more = incidents.length - mostIncidents;
  return [
    ...incidents.slice(0, mostIncidents).flatMap(incidentLines),
    ...(more > 0 ? [`and ${more} before, which a browser shows at /`] : []),
    'Ticket and post-mortem draft of one: stealwatch report',
  ];
}

/** Nothing of what there is not. */
function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** A table whose second column is as wide as is left. */
function rows(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.flatMap(([name, text]) => [...hung('', name, 2), ...hung('', text, 4)]);
}

export function textOf(overview: Overview): string {
  const { headline, charts, incidents, missing, failing, well, status, version, wall } = overview;
  return [
    ...findingLines(headline),
    ...nextLines(overview.next),
    ...section('ALSO NOW', overview.present.flatMap(findingLines)),
    ...section('THE LAST MINUTES', rows(charts.map(({ title, words }) => [title, words]))),
    ...section('INCIDENTS SINCE BOOT', incidentsLines(incidents)),
    ...section('EARLIER', overview.past.flatMap(findingLines)),
    ...section('NOT TO BE SEEN HERE', rows(missing.map(({ name, reason }) => [name, reason]))),
    ...section('CHECKS', [...failing.flatMap(checkLines), ...checksLine(well.length)]),
    '',
    `/status says ${status} at ${utc(wall)}; stealwatch ${visible(version)}`,
    '',
  ].join('\n');
}
