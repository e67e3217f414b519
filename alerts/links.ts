/**
 * Where the links in a message lead. Change it, run `npm run generate`, and every alert follows.
 *
 * Boards are no links here but paths below Grafana's address, which only who runs it knows: a message
 * puts GRAFANA_URL before them (alerts/alertmanager/start.sh), and has none without.
 */
export const links = {
  /** Followed by the alert's name and `.md`. */
  runbooks: 'https://github.com/stealwatch/stealwatch/blob/main/docs/runbooks/',
} as const;
