/**
 * Where the links in a message lead. Change these two, run `npm run generate`, and every
 * alert follows.
 */
export const links = {
  /** Followed by the alert's name and `.md`. */
  runbooks: 'https://github.com/stealwatch/stealwatch/blob/main/docs/runbooks/',
  /** Your Grafana, as people reach it. */
  grafana: 'http://localhost:3000',
} as const;
