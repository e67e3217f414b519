/**
 * One thing that happened to a machine: from when to when, and by what it is known. Plain data;
 * sleeps.ts makes it of the kernel's reports, measured.ts of what was measured.
 */
import type { Reason } from '../../tasks/reasons.ts';
import type { Facts, Instant, Interval, KernelReport, RedisEvent } from '../facts/facts.ts';

/** A thread that the kernel reported as blocked: one sleep of it. */
export interface SleepingThread {
  readonly pid: number;
  /** The process it is a thread of: its own pid where the kernel does not say. */
  readonly process: number;
  readonly comm: string;
  readonly reason: Reason;
  /** Between the detector's look before the one that found it asleep, and that one. */
  readonly onset: Interval;
  readonly reports: readonly KernelReport[];
  readonly first: Instant;
  readonly last: Instant;
}

export type EndHow =
  /** The process wrote to its log again, or answered a probe. */
  | 'sign_of_life'
  /** Another process of the same Redis started while the machine ran on. */
  | 'process_gone'
  /** The detector could have reported once more and did not: it woke within a round. */
  | 'detector_quiet'
  | 'reset'
  | 'shutdown'
  /** The boot ended, and nothing tells how. */
  | 'boot_ended'
  /** Nothing was kept in which an end would show. */
  | 'unseen'
  | 'still_on'
  /** What was measured came back. */
  | 'measured';

export interface End {
  readonly at: Instant;
  readonly how: EndHow;
  /** What shows it. */
  readonly source?: string;
  /** By then it was over, where that is known by an interval. */
  readonly latest?: Instant;
}

/** What the log of a Redis that fell asleep says of it. */
export interface RedisLog {
  /** The last line it wrote before it fell asleep. */
  readonly lastBefore?: RedisEvent;
  /** The first it wrote after the kernel's last report, in the same life. */
  readonly firstAfter?: RedisEvent;
  /** The next process of the same log. */
  readonly nextStart?: RedisEvent;
  /** Lines written while the kernel reported the main thread asleep: one of the clocks is wrong. */
  readonly meanwhile: readonly RedisEvent[];
  /** The longest it had been silent before, between two lines; undefined where it has too few to have a rhythm. */
  readonly pause?: number;
  /** How it was told which log is that of this process. */
  readonly by: 'pid' | 'silence';
}

export interface Sleep {
  readonly threads: readonly SleepingThread[];
  /** The thread that matters most: the main one of a Redis, else the one reported most often. */
  readonly chief: SleepingThread;
  /** All reports, in order of time. */
  readonly reports: readonly KernelReport[];
  /** Reports of the whole boot: at ten the kernel falls silent as a rule. */
  readonly reportsOfBoot: number;
  /** Whether the detector could have said more; not known of an excerpt. */
  readonly budget: 'spent' | 'left' | 'unknown';
  readonly redis?: RedisLog;
}

export type SignKind =
  | 'page_wait'
  | 'redis_down'
  | 'alert'
  | 'lockup'
  | 'out_of_memory'
  | 'gap'
  | 'unclean_end'
  | 'redis_slow'
  | 'parked_load'
  | 'page_ins'
  | 'steal'
  | 'own_cpu'
  | 'busy_disk'
  | 'short_memory'
  | 'stall'
  /** The flight recorder made an incident of it, and nothing that was measured shows one. */
  | 'recorded';

/** Something out of the ordinary that was measured or logged, from when to when. */
export interface Sign {
  readonly kind: SignKind;
  readonly from: Instant;
  readonly to: Instant;
  /** How far before `from` it may have begun. */
  readonly step: number;
  readonly source: string;
}

export interface Incident {
  /** The time by which it had begun, as in `20261014T210331`. */
  readonly id: string;
  readonly boot?: string;
  readonly onset: Interval;
  readonly end: End;
  readonly sleep?: Sleep;
  readonly signs: readonly Sign[];
}

/** `20261014T210331`: what `--incident` takes. */
export function incidentId(at: Instant): string {
  return new Date(Math.floor(at) * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
}

const idForm = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)$/;

export function timeOfId(id: string): Instant | undefined {
  const at = Date.parse(id.replace(idForm, '$1-$2-$3T$4:$5:$6Z')) / 1000;
  return Number.isFinite(at) ? at : undefined;
}

/** At least so long it lasted. */
export function lengthOf({ onset, end, sleep }: Incident): number {
  // What the kernel counted needs no clock on the wall.
  const counted = sleep?.chief.reports.map(({ report }) => report.seconds) ?? [];
  return Math.max(0, end.at - onset.latest, ...counted);
}

export type KernelFacts = Pick<
  Facts,
  'boots' | 'kernelReports' | 'redis' | 'series' | 'sources' | 'recorded'
>;
