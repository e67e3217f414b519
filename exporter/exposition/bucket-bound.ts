/** How a histogram's bound is written in the label `le`, which rules match as text. */

/**
 * OpenMetrics' canonical numbers: `0.05`, `1.0` and not `1`, `1e-06` and not `0.000001`. Prometheus 3
 * rewrites what is not canonical when it scrapes and Prometheus 2 does not, so a rule that named
 * another spelling would find its bucket in one of the two only.
 */
export function boundText(bound: number): string {
  if (bound === Number.POSITIVE_INFINITY) return '+Inf';
  const [digits = '', power = '0'] = bound.toExponential().split('e');
  const exponent = Number(power);
  if (bound !== 0 && (exponent < -4 || exponent >= 6)) {
    const sign = exponent < 0 ? '-' : '+';
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound);
}
