/** The answers of the verdict's rule in words and colours, as the panels show them. */
import { verdict } from '../../alerts/verdict/verdict.ts';
import { type Meaning, colors } from './palette.ts';

const answers: readonly (Meaning & { readonly short: string })[] = [
  { value: verdict.quiet, text: 'No, the host is quiet', short: 'quiet', color: colors.ok },
  {
    value: verdict.ownLoad,
    text: 'No, you are using your own CPU up',
    short: 'own load',
    color: colors.own,
  },
  {
    value: verdict.steal,
    text: 'Yes, CPU: others take your cores',
    short: 'CPU taken',
    color: colors.steal,
  },
  {
    value: verdict.pageIn,
    text: 'Yes, memory: the host is paging your RAM',
    short: 'RAM paged out',
    color: colors.pageIn,
  },
  { value: verdict.disk, text: 'Disk is the bottleneck', short: 'disk', color: colors.disk },
  { value: verdict.unknown, text: 'Unknown, no data', short: 'no data', color: colors.unknown },
];

/** Sentences, for the panel at the top. */
export const verdictSentences: readonly Meaning[] = answers;

/** A word or two, for a lane. */
export const verdictWords: readonly Meaning[] = answers.map(({ value, short, color }) => ({
  value,
  text: short,
  color,
}));
