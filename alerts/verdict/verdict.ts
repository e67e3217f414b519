/** The six answers to "Is my host stealing from me?", as the rule records them. */
export const verdict = {
  quiet: 0,
  ownLoad: 1,
  steal: 2,
  pageIn: 3,
  disk: 4,
  unknown: 5,
} as const;
