/**
 * What collectors know of the last second, a number each: the columns of the flight recorder
 * (evidence/). All of it is in their memory already; nothing is read for it.
 */

/** How several seconds become one row: of a wait the longest counts, of a share the mean. */
export type Fold = 'mean' | 'max' | 'sum';

export const columns = {
  /** Shares of all CPU time of the last second, 0 to 1. */
  cpu_own: 'mean',
  cpu_steal: 'mean',
  cpu_idle: 'mean',
  cpu_iowait: 'mean',
  /** Of the CPU time asked for, what the host took: of all vCPUs or the worst; none where next to nothing was asked for. */
  steal_of_demand: 'mean',
  /** In which nothing ran, not even this process. */
  stalled_seconds: 'sum',
  /** Pages that the host fetched back, per second. */
  host_page_ins: 'mean',
  /** Threads in D state, without idle kernel threads; of those, who wait for the host to bring a page. */
  threads_in_d: 'max',
  threads_waiting_for_page: 'max',
  /** How long the oldest such sleep has lasted, and the oldest wait for a page. */
  oldest_wait_seconds: 'max',
  page_wait_seconds: 'max',
  /** How long the canary has been waiting for its page. */
  cold_page_wait_seconds: 'max',
  /** Place of the state in `redisStates` (redis/state.ts): 0 up, 1 slow, 2 frozen. */
  redis_state: 'max',
  /** Of the last PING: how long its answer took, or has been waited for. */
  redis_latency_seconds: 'max',
  /** Time since it last answered anything, 0 while it does. */
  redis_silent_seconds: 'max',
  /** 1 while its process is stopped, by SIGSTOP or a debugger, and 0 while it is seen and is not. */
  redis_stopped: 'max',
  load_1m: 'max',
  /** Share of the last minute in which all that had work waited for a disk; known while somebody scrapes. */
  pressure_io: 'mean',
} as const satisfies Readonly<Record<string, Fold>>;

export type Column = keyof typeof columns;

export const columnNames = Object.keys(columns) as readonly Column[];

/** What is left out was not known in this second. */
export type Second = Readonly<Partial<Record<Column, number>>>;
