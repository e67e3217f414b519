/** The answers of the verdict's rule in words and colours, as the panels show them. */
import { verdict } from '../../alerts/verdict/verdict.ts';
import { type Meaning, colors } from './palette.ts';
import { here, sameMachine } from './query.ts';

/**
 * The rule's answer is quiet, on a machine that cannot see its host page it out and has no canary either. The
 * pages say so in a sentence of its own; for the rule, which alerts ask, it is quiet.
 */
export const unseen = 6;

/**
 * The last scrape failed. The rule holds on to what it knew for some seconds, because alerts ask it and scrapes fail
 * when the host is at its worst; a page that says "now" must not: nothing is seen of that machine any more.
 */
export const unheard = 7;

interface Answer extends Meaning {
  readonly short: string;
}

/** Worst first: what needs a person, then what is yours, then what is well. */
const answers: readonly Answer[] = [
  {
    value: verdict.pageIn,
    text: 'Yes, memory: the host is paging your RAM',
    short: 'RAM paged out',
    color: colors.pageIn,
  },
  {
    value: verdict.steal,
    text: 'Yes, CPU: others take your cores',
    short: 'CPU taken',
    color: colors.steal,
  },
  // Not calmer than what is known: a machine that is gone has no data.
  {
    value: unheard,
    text: 'No answer: it is not seen now',
    short: 'no answer',
    color: colors.degraded,
  },
  { value: verdict.unknown, text: 'Unknown, no data', short: 'no data', color: colors.degraded },
  { value: verdict.disk, text: 'Disk is the bottleneck', short: 'disk', color: colors.disk },
  {
    value: verdict.ownLoad,
    text: 'No, you are using your own CPU up',
    short: 'own load',
    color: colors.own,
  },
  {
    value: unseen,
    text: 'Nothing seen, page-ins not visible here',
    short: 'nothing seen',
    color: colors.unknown,
  },
  { value: verdict.quiet, text: 'No, the host is quiet', short: 'quiet', color: colors.ok },
];

/** Sentences, for the panel at the top. */
export const verdictSentences: readonly Meaning[] = answers;

/** A word or two, for a lane: over time the rule says who did not answer. */
export const verdictWords: readonly Meaning[] = answers
  .filter(({ value }) => value !== unheard)
  .map(({ value, short, color }) => ({ value, text: short, color }));

/** By how bad they are, for a column that is sorted: the worst has the largest number. */
export const verdictRanks: readonly Meaning[] = answers.map(({ short, color }, i) => ({
  value: answers.length - 1 - i,
  text: short,
  // As text: slate is a ground.
  color: color === colors.ok ? 'text' : color,
}));

const rule = `instance:stealwatch_verdict:code{${here}}`;

/** Quiet, as far as can be seen, and that is not far. */
function blindlyQuiet(code: string, last: (series: string) => string): string {
  const supported = last(`stealwatch_signal_supported{${here},signal="async_page_faults"}`);
  const canary = last(`stealwatch_cold_page_outstanding_seconds{${here}}`);
  return `(${code} == ${verdict.quiet} and ${sameMachine} (${supported} == 0 unless ${sameMachine} ${canary}))`;
}

const ofTheStep = (series: string) => `last_over_time(${series}[$__rate_interval])`;

/** One code for each machine over time; within a step the highest. */
export function verdictOverTime(): string {
  const code = `max_over_time(${rule}[$__rate_interval])`;
  return `(${blindlyQuiet(code, ofTheStep)} + ${unseen} or ${code})`;
}

const silent = `(up{${here}} == 0)`;

/** Where the answer is this one now. */
function machinesWith(code: number): string {
  if (code === unheard) return silent;
  const blind = blindlyQuiet(rule, (series) => series);
  if (code === unseen) return `(${blind} unless ${sameMachine} ${silent})`;
  const others = code === verdict.quiet ? `(${silent} or ${blind})` : silent;
  return `((${rule} == ${code}) unless ${sameMachine} ${others})`;
}

/** The worst answer of all, with how many machines it is true of, and of how many: labels `hosts`, `of`. */
export function worstVerdict(): string {
  const all = `count_values("of", count(${rule} or ${sameMachine} ${silent}))`;
  const lines = answers.map(
    ({ value }) => `count_values("hosts", count(${machinesWith(value)})) * ${value}`,
  );
  return `(${lines.join(' or on () ')}) + on () group_left (of) ${all} * 0`;
}

/** Each machine's answer as one of `verdictRanks`. */
export function verdictRank(): string {
  const ranked = answers.map(
    ({ value }, i) => `${machinesWith(value)} * 0 + ${answers.length - 1 - i}`,
  );
  return `max by (host) (${ranked.join(' or ')})`;
}
