/** What Prometheus is asked for: our metrics (docs/metrics.md) as measures of a report. */
import type { Measure } from '../facts/facts.ts';

export interface Query {
  readonly measure: Measure;
  /** The label whose value says of which CPU, disk or queue. */
  readonly by?: string;
  /** In front of that value: `cpu` makes `cpu1` of 1. */
  readonly prefix?: string;
  readonly expr: (select: Select, window: string) => string;
}

/** A selector: name, matchers, and in brackets the range. */
export type Select = (name: string, matchers?: string) => string;

type Expression = Query['expr'];

/** The last value that is no older than the window: never one from before a gap. */
const gauge =
  (fold: 'max' | 'min' | 'sum', name: string, matchers?: string): Expression =>
  (select, window) =>
    `${fold}(${fold === 'min' ? 'min' : 'max'}_over_time(${select(name, matchers)}[${window}]))`;

const rate =
  (name: string, matchers?: string): Expression =>
  (select, window) =>
    `sum(rate(${select(name, matchers)}[${window}]))`;

const cpu = 'stealwatch_cpu_seconds_total';
const unused = 'idle|iowait|steal';

const share =
  (matchers: string): Expression =>
  (select, window) =>
    `${rate(cpu, matchers)(select, window)} / ${rate(cpu)(select, window)}`;

/** Of so little demand a share says nothing; there it is 0. */
const ofDemand: Expression = (select, window) => {
  const steal = rate(cpu, 'mode="steal"')(select, window);
  const demand = rate(cpu, 'mode!~"idle|iowait"')(select, window);
  return `${steal} / (${demand} > 0.05) or 0 * ${steal}`;
};

const pressure = (resource: string): Expression =>
  rate('stealwatch_pressure_seconds_total', `resource="${resource}",kind="some"`);

const diskRate = (name: string, select: Select, window: string): string =>
  `sum by (device) (rate(${select(name)}[${window}]))`;

export const queries: readonly Query[] = [
  { measure: 'cpu_idle', expr: share('mode="idle"') },
  { measure: 'cpu_iowait', expr: share('mode="iowait"') },
  { measure: 'cpu_steal', expr: share('mode="steal"') },
  { measure: 'cpu_own', expr: share(`mode!~"${unused}"`) },
  { measure: 'steal_of_demand', expr: ofDemand },
  {
    measure: 'cpu_steal',
    by: 'cpu',
    prefix: 'cpu',
    expr: (select, window) =>
      `sum by (cpu) (rate(${select('stealwatch_cpu_steal_seconds_total')}[${window}]))`,
  },
  { measure: 'load_1m', expr: gauge('max', 'stealwatch_load1') },
  { measure: 'tasks_in_io_wait', expr: gauge('max', 'stealwatch_procs_blocked') },
  {
    measure: 'memory_used',
    expr: (select, window) =>
      `1 - ${gauge('min', 'stealwatch_memory_bytes', 'kind="available"')(select, window)} / ${gauge('max', 'stealwatch_memory_bytes', 'kind="total"')(select, window)}`,
  },
  { measure: 'swap_in_pages', expr: rate('stealwatch_memory_events_total', 'event="swap_in"') },
  { measure: 'swap_out_pages', expr: rate('stealwatch_memory_events_total', 'event="swap_out"') },
  { measure: 'major_faults', expr: rate('stealwatch_memory_events_total', 'event="major_fault"') },
  { measure: 'pressure_cpu', expr: pressure('cpu') },
  { measure: 'pressure_io', expr: pressure('io') },
  { measure: 'pressure_memory', expr: pressure('memory') },
  {
    measure: 'disk_operations',
    by: 'device',
    expr: (select, window) => diskRate('stealwatch_disk_operations_total', select, window),
  },
  {
    measure: 'disk_await_seconds',
    by: 'device',
    expr: (select, window) =>
      `${diskRate('stealwatch_disk_seconds_total', select, window)} / (${diskRate('stealwatch_disk_operations_total', select, window)} > 0)`,
  },
  { measure: 'host_page_ins', expr: rate('stealwatch_async_page_faults_total') },
  { measure: 'threads_in_d', expr: gauge('sum', 'stealwatch_blocked_tasks') },
  {
    measure: 'threads_waiting_for_page',
    expr: gauge('sum', 'stealwatch_blocked_tasks', 'reason="host_page_in"'),
  },
  {
    measure: 'stalled_seconds',
    expr: (select, window) =>
      `sum(increase(${select('stealwatch_seconds_total', 'verdict="stall"')}[${window}]))`,
  },
  { measure: 'redis_up', expr: gauge('min', 'redis_up') },
  {
    // How long its answer took, or has been waited for.
    measure: 'redis_latency_seconds',
    expr: (select, window) =>
      `${gauge('max', 'redis_unresponsive_seconds')(select, window)} > 1 or ${rate('redis_ping_seconds_sum')(select, window)} / ${rate('redis_ping_seconds_count')(select, window)}`,
  },
  { measure: 'redis_stopped', expr: gauge('max', 'redis_process_state', 'state="T"') },
  {
    measure: 'queue_latency_seconds',
    by: 'queue',
    expr: (select, window) =>
      `topk(20, max by (queue) (max_over_time(${select('asynq_queue_latency_seconds')}[${window}])))`,
  },
];
