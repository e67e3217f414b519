/**
 * The page at `/` for a terminal: 80 columns or fewer, no escape codes, and no sign but what came from outside
 * that the console of a provider may not have.
 */
import type { Check, Finding, Severity } from '../../core/collector.ts';
import type { IncidentSummary } from '../../evidence/summary.ts';
import { wrap } from '../../measure/wrap.ts';
import type { NextStep } from './next-step.ts';
import { incidentLength, incidentSentences, type Overview } from './overview.ts';
import { utc, visible } from './shown.ts';

/** Wide enough for a phone that holds a terminal, and as wide as one is that nobody made narrow. */
export const textWidths = [40, 60, 80] as const;
export type TextWidth = (typeof textWidths)[number];

/** The widest that a terminal of so many columns takes; of one that is narrower, the narrowest. */
export const widthFor = (columns: number): TextWidth =>
  textWidths.findLast((width) => width <= columns) ?? textWidths[0];

/** What a line begins with. */
const words: Readonly<Record<Severity, string>> = {
  bad: 'BAD',
  warning: 'WARN',
  good: 'ok',
};

const textColumn = 6;

/** A terminal has 24 lines, and the news is at the top. */
const mostIncidents = 3;

/** Nothing of what there is not. */
function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function writerOf(columns: TextWidth) {
  /** The first line begins at the margin, the others below its text. */
  function hung(head: string, text: string, indent: number): string[] {
    const lines = wrap(visible(text), columns - indent);
    return lines.map((line, i) => (i === 0 ? head.padEnd(indent) : ' '.repeat(indent)) + line);
  }

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

  const incidentLines = (incident: IncidentSummary): string[] => [
    ...hung('', `${utc(incident.began)}, ${incidentLength(incident)}`, 0),
    ...hung('', incidentSentences(incident), 2),
  ];

  const checkLines = ({ name, state, reason }: Check): string[] =>
    hung(words.bad, `${name}: ${state}: ${reason}`, textColumn);

  const checksLine = (count: number): string[] =>
    count === 0 ? [] : hung(words.good, `${count} well, /status names them`, textColumn);

  function incidentsLines(incidents: readonly IncidentSummary[]): string[] {
    if (incidents.length === 0) return [];
    const more = incidents.length - mostIncidents;
    return [
      ...incidents.slice(0, mostIncidents).flatMap(incidentLines),
      ...(more > 0 ? hung('', `and ${more} before, which a browser shows at /`, 0) : []),
      ...hung('', 'Ticket and post-mortem draft of one: stealwatch report', 0),
    ];
  }

  /** A table whose second column is as wide as is left. */
  const rows = (pairs: readonly (readonly [string, string])[]): string[] =>
    pairs.flatMap(([name, text]) => [...hung('', name, 2), ...hung('', text, 4)]);

  return { findingLines, nextLines, incidentsLines, checkLines, checksLine, rows };
}

export function textOf(overview: Overview, columns: TextWidth = 80): string {
  const { headline, charts, incidents, missing, failing, well, status, version, wall } = overview;
  const { findingLines, nextLines, incidentsLines, checkLines, checksLine, rows } =
    writerOf(columns);
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
