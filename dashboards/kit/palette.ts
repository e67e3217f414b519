/**
 * One colour per meaning, the same in every panel. Quiet is slate, not green: a screen that is
 * well should not ask to be looked at. No meaning rests on colour alone: every mapped value has
 * a word, every series a name. Each stands out 3 to 1 from a panel of the dark theme and of the light
 * one, and white stands out as much from it: in lanes it is the ground of a word.
 */
export const colors = {
  ok: '#5B6A78',
  degraded: '#D47F00',
  bad: '#E0403F',
  unknown: '#7B8087',
  /** Time the host took. The same red as "bad". */
  steal: '#E0403F',
  /** CPU time this machine used itself. */
  own: '#4C8DF5',
  /** Memory the host swapped out and had to bring back. */
  pageIn: '#A867D0',
  disk: '#94783C',
  memory: '#3F9188',
  neutral: '#7F8B98',
} as const;

/** What a value means in words, with its colour. */
export interface Meaning {
  readonly value: number;
  readonly text: string;
  readonly color: string;
}

/** The three states of every lane, and what a lane shows when this machine cannot say. */
export const laneMeanings: readonly Meaning[] = [
  { value: -1, text: 'not measured', color: colors.unknown },
  { value: 0, text: 'ok', color: colors.ok },
  { value: 1, text: 'degraded', color: colors.degraded },
  { value: 2, text: 'bad', color: colors.bad },
];

/** For figures: -1 is what a query gives where `stealwatch_signal_supported` is 0. */
export const notOffered: Meaning = {
  value: -1,
  text: 'not offered',
  color: colors.unknown,
};
