/** The team's copy: a draft of the post-mortem, under the headings of the SRE book. */
import { causesOf, type Judged, ticketCause } from '../cause/judge.ts';
import { leftOutRecords } from '../cause/sane-times.ts';
import { lengthOf } from '../cause/incident.ts';
import { spanOf } from '../cause/incidents.ts';
import { actions, ownCauses, whose } from '../claims/causes.ts';
import { ownTitles } from '../claims/own-titles.ts';
import { firstSaid, said, type Sentence } from '../claims/claim.ts';
import { figures } from '../claims/figures.ts';
import { detection, impact } from '../claims/impact.ts';
import { cause, meanwhile, what } from '../claims/short.ts';
import { contradictions, sure } from '../claims/sure.ts';
import { titles } from '../claims/titles.ts';
import { lastedAtMost } from '../claims/when.ts';
import type { Replaced } from '../text/redact.ts';
import { host, joined, name, type Replace, say, table, type Text, toPlain } from '../text/say.ts';
import { utcRange } from '../text/units.ts';
import {
  bullets,
  frameTable,
  furtherReports,
  identity,
  missingList,
  type Page,
  pageOf,
  section,
  shownTrace,
  sourceTable,
  sureTable,
  suspectTable,
  timeline,
} from './parts.ts';
import type { Document } from './ticket.ts';

function titleOf({ findings }: Judged): Sentence | undefined {
  const of = ticketCause(findings);
  if (of !== undefined) return firstSaid(titles[of], findings);
  const own = firstSaid(ownTitles, findings);
  if (own !== undefined) return own;
  const [first] = causesOf(findings);
  const table = Object.entries(titles).find(([id]) => id === first)?.[1] ?? [];
  return firstSaid(table, findings);
}

function summary(judged: Judged, sentences: readonly Sentence[], { md }: Page): string[] {
  const aside = said(meanwhile, judged.findings).map(({ text }) => text);
  const ticket = ticketCause(judged.findings);
  return [
    ...sentences.map(({ text }) => `- ${md(text)}`),
    ...(aside.length === 0 ? [] : [`- Meanwhile: ${md(joined(aside, ', '))}.`]),
    ticket === undefined
      ? '- No ticket was written.'
      : '- `ticket.md` beside this file is for the provider.',
  ];
}

function kernelPart({ incident }: Judged, page: Page): string[] {
  const { reports = [] } = incident?.sleep?.chief ?? {};
  const [report] = reports;
  if (report === undefined) return [];
  const further = furtherReports(reports);
  return ['', ...shownTrace(report, page), '', ...further, ...frameTable(report, page)];
}

function causePart(judged: Judged, sentences: readonly Sentence[], page: Page): string[] {
  const lines = sentences.map(({ text, certainty, openEnded }) =>
    openEnded ? `- ${page.md(text)}` : `- (${certainty}) ${page.md(text)}`,
  );
  return [...lines, ...kernelPart(judged, page)];
}

const mostOthers = 10;

/** Newest first. */
function others({ incidents, incident }: Judged, { commandFor }: ReportOptions): Text[] {
  const rest = incidents.filter(({ id }) => id !== incident?.id).slice(-mostOthers);
  return rest.reverse().map((one) => {
    const { from, to } = spanOf(one);
    const by = one.sleep === undefined ? 'by what was measured' : 'reported by the kernel';
    const { onset, end } = one;
    const length = lastedAtMost({ onset, end, seconds: lengthOf(one) });
    return say`${utcRange({ from, to })} (${length}), ${by}: ${name(commandFor(one.id))}`;
  });
}

const mostOnTerminal = 3;

/** Which one was taken is no secret: a terminal names the others too. */
function othersShort(all: readonly Text[], replace: Replace): string[] {
  if (all.length === 0) return [];
  const more = all.length - mostOnTerminal;
  return [
    '',
    'Other incidents in the same sources:',
    ...all.slice(0, mostOnTerminal).map((one) => `  ${toPlain(one, replace)}`),
    ...(more > 0 ? [`  and ${more} more in report.md`] : []),
  ];
}

const listed = (texts: readonly Text[], { md }: Page) => texts.map((text) => `- ${md(text)}`);

function replacedTable(replaced: readonly Replaced[], { md }: Page): string[] {
  if (replaced.length === 0) return [];
  return table(
    ['in the ticket', 'stands for'],
    replaced.map(({ tag, original }) => [tag, md(say`${name(original)}`)]),
  );
}

function hostLine({ facts: { machine } }: Judged, { md }: Page): string {
  const named = machine.hostname === undefined ? [] : [say`**${host(machine.hostname)}**`];
  return [...named, ...machine.addresses.map((address) => say`${address}`)].map(md).join(' · ');
}

const nothingRead =
  'No source could be read, so nothing can be said of what happened, or whether anything did.';
const nothingThen =
  'What was read holds nothing from the times that were asked for, so nothing can be said of what happened then, or whether anything did.';
const nothingKept =
  'What was read holds no record of anything, so nothing can be said of what happened, or whether anything did.';
const nothingDated =
  'Nothing was found in what could be dated. Records were left out because their times or values cannot be, so something may have happened that nobody can see here.';
const nothingFound =
  'Nothing in what was read is out of the ordinary. That is no proof that nothing happened: only what these sources keep can be found.';

/** What cannot be read has a problem; what has none was read, and is empty. */
function nothingOf({ facts: { sources, missing }, blind }: Judged): string {
  if (missing.some(({ what: left }) => left === leftOutRecords)) return nothingDated;
  if (blind) return nothingThen;
  if (sources.some(({ records }) => records > 0)) return nothingFound;
  if (sources.some(({ outside }) => outside === true)) return nothingThen;
  return sources.some(({ problems }) => problems.length === 0) ? nothingKept : nothingRead;
}

function empty(judged: Judged, page: Page, rest: readonly Text[]): ReportDocument {
  const finding = nothingOf(judged);
  return {
    claims: [],
    summary: [finding, ...othersShort(rest, page.replace)],
    text: [
      '# Nothing found',
      '',
      finding,
      ...section('What was read', sourceTable(judged, page)),
      ...section('What was looked for and not found', missingList(judged, page)),
      ...section('Other incidents in the same sources', listed(rest, page)),
      '',
    ].join('\n'),
  };
}

interface ReportDocument extends Document {
  /** The first sentences, for a terminal. */
  readonly summary: readonly string[];
}

export interface ReportOptions {
  readonly replace: Replace;
  /** What the ticket replaced: the key to it, for this copy only. */
  readonly replaced: readonly Replaced[];
  readonly commandFor: (incident: string) => string;
}

export function reportOf(judged: Judged, options: ReportOptions): ReportDocument {
  const { replace, replaced } = options;
  const rest = others(judged, options);
  const page = pageOf(replace);
  const { findings } = judged;
  const title = titleOf(judged);
  if (judged.incident === undefined || title === undefined) return empty(judged, page, rest);
  const blame = ticketCause(findings) === undefined ? firstSaid(whose, findings) : undefined;
  const short = [firstSaid(what, findings), blame].flatMap((one) => one ?? []);
  const causes = said([...cause, ...ownCauses], findings);
  const parts = {
    impact: said(impact, findings),
    detection: said(detection, findings),
    figures: said(figures, findings),
    sure: said(sure, findings),
    contradictions: said(contradictions, findings),
    actions: said(actions, findings),
  };
  const machine = [hostLine(judged, page), page.md(joined(identity(judged), ' · '))];
  const lines = [
    `# Post-mortem draft: ${page.md(title.text)}`,
    '',
    machine.filter((line) => line !== '').join(' · '),
    ...section('Summary', summary(judged, short, page)),
    ...section('Impact', bullets(parts.impact, page)),
    ...section('Detection', bullets(parts.detection, page)),
    ...section('Timeline', timeline(judged, page)),
    ...section('Cause', causePart(judged, causes, page)),
    ...section('Figures', bullets(parts.figures, page)),
    ...section('What it was not', suspectTable(judged, page)),
    ...section('How sure', sureTable(parts.sure, page)),
    ...section('What does not go together', bullets(parts.contradictions, page)),
    ...section('Action items', bullets(parts.actions, page)),
    ...section('What was looked for and not found', missingList(judged, page)),
    ...section('Other incidents in the same sources', listed(rest, page)),
    ...section('Where this comes from', sourceTable(judged, page)),
    ...section('Names in the ticket', replacedTable(replaced, page)),
    '',
  ];
  const plain = [title, ...short, ...causes].map(({ text }) => toPlain(text, replace));
  const claims = [
    title,
    ...short,
    ...causes,
    ...Object.values(parts).flat(),
    ...said(meanwhile, findings),
  ];
  const summaryLines = [...plain, ...othersShort(rest, replace)];
  return { text: lines.join('\n'), claims, summary: summaryLines };
}
