/**
 * The numbers that alerts, dashboards and documentation share. Each has one home, here, and the
 * reason beside it; where nobody has measured the right value the reason says "judgement".
 *
 * The rules under alerts/rules write the same numbers out, so that a person reading a rule at
 * night sees a number and not a name; a test compares them.
 */

export interface Threshold {
  /** From here on a person should know. Panels turn amber, tickets are written. */
  readonly warn: number;
  /** From here on users are hurt. Panels turn red, pages are sent. */
  readonly bad: number;
  readonly unit: 'ratio' | 'seconds' | 'count' | 'per_second';
  readonly why: string;
}

/** How often Prometheus scrapes and evaluates: what "within seconds" rests on. */
export const scrapeIntervalSeconds = 2;
export const evaluationIntervalSeconds = 2;

/** One slice of the wall-clock SLOs: seven scrapes, and short against any outage worth a page. */
export const sliceSeconds = 15;

/** Longer than the 28 days of the SLO; Prometheus keeps 15 days unless told. */
export const retentionDays = 35;

export const thresholds = {
  /** stealwatch_steal_ratio and the demand ratio: steal / (steal + busy). */
  stealRatio: {
    warn: 0.05,
    bad: 0.2,
    unit: 'ratio',
    why: 'Judgement. 2 % is nothing, 10 % over 5 min is the common alert; above 20 % every fifth request waits for the host.',
  },
  /** Sustained steal as a share of demand: a ticket, alert StealHigh. */
  stealSustainedRatio: {
    warn: 0.1,
    bad: 0.2,
    unit: 'ratio',
    why: 'The 10 % that the field alerts on, over 30 minutes, because a short burst needs nobody.',
  },
  /** Share of all CPUs that this machine itself keeps busy. */
  ownCpuRatio: {
    warn: 0.7,
    bad: 0.9,
    unit: 'ratio',
    why: 'Judgement: above 90 % the queue for a CPU is your own.',
  },
  /** redis_unresponsive_seconds. */
  redisUnresponsiveSeconds: {
    warn: 1,
    bad: 5,
    unit: 'seconds',
    why: 'Most clients give up after 1 to 5 s; a stall of 4 s must page nobody.',
  },
  /** The same while the connection is refused: a restart is not an outage. */
  redisDownSeconds: {
    warn: 10,
    bad: 30,
    unit: 'seconds',
    why: 'A deploy that restarts Redis takes up to 20 s and must page nobody.',
  },
  redisPingSeconds: {
    warn: 0.05,
    bad: 0.25,
    unit: 'seconds',
    why: '50 ms is the latency objective; over 250 ms the probe calls Redis slow.',
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
  /** redis_rdb_current_bgsave_duration_sec, and five times the last one. */
  redisBgsaveSeconds: {
    warn: 60,
    bad: 120,
    unit: 'seconds',
    why: 'Judgement: a VPS writes its data set in seconds; below two minutes it may be a slow disk.',
  },
  /** redis_aof_delayed_fsync: warn per 6 h, bad per 15 min. */
  aofDelayedFsyncs: {
    warn: 3,
    bad: 5,
    unit: 'count',
    why: 'From one outage: delayed fsyncs came 41 h and 27 h before it, 14 within 15 min on the day.',
  },
  /** Age of the oldest D spell by host page-in. */
  pageInStuckSeconds: {
    warn: 5,
    bad: 60,
    unit: 'seconds',
    why: 'A page-in takes milliseconds from a disk; after a minute it has stood still or got lost.',
  },
  /** Age of the oldest D spell of any other kind. */
  taskBlockedSeconds: {
    warn: 5,
    bad: 20,
    unit: 'seconds',
    why: 'Judgement: a starved disk blocks a task for seconds, a stuck one for good.',
  },
  /** rate of stealwatch_async_page_faults_total. */
  hostPageInsPerSecond: {
    warn: 0.1,
    bad: 1,
    unit: 'per_second',
    why: 'A host that does not overcommit pages nothing in: 0 is normal, 60 in 10 min is thrash.',
  },
  /** stealwatch_cold_page_host_faults_total, all ages: warn per 5 min, bad per 10 min. */
  coldPageIns: {
    warn: 3,
    bad: 60,
    unit: 'count',
    why: "A single count may be a stray one: the exporter's own verdict wants three in 5 min as well. 60 in 10 min is thrash, whoever counts the page-ins.",
  },
  /** stealwatch_seconds_total{verdict="stall"} within 2 minutes. */
  stalledSecondsIn2m: {
    warn: 2,
    bad: 10,
    unit: 'seconds',
    why: 'Judgement: 10 of 120 s without any CPU is more than any client timeout forgives.',
  },
  /** stealwatch_stall_seconds, one oversleep. */
  stallSeconds: {
    warn: 0.25,
    bad: 1,
    unit: 'seconds',
    why: 'Redis answers in under a millisecond: a quarter of a second is seen, a second is felt.',
  },
  /** Share of time some task waited, from /proc/pressure. */
  pressureRatio: {
    warn: 0.2,
    bad: 0.5,
    unit: 'ratio',
    why: 'Judgement: above half the time somebody waits.',
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
  /** asynq_queue_latency_seconds: the age of the oldest pending task. */
  queueLatencySeconds: {
    warn: 30,
    bad: 60,
    unit: 'seconds',
    why: '30 s is the objective of the queue SLO; a minute is what a waiting user gives up at.',
  },
  /** asynq_queue_schedule_lag_seconds. */
  scheduleLagSeconds: {
    warn: 15,
    bad: 60,
    unit: 'seconds',
    why: "Asynq's forwarder runs every 5 s: over 15 s it is late, over 60 s it is gone.",
  },
  /** Archived tasks in a queue. */
  archivedTasks: {
    warn: 5000,
    bad: 9900,
    unit: 'count',
    why: 'Asynq drops the oldest above 9,999: from there on the number stands still and hides failures.',
  },
  /** stealwatch_sampler_age_seconds. */
  samplerAgeSeconds: {
    warn: 5,
    bad: 15,
    unit: 'seconds',
    why: 'The clocks tick every second; /status calls one dead after 15 s.',
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

/** Burn rates of the SRE workbook, as lines on the burn-rate panel. */
export const burnRates = { page: [14.4, 6], ticket: [3, 1] } as const;
