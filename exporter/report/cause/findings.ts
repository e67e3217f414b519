/**
 * What may be found, each with the data it hangs on. A sentence that needs a finding is handed its
 * data and nothing else (claims/claim.ts): what was not found cannot be said.
 */
import type { Reason } from '../../tasks/reasons.ts';
import type {
  AlertSpan,
  Gap,
  Instant,
  Interval,
  KernelEventFact,
  KernelReport,
  RedisEvent,
  SystemEvent,
} from '../facts/facts.ts';
import type { End } from './incident.ts';
import type { Stats, Window } from './window.ts';

/** From the strongest down. */
export const certainties = ['proven', 'very likely', 'likely', 'possible'] as const;
export type Certainty = (typeof certainties)[number];

interface Figures {
  readonly during: Stats;
  /** Of the day before, where that was measured. */
  readonly before?: Stats;
}

interface KernelSleep {
  readonly process: string;
  readonly pid: number;
  readonly threads: number;
  readonly processes: number;
  readonly reports: number;
  readonly onset: Interval;
  readonly first: KernelReport;
  readonly last: KernelReport;
  /** The function it slept in: the first that says what for. */
  readonly asleepIn?: string;
}

/** When it did not answer, and for how long: other signs may lead up to it and last on. */
interface Silence {
  readonly window: Window;
  readonly seconds: number;
  /** Nothing was measured after it. */
  readonly atLeast?: true;
}

interface Ended extends End {
  readonly process?: string;
}

export interface FindingData {
  /** When it was. `seconds`: at least so long. */
  incident: {
    readonly window: Window;
    readonly onset: Interval;
    readonly end: End;
    readonly seconds: number;
  };
  asleep: KernelSleep;
  /** How well its beginning is dated. */
  dated: {
    readonly narrowedBy?: 'log' | 'probe';
    /** The recorder had seen it asleep before the kernel's first look: its source. */
    readonly seenBy?: string;
    readonly doubt?: string;
  };
  /** The thread that a Redis answers with was among them. */
  redis_asleep: { readonly process: string };
  /** Of a Redis, only threads that it works with aside were. */
  redis_aside_asleep: { readonly process: string; readonly thread: string };
  redis_last_line: { readonly event: RedisEvent };
  reports_spent: { readonly reports: number; readonly last: Instant };
  /** The recorder saw it asleep when the kernel's detector says it was awake. */
  recorder_early: { readonly since: Instant; readonly earliest: Instant };
  /** A probe of Redis had an answer in the middle of its sleep. */
  answered_asleep: { readonly at: Instant };
  clock_stepped: { readonly at: Instant; readonly seconds: number };
  ended_alive: Ended;
  ended_replaced: Ended;
  ended_quiet: Ended & { readonly latest: Instant };
  ended_reset: Ended;
  ended_shutdown: Ended;
  ended_with_boot: Ended;
  ended_unseen: Ended;
  ended_measured: Ended;
  still_on: Ended;
  unclean_end: { readonly at: Instant; readonly said: readonly string[] };

  // What the host did, or may have done.
  page_withheld_traced: {
    readonly asleepIn: string;
    readonly reports: number;
    readonly threads: number;
  };
  /** All that shows it is a text in which programs can call themselves the kernel. */
  trace_forgeable: { readonly reports: number };
  page_withheld_measured: {
    readonly threads: number;
    /** In which they were seen so, and from when to when. */
    readonly seconds: number;
    readonly from: Instant;
    readonly to: Instant;
  };
  page_withheld_thin: { readonly rise: number };
  page_ins: { readonly during: Stats; readonly lastHour?: Stats; readonly before?: Stats };
  /** Others came back while this one did not. */
  page_lost: { readonly rate: number };
  parked_threads: { readonly rise: number; readonly idle: number; readonly waiting: number };
  vm_stopped: { readonly gap: Gap; readonly sources: number };
  soft_lockup: { readonly event: KernelEventFact; readonly count: number };
  cpu_taken: Figures & { readonly cpu?: string };
  /** Much use of our own before it. */
  throttle_possible: { readonly own: number; readonly hours: number };
  disk_stalled_host: {
    readonly asleepIn: string;
    readonly awaitSeconds?: number;
    readonly operations: number;
    readonly usual: number;
  };
  disk_stalled_unclear: { readonly asleepIn: string };
  frozen_by_agent: { readonly event: SystemEvent; readonly thawed?: Instant };

  // What is our own, or nobody's yet.
  filesystem_frozen: { readonly asleepIn: string };
  filesystem_waits: { readonly asleepIn: string };
  /** A lock-up, a stall or a clock that jumped: who is to blame does not follow. */
  kernel_stall: { readonly event: KernelEventFact; readonly count: number };
  lock_held: { readonly process: string };
  other_sleep: { readonly asleepIn?: string };
  disk_own: {
    readonly asleepIn?: string;
    readonly disk?: string;
    readonly busy?: number;
    readonly operations?: number;
  };
  out_of_memory: { readonly event: KernelEventFact; readonly count: number };
  out_of_memory_container: { readonly event: KernelEventFact; readonly count: number };
  short_of_memory: {
    readonly pressure?: number;
    readonly swapIn?: number;
    readonly faults?: number;
    readonly used?: number;
  };
  own_load: { readonly idle: number; readonly own?: number };
  /** It did not answer, and the kernel had none of its threads asleep. */
  redis_stopped_or_busy: Silence & { readonly by: 'threads' | 'kernel log' };
  /** Somebody stopped its process. */
  redis_stopped: Silence;
  /** It served nobody; whether it was there at all is not known. */
  redis_unserved: Silence;
  redis_slow: { readonly most: number };
  redis_shut_down: { readonly event: RedisEvent };
  aof_slow: { readonly count: number };
  cause_unknown: { readonly causes: 0 };

  // What it was not.
  cleared_cpu: Figures;
  cleared_steal: Figures;
  cleared_disk: Figures;
  cleared_iowait: Figures;
  cleared_memory: Figures;
  cleared_swap: Figures;
  /** The day before, of use: for those who say that the plan is too small. */
  usual_use: { readonly idle: Stats; readonly memory?: Stats };

  // What it did to others, and who noticed.
  data_lost: { readonly asOf: Instant; readonly keys?: number };
  redis_back: { readonly at: Instant; readonly keys?: number };
  victims: { readonly count: number; readonly first: Instant; readonly last: Instant };
  queue_waited: { readonly seconds: number };
  alerted: { readonly alerts: readonly AlertSpan[] };
  nobody_alerted: { readonly source: string };
  stop_failed: { readonly event: SystemEvent };

  // What does not go together.
  clocks_disagree: { readonly event: RedisEvent };
  not_kvm: { readonly hypervisor: string };
  reasons_differ: { readonly reasons: readonly Reason[] };
  host_and_own: { readonly own: readonly string[] };
  sources_differ: { readonly measure: string; readonly values: readonly [number, number] };
}

export type FindingId = keyof FindingData;

export interface Finding<K extends FindingId> {
  readonly certainty: Certainty;
  readonly data: FindingData[K];
  /** Ids of the sources it was found in. */
  readonly sources: readonly string[];
}

export type Findings = { readonly [K in FindingId]?: Finding<K> };

export function weakest(all: readonly Certainty[]): Certainty {
  return certainties[Math.max(0, ...all.map((one) => certainties.indexOf(one)))] ?? 'possible';
}
