/** What the kernel log said lately, in sentences. */
import type { Clock } from '../measure/clock.ts';
import type { Finding } from '../core/collector.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import type { HungTaskReport } from './hung-task.ts';
import type { KernelEventKind } from './kernel-events.ts';
import type { KmsgRecord } from './record.ts';
import { durationText } from '../measure/duration.ts';

/** The detector repeats itself every two minutes while it lasts, as long as its budget lasts. */
const freshSeconds = 5 * 60;
const forgottenSeconds = 60 * 60;
const mostListed = 5;

export interface KernelLogFindings {
  /** `why`: what it waits for, as the end of a sentence. */
  hungTask(report: HungTaskReport, why: string): void;
  kernelEvent(kind: KernelEventKind, record: KmsgRecord, past: boolean): void;
  now(userspace: boolean): readonly Finding[];
  /** On a KVM guest, where only the host can make a CPU stand still: within five minutes. */
  softLockup(): boolean;
}

/** comm is the process's own choice; nothing in it may end a line or colour a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 160);
}

/** `kvm`: what more it means on a KVM guest, whose CPUs the host may not run. */
const eventSentences: Readonly<Record<KernelEventKind, { said: string; kvm?: string }>> = {
  soft_lockup: {
    said: 'The kernel reported a soft lockup: a CPU stood still',
    kvm: 'On a KVM guest this accuses the host, which did not run the CPU or had swapped out a page the kernel needed',
  },
  hard_lockup: {
    said: 'The kernel reported a hard lockup: a CPU did not even take its timer interrupts for seconds',
    kvm: 'On a KVM guest the host may not have run it',
  },
  workqueue_lockup: {
    said: 'The kernel reported a workqueue lockup: work of its own has been waiting for a CPU or a kernel thread that is stuck',
  },
  rcu_stall: {
    said: 'The kernel reported an RCU stall: a CPU did not answer for many seconds',
    kvm: 'On a KVM guest this often means that the host did not run it',
  },
  rcu_tasks_stall: {
    said: 'The kernel reported an RCU-tasks stall: a thread has not given up the CPU by itself for minutes. CPUs answered meanwhile, so it says nothing of the host',
  },
  clock_skew: {
    said: 'The kernel gave up on a clock source because it differed from another clock: time jumped, which happens when a host stops its guests',
  },
  clock_slow_read: {
    said: 'The kernel gave up on a clock source because it took too long to read it, which happens when a host stops its guests',
  },
  oom_machine: { said: 'The kernel ran out of memory and killed a process' },
  oom_cgroup: {
    said: 'A container or service reached its own memory limit, and the kernel killed a process in it',
  },
  oom_nodes: {
    said: 'The memory that a process may use by its cpuset or memory policy ran out, and the kernel killed a process',
  },
  oom_somewhere: {
    said: 'The kernel killed a process to free memory, and does not say whether of the machine or of one container or service',
  },
};

/** Without its full stop. */
export function eventSentence(kind: KernelEventKind, kvm: boolean): string {
  const { said, kvm: more } = eventSentences[kind];
  return kvm && more !== undefined ? `${said}. ${more}` : said;
}

/** A fact that only the wording depends on: without it the sentence says less. */
function wording(fs: PseudoFs, path: string): string {
  try {
    return fs.read(path) ?? '';
  } catch {
    return '';
  }
}

interface Note {
  /** On the monotonic clock; undefined when it is from before our start and cannot be dated. */
  readonly at: number | undefined;
  readonly text: string;
}

export function createKernelLogFindings({
  clock,
  procfs,
  sysfs,
}: {
  clock: Clock;
  procfs: PseudoFs;
  sysfs: PseudoFs;
}): KernelLogFindings {
  const events = new Map<KernelEventKind, Note>();
  /** By pid: a task has one sentence, of its last report. */
  const hung = new Map<number, Note>();
  const clocks = wording(sysfs, 'devices/system/clocksource/clocksource0/available_clocksource');
  const kvm = clocks.split(/\s+/).includes('kvm-clock');
  const uptime = Number.parseFloat(wording(procfs, 'uptime'));
  const bootedAt = clock.monotonic() - uptime;

  /** A new record is dated by when it came; an old one by its own time stamp. */
  function dated(microseconds: number, past: boolean): number | undefined {
    if (!past) return clock.monotonic();
    const at = bootedAt + microseconds / 1e6;
    return at <= clock.monotonic() ? at : undefined;
  }

  function sentence({ at, text }: Note): Finding[] {
    if (at === undefined) return [];
    const age = clock.monotonic() - at;
    if (age > forgottenSeconds) return [];
    const told = `${text}, ${durationText(age)} ago.`;
    if (age <= freshSeconds) return [{ severity: 'bad', text: told, ended: true }];
    return [{ severity: 'warning', text: told, past: true }];
  }

  return {
    hungTask(report, why) {
      const name = printable(report.comm);
      hung.delete(report.pid);
      hung.set(report.pid, {
        at: dated(report.microseconds, report.past),
        text: `The kernel reported ${name} (pid ${report.pid}) blocked for more than ${report.seconds} s, ${why}`,
      });
      for (const pid of hung.keys()) {
        if (hung.size <= mostListed) break;
        hung.delete(pid);
      }
    },
    kernelEvent(kind, record, past) {
      events.set(kind, {
        at: dated(record.microseconds, past),
        text: `${eventSentence(kind, kvm)} ("${printable(record.text)}")`,
      });
    },
    softLockup() {
      const at = events.get('soft_lockup')?.at;
      return kvm && at !== undefined && clock.monotonic() - at <= freshSeconds;
    },
    now(userspace) {
      const notes = [...hung.values(), ...events.values()].flatMap(sentence);
      if (userspace) {
        notes.push({
          severity: 'warning',
          text: 'Kernel log lines written by user space are believed (--kmsg-userspace): anyone who can write to the log can fake a hung task. This is for tests only.',
        });
      }
      return notes;
    },
  };
}
