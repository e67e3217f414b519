/**
 * The numbers that alerts, dashboards and documentation share. Each has one home, and the reason
 * beside it: here, or in exporter/measure/limits.ts where the exporter's own page asks for it too.
 *
 * The rules under alerts/rules write the same numbers out, so that a person reading a rule at
 * night sees a number and not a name; a test compares them.
 */
import { limits, type Threshold } from '../exporter/measure/limits.ts';

/** How often Prometheus scrapes and evaluates: what "within seconds" rests on. */
export const scrapeIntervalSeconds = 2;
export const evaluationIntervalSeconds = 2;

/** One slice of the wall-clock SLOs: seven scrapes, and short against any outage worth a page. */
export const sliceSeconds = 15;

/** Longer than the 28 days of the SLO; Prometheus keeps 15 days unless told. */
export const retentionDays = 35;

export const thresholds = {
  ...limits,
  /** Sustained steal as a share of demand: a ticket, alert StealHigh. */
  stealSustainedRatio: {
    warn: 0.1,
    bad: 0.2,
    unit: 'ratio',
    why: 'The 10 % that the field alerts on, over 30 minutes, because a short burst needs nobody.',
  },
  /** redis_latest_fork_seconds. */
  redisForkSeconds: {
    warn: 0.2,
    bad: 1,
    unit: 'seconds',
    why: 'A healthy fork takes 9 to 25 ms per GB, so 0.2 s is 8 GB or a host that pages.',
  },
  /** redis_listen_queue_length: connections the kernel accepted and Redis has not. */
  listenQueueLength: {
    warn: 3,
    bad: 20,
    unit: 'count',
    why: 'Judgement: Redis accepts at once, so a few waiting is a pause and twenty is a freeze.',
  },
  /** redis_aof_delayed_fsync: warn per 6 h, bad per 15 min. */
  aofDelayedFsyncs: {
    warn: 3,
    bad: 5,
    unit: 'count',
    why: 'From one outage: delayed fsyncs came 41 h and 27 h before it, 14 within 15 min on the day.',
  },
  /** stealwatch_stall_seconds, one oversleep. */
  stallSeconds: {
    warn: 0.25,
    bad: 1,
    unit: 'seconds',
    why: 'Redis answers in under a millisecond: a quarter of a second is seen, a second is felt.',
  },
  /** redis_process_tasks. */
  redisProcessTasks: {
    warn: 20,
    bad: 50,
    unit: 'count',
    why: 'redis-server has 5 to 7 threads and one child while it saves; health checks that exec pile up behind a frozen one.',
  },
  /** stealwatch_hung_task_warnings_left, falling: -1 is unlimited. */
  hungTaskWarningsLeft: {
    warn: 3,
    bad: 0,
    unit: 'count',
    why: 'The kernel starts with 10 reports and never refills: at 0 it says nothing any more.',
  },
  /** Share of wall-clock slices in which anything was measured, falling. */
  coverageRatio: {
    warn: 0.99,
    bad: 0.95,
    unit: 'ratio',
    why: 'Judgement: below 95 % an objective of 99.5 % is a guess.',
  },
  /** Share of the error budget left over the period, falling. */
  budgetLeftRatio: {
    warn: 0.25,
    bad: 0,
    unit: 'ratio',
    why: 'Below a quarter there is room for one more incident; at 0 the objective is missed.',
  },
} as const satisfies Readonly<Record<string, Threshold>>;
