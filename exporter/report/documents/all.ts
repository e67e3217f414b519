/** The documents of one run, sharing one set of tags. */
import type { Judged } from '../cause/judge.ts';
import { asItIs } from '../text/say.ts';
import { openly, redactor, type Replaced } from '../text/redact.ts';
import { reportJson } from './json.ts';
import { reportOf } from './report.ts';
import { ticketOf } from './ticket.ts';

/** `ticket`: only what goes to the provider, which is what is asked for when nothing is said. */
export type Redaction = 'ticket' | 'all' | 'nothing';

export interface Documents {
  readonly ticket: string | undefined;
  readonly report: string;
  readonly json: string;
  readonly replaced: readonly Replaced[];
  /** For a terminal. */
  readonly summary: readonly string[];
}

/** `hosts`: names that the machine goes by elsewhere, in Prometheus for one. */
export function documentsOf(
  judged: Judged,
  redaction: Redaction,
  hosts: readonly string[] = [],
): Documents {
  const hiding = redaction === 'nothing' ? openly : redactor(judged.facts.machine, hosts);
  const ticket = ticketOf(judged, hiding);
  const own = redaction === 'all' ? hiding.replace : asItIs;
  const key = redaction === 'all' ? [] : hiding.replaced();
  const report = reportOf(judged, { replace: own, replaced: key });
  const json = reportJson(judged, [...(ticket?.claims ?? []), ...report.claims], own);
  const { text, summary } = report;
  return { ticket: ticket?.text, report: text, json, replaced: hiding.replaced(), summary };
}
