/** Incidents in words, for the page and the log. */
import type { Cause, EvidenceAnswer, Rule } from './format.ts';
import type { Incident } from './incident.ts';

export interface IncidentSummary {
  readonly id: string;
  /** Of its onset, Unix time. */
  readonly began: number;
  readonly seconds: number;
  readonly open: boolean;
  /** Since when nothing of it is seen any more; left out while something is, and once it is closed. */
  readonly quietSeconds?: number;
  /** What made an incident of it, a phrase each. */
  readonly met: readonly string[];
  readonly cause: Cause;
}

/** Signs are looked at each second: what was seen longer ago is not seen any more. */
export const goneSeconds = 5;

const phrases: Readonly<Record<Rule, string>> = {
  redis_frozen: 'Redis did not answer',
  blocked_task: 'a thread was blocked in the kernel for over 20 s',
  hung_task: 'the kernel reported a hung task',
  soft_lockup: 'the kernel reported a soft lockup',
  stall: 'the machine stood still for over 10 s',
  steal_burn: 'the host took CPU time for minutes',
};

const phraseOf = (rule: string): string =>
  Object.hasOwn(phrases, rule) ? phrases[rule as Rule] : rule;

export function summaryOf(
  { facts, last }: Incident,
  { wall, monotonic }: EvidenceAnswer['now'],
): IncidentSummary {
  const open = facts.state === 'open';
  const quiet = monotonic - last;
  return {
    id: facts.id,
    began: wall - (monotonic - facts.onset.latest),
    seconds: Math.max(0, last - facts.onset.latest),
    open,
    ...(open && quiet > goneSeconds ? { quietSeconds: quiet } : {}),
    met: facts.openedBy.map(({ rule }) => phraseOf(rule)),
    cause: facts.cause,
  };
}
