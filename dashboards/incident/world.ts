/**
 * What is true of one machine at one moment, as the fixture of the dashboards tells it. Rates are
 * per second. A timeline is a list of changes to it; everything counted follows from these.
 */
export type Reason = 'host_page_in' | 'disk' | 'filesystem';

export interface World {
  /** Whether the exporter answers Prometheus. */
  readonly answers: boolean;
  /** Share of all CPUs this machine uses itself. */
  readonly own: number;
  /** Share of all CPUs the host takes. */
  readonly steal: number;
  /** Share of the demand of a second that is denied, and of how many seconds that is so. */
  readonly denied: number;
  readonly deniedSeconds: number;
  /** Pages the host brings back. */
  readonly pageIns: number;
  /** Seconds without a tick, per second, in stalls of this length. */
  readonly stalled: number;
  readonly stallLength: number;
  /** A thread in D, why, and since when (seconds since the fixture's start). */
  readonly blocked: Reason | undefined;
  /** The kernel writes a report every this many seconds while the thread is blocked. */
  readonly hungTaskReports: boolean;
  /** Share of time somebody waits. */
  readonly pressureCpu: number;
  readonly pressureIo: number;
  readonly redis: 'up' | 'slow' | 'frozen';
  /** How the link to its master is, where this Redis is a replica. */
  readonly master: 'none' | 'up' | 'down';
  readonly bgsave: boolean;
  readonly forkSeconds: number;
  readonly savesEnabled: boolean;
  /** Delayed fsyncs. */
  readonly delayedFsyncs: number;
  /** Writes to Redis. */
  readonly writes: number;
  /** Tasks that arrive and that are done. */
  readonly tasksIn: number;
  readonly tasksOut: number;
}

export const quiet: World = {
  answers: true,
  own: 0.12,
  steal: 0,
  denied: 0,
  deniedSeconds: 0,
  pageIns: 0,
  stalled: 0,
  stallLength: 0.02,
  blocked: undefined,
  hungTaskReports: false,
  pressureCpu: 0.01,
  pressureIo: 0.002,
  redis: 'up',
  master: 'none',
  bgsave: false,
  forkSeconds: 0.018,
  savesEnabled: true,
  delayedFsyncs: 0,
  writes: 40,
  tasksIn: 6,
  tasksOut: 6,
};

/** From this time of day on, these things are so. */
export interface Change {
  /** `17:48:40`, UTC. */
  readonly at: string;
  /** What happens, for the reader. */
  readonly because: string;
  readonly now: Partial<World>;
}

/** What a machine cannot show. */
export interface Abilities {
  readonly kvm: boolean;
  readonly pressure: boolean;
  readonly kernelLog: boolean;
  readonly waitChannel: boolean;
  /** The Redis process is on the same machine. */
  readonly sameHost: boolean;
  /** There is a Redis to watch at all. */
  readonly redis: boolean;
  readonly asynq: boolean;
  readonly canary: boolean;
}

export const ableToAll: Abilities = {
  kvm: true,
  pressure: true,
  kernelLog: true,
  waitChannel: true,
  sameHost: true,
  redis: true,
  asynq: true,
  canary: true,
};

export const ableToNothing: Abilities = {
  kvm: false,
  pressure: false,
  kernelLog: false,
  waitChannel: false,
  sameHost: false,
  redis: true,
  asynq: false,
  canary: false,
};

export interface Machine {
  readonly name: string;
  /** Labels that the scrape job sets. */
  readonly provider: string;
  readonly price: string;
  readonly cpus: number;
  readonly scrapeSeconds: number;
  readonly abilities: Abilities;
  readonly changes: readonly Change[];
}
