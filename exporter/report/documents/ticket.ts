/** The provider's copy: two screens for the second level, a text for the first. */
import { type Judged, ticketCause } from '../cause/judge.ts';
import type { hostCauses } from '../cause/impact-rules.ts';
import { asks } from '../claims/asks.ts';
import { type Claim, firstSaid, said, type Sentence } from '../claims/claim.ts';
import { figures, replies } from '../claims/figures.ts';
import { impact } from '../claims/impact.ts';
import { plain } from '../claims/plain.ts';
import { cause, certainty, meanwhile, what, why } from '../claims/short.ts';
import { contradictions, sure } from '../claims/sure.ts';
import { titles } from '../claims/titles.ts';
import { fenced, joined, say, table, toPlain } from '../text/say.ts';
import type { Redactor } from '../text/redact.ts';
import {
  bullets,
  frameTable,
  furtherReports,
  identity,
  type Page,
  pageOf,
  section,
  shownTrace,
  sourceTable,
  sureTable,
  suspectTable,
  timeline,
} from './parts.ts';

export interface Document {
  readonly text: string;
  /** Of what was said: ids of claims. */
  readonly claims: readonly Sentence[];
}

/** A chat form or a bot takes no more. */
export const mostPlain = 1500;

type HostCause = (typeof hostCauses)[number];

/** What a ticket says, before it is laid out: every claim is one of these. */
export interface Said {
  readonly title: Sentence;
  readonly what: Sentence | undefined;
  readonly causes: readonly Sentence[];
  readonly meanwhile: readonly Sentence[];
  readonly certainty: readonly Sentence[];
  readonly asks: readonly Sentence[];
  readonly why: readonly Sentence[];
  readonly figures: readonly Sentence[];
  readonly replies: readonly Sentence[];
  readonly sure: readonly Sentence[];
  readonly contradictions: readonly Sentence[];
  readonly impact: readonly Sentence[];
  readonly plain: readonly Sentence[];
}

function saidOf({ findings }: Judged, of: HostCause): Said | undefined {
  const all = (claims: readonly Claim[]) => said(claims, findings);
  const title = firstSaid(titles[of], findings);
  if (title === undefined) return undefined;
  return {
    title,
    what: firstSaid(what, findings),
    causes: all(cause),
    meanwhile: all(meanwhile),
    certainty: all(certainty),
    asks: all(asks),
    why: all(why),
    figures: all(figures),
    replies: all(replies),
    sure: all(sure),
    contradictions: all(contradictions),
    impact: all(impact),
    plain: all(plain),
  };
}

const every = (all: Said): Sentence[] =>
  Object.values(all).flatMap((one: Sentence | readonly Sentence[] | undefined) => one ?? []);

function inShort(all: Said, { md }: Page): string[] {
  const labelled = (label: string, sentences: readonly Sentence[]) =>
    sentences.map(({ text }, i) => `- **${i === 0 ? label : `${label}, besides`}:** ${md(text)}`);
  const aside = all.meanwhile.map(({ text }) => text);
  return [
    ...labelled(
      all.what?.id === 'what.measured' ? 'When' : 'What',
      all.what === undefined ? [] : [all.what],
    ),
    ...labelled('Cause', all.causes),
    ...(aside.length === 0 ? [] : [`- **Meanwhile in the VM:** ${md(joined(aside, ', '))}.`]),
    ...labelled('Certainty', all.certainty),
  ];
}

/** The trace of the thread that waited for the host, for a disk or for a thaw: one, of all reports. */
function proof({ incident }: Judged, page: Page): string[] {
  const { reports = [] } = incident?.sleep?.chief ?? {};
  const [report] = reports;
  if (report === undefined) return [];
  return [
    ...shownTrace(report, page),
    'Registers are left out: they can hold customer data.',
    '',
    ...furtherReports(reports),
    ...frameTable(report, page),
  ];
}

function whyPart(judged: Judged, all: Said, page: Page): string[] {
  const because = all.why.map(({ text }) => page.md(text));
  return section(because.length > 0 ? 'Why this is the host' : 'What the kernel reported', [
    ...because.flatMap((line) => [line, '']),
    ...proof(judged, page),
  ]);
}

function numbered(sentences: readonly Sentence[], { md }: Page): string[] {
  return sentences.map(({ text }, i) => `${i + 1}. ${md(text)}`);
}

function replyTable(sentences: readonly Sentence[], { md }: Page): string[] {
  const rows = sentences.map(({ text, answer }) => [
    md(text),
    answer === undefined ? '' : md(answer),
  ]);
  return rows.length === 0 ? [] : table(['reply', 'answer'], rows);
}

/** To be filled in by hand: what only the customer and the provider know. */
const blanks = '**Machine** (fill in: the id and IPv4 address the provider knows it by)';

/** Lines, in order, as long as they fit; what comes later may be shorter. */
function fitting(lines: readonly string[], most: number): string[] {
  const kept: string[] = [];
  let length = 0;
  for (const line of lines) {
    if (length + line.length + 1 >= most) continue;
    kept.push(line);
    length += line.length + 1;
  }
  return kept;
}

function plainText(judged: Judged, all: Said, { replace }: Page): string[] {
  const uuid = judged.facts.machine.instanceUuid;
  const head = `VM (fill in id and IPv4)${uuid === undefined ? '' : `, UUID ${uuid}`}: ${toPlain(all.title.text, replace)}`;
  const aside =
    all.meanwhile.length === 0
      ? []
      : [
          toPlain(
            say`Meanwhile in the VM: ${joined(
              all.meanwhile.map(({ text }) => text),
              ', ',
            )}.`,
            replace,
          ),
        ];
  const asked = all.asks.map(({ text }, i) => `(${i + 1}) ${toPlain(text, replace)}`);
  const lines = [...all.plain.map(({ text }) => toPlain(text, replace)), ...aside, ...asked];
  return fitting([head.slice(0, mostPlain / 2), ...lines], mostPlain);
}

function ticketLines(judged: Judged, all: Said, page: Page): string[] {
  const text = plainText(judged, all, page);
  return [
    `# ${page.md(all.title.text)}`,
    '',
    `${blanks} · ${page.md(joined(identity(judged), ' · '))}`,
    ...section('In short', inShort(all, page)),
    ...section('What we ask of you', numbered(all.asks, page)),
    ...whyPart(judged, all, page),
    ...section('Timeline', timeline(judged, page)),
    ...section('What it was not', suspectTable(judged, page)),
    ...section('Figures', bullets(all.figures, page)),
    ...section('Answers to the usual replies', replyTable(all.replies, page)),
    ...section('How sure, and what is missing', sureTable(all.sure, page)),
    ...section('What does not go together', bullets(all.contradictions, page)),
    ...section('Impact', bullets(all.impact, page)),
    ...section('Where this comes from', sourceTable(judged, page)),
    ...section('The same as plain text, for a ticket form or chat', fenced(text)),
    `(${text.join('\n').length} characters)`,
    '',
  ];
}

/** Undefined where the cause is ours, or nobody's: then there is nothing to ask of a provider. */
export function ticketOf(judged: Judged, { replace }: Redactor): Document | undefined {
  const of = ticketCause(judged.findings);
  const all = of === undefined ? undefined : saidOf(judged, of);
  if (all === undefined) return undefined;
  const text = ticketLines(judged, all, pageOf(replace)).join('\n');
  return { text, claims: every(all) };
}
