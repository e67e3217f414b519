/**
 * Hour by hour, as lanes. Not a heat map: that one throws in Grafana before 12.4 where nothing was measured
 * yet (grafana/grafana#89793), and as well with a single row and a single hour.
 */

/** 0 up to the first limit, 1 above it, 2 above the second. */
export function level(value: string, limits: readonly number[]): string {
  return limits.map((limit) => `((${value}) > bool ${limit})`).join(' + ');
}

/**
 * A lane of its own where nobody has a value: a state timeline without any shows an error of Grafana's, not
 * its text.
 */
export function hourly(expr: string, label: string): string {
  return `${expr} or on () label_replace(vector(-1), "${label}", "not observed", "", "")`;
}
