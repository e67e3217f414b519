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

export interface Asked {
  /** Names that the machine goes by elsewhere, in Prometheus for one. */
  readonly hosts: readonly string[];
  /** What to type for another incident of the same sources. */
  readonly commandFor: (incident: string) => string;
}

const plainly: Asked = {
  hosts: [],
  commandFor: (incident) => `stealwatch report --incident ${incident}`,
};

export function documentsOf(
  judged: Judged,
  redaction: Redaction,
  { hosts, commandFor }: Asked = plainly,
): Documents {
  const hiding = redaction === 'nothing' ? openly : redactor(judged.facts.machine, hosts);
  const ticket = ticketOf(judged, hiding);
  const own = redaction === 'all' ? hiding.replace : asItIs;
  const key = redaction === 'all' ? [] : hiding.replaced();
  const report = reportOf(judged, { replace: own, replaced: key, commandFor });
  const json = reportJson(judged, [...(ticket?.claims ?? []), ...report.claims], own);
  const { text, summary } = report;
  return { ticket: ticket?.text, report: text, json, replaced: hiding.replaced(), summary };
}
