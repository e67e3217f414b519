/** alerts/slo.yml as it is: what rules, dashboards and documents are made from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BurnSeverity, readSloSpec, type SloSpec } from './spec.ts';

export const shippedSpec = (): SloSpec =>
  readSloSpec(readFileSync(join(import.meta.dirname, '..', 'slo.yml'), 'utf8'));

/** The burn rates that speak, as lines on a panel. */
export function burnFactors(severity: BurnSeverity): {
  readonly fast: number;
  readonly slow: number;
} {
  const factors = shippedSpec()
    .burnRates.filter((rate) => rate.severity === severity)
    .map(({ factor }) => factor);
  if (factors.length === 0) throw new Error(`slo.yml: burn_rates has none for a ${severity}`);
  return { fast: Math.max(...factors), slow: Math.min(...factors) };
}
