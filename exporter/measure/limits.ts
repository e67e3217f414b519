/**
 * From where on something is worth a word, and from where on it hurts: the numbers that this page, its
 * verdict and its findings share with the rules, panels and documents, which add their own
 * (alerts/thresholds.ts). Each has one home, and the reason beside it; where nobody has measured the
 * right value the reason says "judgement".
 */

export interface Threshold {
  /** From here on a person should know. Panels turn amber, tickets are written. */
  readonly warn: number;
  /** From here on users are hurt. Panels turn red, pages are sent. */
  readonly bad: number;
  readonly unit: 'ratio' | 'seconds' | 'count' | 'per_second';
  readonly why: string;
}

export const limits = {
  /** stealwatch_steal_ratio and the demand ratio: steal / (steal + busy). */
  stealRatio: {
    warn: 0.05,
    bad: 0.2,
    unit: 'ratio',
    why: 'Judgement. 2 % is nothing, 10 % over 5 min is the common alert; above 20 % every fifth request waits for the host.',
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
  /** redis_rdb_current_bgsave_duration_sec, and five times the last one. */
  redisBgsaveSeconds: {
    warn: 60,
    bad: 120,
    unit: 'seconds',
    why: 'Judgement: a VPS writes its data set in seconds; below two minutes it may be a slow disk.',
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
  /** Share of time some task waited, from /proc/pressure. */
  pressureRatio: {
    warn: 0.2,
    bad: 0.5,
    unit: 'ratio',
    why: 'Judgement: above half the time somebody waits.',
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
  /** stealwatch_rescue_watch_age_seconds. */
  rescueWatchAgeSeconds: {
    warn: 120,
    bad: 300,
    unit: 'seconds',
    why: 'It looks every 5 s, for half a minute not while it writes, and may be started again meanwhile.',
  },
} as const satisfies Readonly<Record<string, Threshold>>;
