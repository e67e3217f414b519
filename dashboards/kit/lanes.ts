/**
 * The lanes of the incident timeline: cause at the top, symptom at the bottom. Each is 0, 1 or 2,
 * the worst of the selected hosts and of the step, so a stall of a few seconds is still there
 * when a week is on the screen. -1: scraped, but not measured there; no value: no scrape.
 *
 * Everything goes through a range, never the bare gauge: after a freeze of Prometheus itself a
 * bare gauge would be drawn on for the five minutes of its lookback.
 */
import { burnFactors } from '../../alerts/slo/shipped.ts';
import { thresholds } from '../../alerts/thresholds.ts';
import { currentBurn } from './budget.ts';
import { type Query, here, range } from './query.ts';
import { queuesUnread } from './queues.ts';

const window = '[$__rate_interval]';

/**
 * `value` is at least 0. A value that could not be read is NaN; `>= 0` drops it, because NaN
 * compared with a limit is 0 and would be drawn as "ok".
 */
function level(value: string, warn: number, bad: number): string {
  return `(((${value}) >= 0) > bool ${warn}) + ((${value}) > bool ${bad})`;
}

function lane(name: string, expr: string): Query {
  return range(`max(${expr} or on (host, job, instance) (up{${here}} == 1) - 2)`, name);
}

const { stalledSecondsIn2m: stalled } = thresholds;

export const steal = lane(
  'CPU steal',
  level(
    `sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_sum{${here}}${window})) / sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_count{${here}}${window}) > 0) or sum by (host, job, instance) (rate(stealwatch_steal_demand_ratio_count{${here}}${window})) * 0`,
    thresholds.stealRatio.warn,
    thresholds.stealRatio.bad,
  ),
);

export const pageIns = lane(
  'Host page-ins',
  level(
    `rate(stealwatch_async_page_faults_total{${here}}${window})`,
    thresholds.hostPageInsPerSecond.warn,
    thresholds.hostPageInsPerSecond.bad,
  ),
);

const stalls = lane(
  'Stalls',
  level(
    `sum by (host, job, instance) (rate(stealwatch_seconds_total{${here},verdict="stall"}${window})) * 120`,
    stalled.warn,
    stalled.bad,
  ),
);

const blocked = lane(
  'Blocked tasks',
  level(
    `max by (host, job, instance) (max_over_time(stealwatch_blocked_task_longest_seconds{${here}}${window}))`,
    thresholds.taskBlockedSeconds.warn,
    thresholds.taskBlockedSeconds.bad,
  ),
);

const hungTasks = lane(
  'Hung task reports',
  `2 * (sum by (host, job, instance) (increase(stealwatch_hung_task_reports_total{${here}}${window})) > bool 0)`,
);

const bgsave = lane(
  'bgsave running',
  `(max_over_time(redis_rdb_bgsave_in_progress{${here}}${window}) >= 0) + (max_over_time(redis_rdb_current_bgsave_duration_sec{${here}}${window}) > bool ${thresholds.redisBgsaveSeconds.bad})`,
);

/**
 * The gauge keeps the last fork's time; the lane lights only where it moved. Not by changes():
 * that counts a value which cannot be read any more as a change.
 */
const fork = lane(
  'Fork slow',
  `(${level(
    `last_over_time(redis_latest_fork_seconds{${here}}${window})`,
    thresholds.redisForkSeconds.warn,
    thresholds.redisForkSeconds.bad,
  )}) * (max_over_time(redis_latest_fork_seconds{${here}}${window}) - min_over_time(redis_latest_fork_seconds{${here}}${window}) > bool 0)`,
);

/** A counter keeps its last value while INFO is not answered: that it stands still was not measured then. */
const asked = `on (host, job, instance) max_over_time(stealwatch_collector_success{${here},collector="redis-info"}${window}) == 1`;

const fsync = lane(
  'AOF fsync delayed',
  `(${level(
    `increase(redis_aof_delayed_fsync{${here}}${window})`,
    0,
    thresholds.aofDelayedFsyncs.bad - 1,
  )}) and ${asked}`,
);

/** Of those that were answered: one that answers nothing is not slow, and not well either. */
const redisSlow = lane(
  'Redis slow',
  level(
    `sum by (host, job, instance) (rate(redis_probes_total{${here},result="slow"}${window})) / sum by (host, job, instance) (rate(redis_probes_total{${here},result=~"ok|slow"}${window}) > 0)`,
    0,
    0.5,
  ),
);

export const redisSilent = lane(
  'Redis unresponsive',
  level(
    `max_over_time(redis_unresponsive_seconds{${here}}${window})`,
    thresholds.redisUnresponsiveSeconds.warn,
    thresholds.redisUnresponsiveSeconds.bad,
  ),
);

const listenQueue = lane(
  'Listen queue',
  level(
    `max_over_time(redis_listen_queue_length{${here}}${window})`,
    thresholds.listenQueueLength.warn,
    thresholds.listenQueueLength.bad,
  ),
);

/** While Redis does not answer the queue gauges are NaN, and no task is being picked up. Without any it is not measured. */
export const oldestTask = lane(
  'Asynq oldest task',
  `${level(
    `max by (host, job, instance) (max_over_time(asynq_queue_latency_seconds{${here}}${window}))`,
    thresholds.queueLatencySeconds.warn,
    thresholds.queueLatencySeconds.bad,
  )} or on (host, job, instance) ${queuesUnread(`max_over_time(asynq_up{${here}}${window})`)} + 2`,
);

const burn = lane(
  'SLO burn',
  level(`max by (host, job, instance) (${currentBurn()})`, 1, burnFactors('page').fast),
);

const noScrape = range(`max(2 * (min_over_time(up{${here}}${window}) == bool 0))`, 'No scrape');

/** In this order on the screen. */
export const incidentLanes: readonly Query[] = [
  steal,
  pageIns,
  stalls,
  blocked,
  hungTasks,
  bgsave,
  fork,
  fsync,
  redisSlow,
  redisSilent,
  listenQueue,
  oldestTask,
  burn,
  noScrape,
];
