/**
 * How the SLO rules are asked. Their names are Sloth's, one series per objective and host; a
 * queue objective has one per queue as well.
 */
import { here } from './query.ts';

type Slo = 'host' | 'steal' | 'redis_availability' | 'redis_latency' | 'queue_latency';

/** What is left of the period's budget, 1 to below 0. */
export function budgetLeft(slo: Slo): string {
  return `slo:period_error_budget_remaining:ratio{${here},slo="${slo}"}`;
}

/** How many times faster than allowed each budget is being spent. 1 is exactly the objective. */
export function currentBurn(): string {
  return `slo:current_burn_rate:ratio{${here}}`;
}
