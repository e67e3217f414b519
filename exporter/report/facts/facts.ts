/**
 * What the sources of a report found, whichever way it was kept: plain data, in one clock. The
 * readers below `sources/` make it, the rules of `findings.ts` judge it; nothing in between.
 */
import type { KernelEventKind } from '../../kmsg/kernel-events.ts';
import type { HungTaskReport } from '../../kmsg/hung-task.ts';

/** Seconds since 1970, UTC. */
export type Instant = number;

/** Of 2010: clocks that nobody set begin in 1970, 1980 or 2000, and no kernel that tells of a page of its host is older. */
const leastBelieved = Date.UTC(2010) / 1000;

export const isBelieved = (at: Instant): boolean => at >= leastBelieved;

/** A time known to lie between two others: an onset is one as a rule. */
export interface Interval {
  readonly earliest: Instant;
  readonly latest: Instant;
}

export type SourceKind =
  | 'journal'
  | 'kernel_log'
  | 'sysstat'
  | 'redis_log'
  | 'container_log'
  | 'prometheus'
  | 'evidence'
  | 'machine';

/** A source that was read, or should have been. */
export interface Source {
  /** Unique in a report; facts name theirs by it. */
  readonly id: string;
  readonly kind: SourceKind;
  /** As a person knows it: `journal, boot bbbbbbbb`, a path, a URL without its secrets. */
  readonly name: string;
  readonly records: number;
  /** Of the extract that was read, in hexadecimal. */
  readonly sha256?: string;
  /** It was read, and holds nothing from the times that were asked for. */
  readonly outside?: boolean;
  /** Its first record, where what was before is lost: of the time before it says nothing. */
  readonly since?: Instant;
  /** How far its times may be off, in seconds; undefined where nobody can say. */
  readonly timeErrorSeconds?: number;
  /** Why nobody can say, as a half sentence. */
  readonly timeDoubt?: string;
  /** It was named, and does not say of which machine it is. */
  readonly ownerUnsaid?: true;
  /** A program on the machine could have written what it calls the kernel's. */
  readonly forgeable?: boolean;
  /** What could not be read of it and why, a sentence each. */
  readonly problems: readonly string[];
}

/** What was looked for and is not there, and the command that would have kept it. */
export interface Missing {
  readonly what: string;
  readonly why: string;
  readonly command?: string;
  /** Somebody named it, and must hear on the terminal that it was of no use. */
  readonly named?: true;
}

export interface BootEnd {
  readonly at: Instant;
  readonly how: 'clean' | 'unclean' | 'unknown';
  /** Where another source has a later record than the log that the boot is known by: whose, and when that fell silent. */
  readonly later?: { readonly source: string; readonly logSilent: Instant };
}

export interface Boot {
  /** journald's, or one made of the place in the file it was read from. */
  readonly id: string;
  /** When its clock was 0. */
  readonly start: Interval;
  readonly kernelRelease?: string;
  /** As its kernel found it when it started. */
  readonly hypervisor?: NonNullable<Machine['hypervisor']>;
  /** The last that is known of it; undefined for the boot that is running. */
  readonly end?: BootEnd;
  /** What tells how it ended, a sentence each. */
  readonly endSaid: readonly string[];
  readonly source: string;
}

/** One report of the kernel's hung task detector. */
export interface KernelReport {
  /** When it was printed. */
  readonly at: Instant;
  readonly boot: string;
  readonly report: HungTaskReport;
  /** As it was logged, registers and user-space addresses taken out. */
  readonly lines: readonly string[];
  readonly source: string;
}

export interface KernelEventFact {
  readonly at: Instant;
  readonly boot: string;
  readonly kind: KernelEventKind;
  readonly text: string;
  readonly source: string;
}

/** Other lines of the system that the timeline or a rule needs, by shape; names of people are left out. */
export type SystemEventKind =
  | 'login'
  | 'shutdown_began'
  | 'container_stop_failed'
  | 'unit_stop_failed'
  | 'filesystem_recovered'
  | 'journal_recovered'
  | 'filesystem_error'
  | 'disk_error'
  | 'guest_agent_froze'
  | 'guest_agent_thawed'
  | 'clock_stepped'
  | 'connection_failed';

export interface SystemEvent {
  readonly at: Instant;
  readonly boot?: string;
  readonly kind: SystemEventKind;
  /** A sentence of ours, not the line itself. */
  readonly text: string;
  /** Of a clock that was set: by how much, back is negative, and when by the clock that nobody sets. */
  readonly step?: {
    readonly seconds: number;
    readonly microseconds: number;
    /** It may have been so much earlier: nothing was written in between. */
    readonly vagueSeconds: number;
  };
  /** How often within this minute, where lines are counted. */
  readonly count?: number;
  readonly source: string;
}

/** What is measured over time. Ratios are 0 to 1, rates are per second. */
export type Measure =
  | 'cpu_idle'
  | 'cpu_own'
  | 'cpu_iowait'
  | 'cpu_steal'
  /** Of the demand: what the host took of the time that somebody wanted. */
  | 'steal_of_demand'
  | 'load_1m'
  | 'tasks_in_io_wait'
  | 'memory_used'
  | 'swap_in_pages'
  | 'swap_out_pages'
  | 'major_faults'
  | 'pressure_cpu'
  | 'pressure_io'
  | 'pressure_memory'
  | 'disk_busy'
  | 'disk_await_seconds'
  | 'disk_operations'
  /** Page-ready interrupts of the host (HYP). */
  | 'host_page_ins'
  | 'threads_in_d'
  /** Of those, who wait for a page that the host has to bring. */
  | 'threads_waiting_for_page'
  | 'stalled_seconds'
  | 'redis_up'
  | 'redis_latency_seconds'
  /** 1 while its process is stopped, by SIGSTOP or a debugger. */
  | 'redis_stopped'
  /** Oldest task that waits in a queue of Asynq, in seconds. */
  | 'queue_latency_seconds';

export interface Series {
  readonly measure: Measure;
  /** `cpu1`, `vda`, a queue; undefined for the machine as a whole. */
  readonly of?: string;
  /** The median distance of two points: each point speaks of the step before it. */
  readonly stepSeconds: number;
  /** In order of time. Never interpolated, never a 0 that was not read. */
  readonly points: readonly { readonly at: Instant; readonly value: number }[];
  readonly source: string;
}

/** A time in which a source that should have written did not, for more than twice its step. */
export interface Gap {
  readonly from: Instant;
  readonly to: Instant;
  readonly source: string;
}

export type RedisEventKind =
  | 'started'
  | 'ready'
  | 'loading'
  /** `seconds`: how old the data was that it came back with. */
  | 'rdb_age'
  | 'loaded'
  | 'save_due'
  | 'save_began'
  | 'saved'
  | 'save_failed'
  | 'aof_fsync_slow'
  | 'overcommit_warning'
  | 'shutdown_asked'
  | 'ended'
  | 'other';

export interface RedisEvent {
  readonly at: Instant;
  readonly pid?: number;
  readonly kind: RedisEventKind;
  /** The message without stamp and pid; empty for `other`. */
  readonly text: string;
  readonly seconds?: number;
  readonly keys?: number;
  readonly source: string;
}

/** An alert of ours, as Prometheus remembers it. */
export interface AlertSpan {
  readonly name: string;
  readonly severity: string;
  readonly from: Instant;
  /** Undefined while it fires. */
  readonly to?: Instant;
  readonly source: string;
}

/** A thread that the flight recorder saw in D state. */
export interface SeenAsleep {
  readonly comm: string;
  /** A word of tasks/reasons.ts. */
  readonly reason: string;
  /** First and last seen in this sleep: it began before. */
  readonly since: Instant;
  readonly last: Instant;
}

/** An incident as the flight recorder had it. */
export interface Recorded {
  readonly boot: string;
  readonly onset: Interval;
  readonly asleep: readonly SeenAsleep[];
  /** Each change of what its probe of Redis found. */
  readonly redis: readonly { readonly at: Instant; readonly state: string }[];
  /** The gravest verdict while it lasted, a word of core/verdict.ts; when anything was ill last. */
  readonly cause: string;
  readonly last: Instant;
  readonly source: string;
}

/** What is known of the machine itself; what is not known is left out. */
export interface Machine {
  readonly hostname?: string;
  readonly addresses: readonly string[];
  /** The provider's node knows the guest by it (libvirt, OpenStack); needs root. */
  readonly instanceUuid?: string;
  readonly vendor?: string;
  readonly product?: string;
  readonly hypervisor?: 'kvm' | 'xen' | 'vmware' | 'hyperv' | 'none' | 'other';
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly kernelRelease?: string;
}

export interface Facts {
  readonly machine: Machine;
  readonly sources: readonly Source[];
  readonly missing: readonly Missing[];
  /** Oldest first, all lists below too. */
  readonly boots: readonly Boot[];
  readonly kernelReports: readonly KernelReport[];
  readonly kernelEvents: readonly KernelEventFact[];
  readonly systemEvents: readonly SystemEvent[];
  readonly series: readonly Series[];
  readonly gaps: readonly Gap[];
  readonly redis: readonly RedisEvent[];
  readonly alerts: readonly AlertSpan[];
  readonly recorded: readonly Recorded[];
}

/** What one reader gives: any part of the facts, and of itself. */
export type Gathered = Partial<Omit<Facts, 'machine'>> & { readonly machine?: Partial<Machine> };
