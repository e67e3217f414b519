/**
 * What `GET /evidence` answers, and what the prober keeps of it: docs/evidence-format.md.
 *
 * Every time is in seconds since boot, by the clock of the kernel log: it does not step.
 * `boot.start` added to it is Unix time, as the machine knew it when it answered.
 */
/** Seconds since boot. */
export type Moment = number;

/** A time known to lie between two others. */
export interface Span {
  readonly earliest: Moment;
  readonly latest: Moment;
}

/** What makes an incident of what is met. */
export type Rule =
  | 'redis_frozen'
  | 'blocked_task'
  | 'hung_task'
  | 'soft_lockup'
  | 'stall'
  | 'steal_burn';

/** The same once more. */
export interface Again {
  readonly time: Moment;
  /** How long it had been blocked by then. */
  readonly seconds: number;
}

/** Equal records of the kernel log, told once: those of one thread, round after round, are. */
export interface KernelExcerpt {
  /** `hung_task`, or the kind of another event (kmsg/kernel-events.ts). */
  readonly kind: string;
  /** When the first and the last of them were printed. */
  readonly time: Moment;
  readonly last: Moment;
  readonly count: number;
  /** Of its frames, or of the line where it has none; hexadecimal. */
  readonly hash: string;
  /** Of a hung task: how long it had been blocked, as last reported. */
  readonly seconds?: number;
  /** Of a hung task: each report after the first, of many how they began and how they went on last. */
  readonly again?: readonly Again[];
  /** As the kernel printed them; registers, addresses of user space and code are left out. */
  readonly lines: readonly string[];
}

/** A thread in D state. */
export interface BlockedThread {
  readonly comm: string;
  readonly state: 'D';
  /** The kernel function it sleeps in; empty where the kernel does not say. */
  readonly wchan: string;
  /** What it waits for (tasks/reasons.ts). */
  readonly reason: string;
  /** First and last seen in this sleep. */
  readonly since: Moment;
  readonly last: Moment;
}

export interface RedisRecord {
  /** Each change of its state, oldest first; the first is the state at the onset. */
  readonly states: readonly { readonly time: Moment; readonly state: string }[];
  /** What was said of it when it last was not well. */
  readonly reason?: string;
}

/** What `stealwatch rescue` did. */
export interface RescueRecord {
  readonly time: Moment;
  /** `released`, `not_released`, `refused`, `failed` (core/rescue-record.ts). */
  readonly result: string;
  /** vCPUs that were written. */
  readonly cpus: readonly number[];
  /** A sentence. */
  readonly text: string;
}

/** Rows of one step, oldest first. */
export interface Rows {
  /** Seconds that a row speaks of, those before its time. */
  readonly step: number;
  /** As `columns` names them, the time first; null is not known. */
  readonly rows: readonly (readonly (number | null)[])[];
}

export interface Samples {
  /** `time`, then names of core/second.ts. */
  readonly columns: readonly string[];
  /** Oldest first; of what is old several seconds are one row. */
  readonly parts: readonly Rows[];
}

export interface Cause {
  /** Of the verdict (core/verdict.ts): the gravest while it lasted; or `redis_stopped`. */
  readonly name: string;
  /** Its sentence, as it was said last. */
  readonly text: string;
}

export interface EvidenceIncident {
  /** Id of the boot and second of the onset: letters, digits and dashes. */
  readonly id: string;
  /** Names it had before the kernel told of an earlier onset. */
  readonly formerIds: readonly string[];
  readonly state: 'open' | 'closed';
  readonly onset: Span;
  /** When any of its signs was there last, all of which may be gone while it is still open. */
  readonly last?: Moment;
  /** Not before it is over. */
  readonly end?: Span;
  /** Rules that were met, each when it was first (`Rule`). */
  readonly openedBy: readonly { readonly time: Moment; readonly rule: string }[];
  readonly cause: Cause;
  readonly kernel: readonly KernelExcerpt[];
  readonly tasks: readonly BlockedThread[];
  readonly redis?: RedisRecord;
  /** Left out where nobody tried. */
  readonly rescues?: readonly RescueRecord[];
  readonly samples: Samples;
}

/** What is known of the machine; what is not is left out. */
export interface EvidenceMachine {
  readonly hostname?: string;
  readonly kernelRelease?: string;
  readonly virtualization?: string;
  readonly vendor?: string;
  readonly product?: string;
  readonly cpuModel?: string;
  readonly clocksource?: string;
}

export const schemaVersion = 1;

export interface EvidenceAnswer {
  readonly schema: typeof schemaVersion;
  readonly machine: EvidenceMachine;
  /** `start`: Unix time of the boot. */
  readonly boot: { readonly id: string; readonly start: number };
  /** `start`: what is older was read in the kernel log afterwards, and has no samples. */
  readonly exporter: { readonly version: string; readonly start: Moment };
  /** `wall` is Unix time. */
  readonly now: { readonly wall: number; readonly monotonic: Moment };
  /** Oldest first, at most 8. */
  readonly incidents: readonly EvidenceIncident[];
}

/**
 * What the prober keeps in HOST/INCIDENT.json: the last answer that held the incident, and of
 * that the incident alone.
 */
export interface EvidenceFile extends EvidenceAnswer {
  /** Label of the agent. */
  readonly host: string;
  /** When the answer came, Unix time of the machine that watches. */
  readonly fetched: number;
}
