/**
 * Who spent the budget. Of every 15 s slice one cause is recorded, the first of this list that
 * holds: what the host takes comes before what we do to ourselves, because it is what a change of
 * provider would buy. `unknown` is what is left, and everything that nobody measured.
 */
import { thresholds } from '../thresholds.ts';
import { target } from './slices.ts';

export interface Cause {
  readonly cause: 'host_memory' | 'host_cpu' | 'redis_fork' | 'disk' | 'own_load' | 'unknown';
  /** Has a value where the cause holds now. */
  readonly holds: string;
}

const job = 'job="stealwatch"';
const sum = (expr: string) => `sum by (${target}) (${expr})`;
const max = (expr: string) => `max by (${target}) (${expr})`;
/** The worst of the last minute: a gauge is gone at each scrape that fails, which is when it counts. */
const worst = (series: string) => max(`max_over_time(${series}[1m])`);

export const causes: readonly Cause[] = [
  {
    cause: 'host_memory',
    holds: `${sum(`rate(stealwatch_async_page_faults_total{${job}}[1m])`)} > ${thresholds.hostPageInsPerSecond.bad}
or ${worst(`stealwatch_blocked_task_longest_seconds{${job},reason="host_page_in"}`)} > 1
or ${worst(`stealwatch_cold_page_outstanding_seconds{${job}}`)} > 1
or ${sum(`increase(stealwatch_cold_page_host_faults_total{${job}}[5m])`)} >= ${thresholds.coldPageIns.warn}
or ${sum(`increase(stealwatch_kernel_events_total{${job},event="soft_lockup"}[2m])`)} > 0`,
  },
  {
    cause: 'host_cpu',
    holds: `${sum(`rate(stealwatch_seconds_total{${job},verdict="steal"}[1m])`)} > 0.05`,
  },
  {
    cause: 'redis_fork',
    holds: `${worst(`redis_rdb_bgsave_in_progress{${job}}`)} == 1
or ${worst(`redis_aof_rewrite_in_progress{${job}}`)} == 1`,
  },
  {
    cause: 'disk',
    holds: `${worst(`stealwatch_blocked_task_longest_seconds{${job},reason=~"disk|filesystem"}`)} > 1
or ${max(`last_over_time((redis_aof_delayed_fsync{${job}} >= 0)[1m:5s]) - min_over_time(redis_aof_delayed_fsync{${job}}[2m])`)} > 0
or ${sum(`rate(stealwatch_pressure_seconds_total{${job},resource="io",kind="full"}[1m])`)} > ${thresholds.pressureRatio.bad}`,
  },
  {
    cause: 'own_load',
    holds: `${sum(`rate(stealwatch_pressure_seconds_total{${job},resource="cpu",kind="some"}[1m])`)} > ${thresholds.pressureRatio.bad}`,
  },
  { cause: 'unknown', holds: `${max(`up{${job}}`)} >= 0` },
];

/**
 * What this evaluation has recorded, and not one before it: a Prometheus that was started anew does not know that a cause
 * from before has ended, and has it beside the present one for five minutes.
 */
const recordedNow = (selector: string) => `timestamp(${selector}) == time()`;

/** 1 with the cause that holds in this slice. */
export const causeNow = `(slo:cause:active and ${recordedNow('slo:cause:active')})`;

/** Earlier causes of the same evaluation win; rules of a group run in their order. */
export function causeExpression({ cause, holds }: Cause): string {
  const earlier = causes.slice(
    0,
    causes.findIndex((other) => other.cause === cause),
  );
  if (earlier.length === 0) return `count by (${target}) (${holds})`;
  const names = earlier.map((other) => other.cause).join('|');
  return `count by (${target}) (${holds})\nunless on (${target}) ${recordedNow(`slo:cause:active{cause=~"${names}"}`)}`;
}
