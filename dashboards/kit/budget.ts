/**
 * How the SLO rules are asked. Their names are Sloth's, one series per objective and host; a
 * queue objective has one per queue as well.
 */
import type { SloName } from '../../alerts/slo/spec.ts';
import { here } from './query.ts';

/** What is left of the period's budget, 1 to below 0. */
export function budgetLeft(slo: SloName): string {
  return `slo:period_error_budget_remaining:ratio{${here},slo="${slo}"}`;
}

/** How many times faster than allowed each budget is being spent. 1 is exactly the objective. */
export function currentBurn(): string {
  return `slo:current_burn_rate:ratio{${here}}`;
}
