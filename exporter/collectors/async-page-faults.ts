/**
 * Pages of ours that the host had swapped out and has brought back, counted by the guest kernel.
 *
 * A KVM host tells the guest of such a page, the guest parks the thread that wants it in D
 * state, and when the page is back an interrupt wakes it (arch/x86/kernel/kvm.c). The kernel
 * counts these interrupts in the HYP row of /proc/interrupts: one per page-in that *completed*;
 * while the host is stuck the count stands still. No other counter sees them: not iowait, not
 * procs_blocked, not major faults, not pressure, not steal.
 *
 * The kernel counts one more per vCPU when that vCPU starts, and one on all of them at the same
 * time when the VM was migrated or restored. A clock of our own tells that step from page-ins. So
 * does it for a vCPU whose MSR is written back by `stealwatch rescue`.
 * Limits: with one vCPU it cannot be told; with two, one page-in on each in one second after a
 * quiet one is taken for it.
 */
import type { Clock } from '../measure/clock.ts';
import { readRescueRecord, rescueRecordPath, type RescueWrite } from '../core/rescue-record.ts';
import { type Collector, counter, type Finding, type Signal, single } from '../core/collector.ts';
import { durationText } from '../measure/duration.ts';
import { createHistory } from '../measure/history.ts';
import { parseInterruptRow } from '../procfs/interrupts.ts';
import { clocksources, isKvmGuest } from '../procfs/kvm-guest.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { messageOf } from '../measure/errors.ts';

const faults = counter({
  name: 'stealwatch_async_page_faults_total',
  help: 'Pages the host had swapped out and brought back, from /proc/interrupts HYP.',
  note: 'Pages that the host had swapped out and brought back while a thread waited, since the exporter started, from the HYP row of /proc/interrupts on KVM.',
});
const restores = counter({
  name: 'stealwatch_vm_restores_total',
  help: 'Times the VM was migrated or restored, from /proc/interrupts HYP.',
  note: 'Times the VM was migrated or restored: one hypervisor callback on all vCPUs at once, from the HYP row of /proc/interrupts on KVM.',
});

const minuteSeconds = 60;
const restoreShownSeconds = 15 * 60;
/** A machine that is moved stands still meanwhile: no sign of paging. */
const restoreExcusesSeconds = 2 * 60;
/** No page-in in this time means that the sample before this one saw none. */
const quietSeconds = 1.5;

export interface AsyncPageFaultsCollector extends Collector {
  /** Page-ins completed since the start, as of the last sample; undefined where unsupported. */
  completedPageIns(): number | undefined;
}

interface Progress {
  readonly pageIns: number;
  readonly restored: boolean;
}

/** A record that cannot be read has a collector of its own to tell of it. */
function writesIn(path: string): readonly RescueWrite[] {
  try {
    return readRescueRecord(path)?.writes ?? [];
  } catch {
    return [];
  }
}

/** By then the host has answered what was written, or never will. */
const broadcastSeconds = 60;

/**
 * What `stealwatch rescue` writes the host answers with one callback on that vCPU: no page came back.
 * It says so before it writes, and is asked only when a count has moved.
 */
function createBroadcasts(path: string) {
  const pending = new Map<string, number[]>();
  let seen = writesIn(path).at(-1)?.sequence ?? 0;

  return {
    refresh(now: number): void {
      for (const { sequence, cpu } of writesIn(path)) {
        if (sequence <= seen) continue;
        seen = sequence;
        const name = String(cpu);
        pending.set(name, [...(pending.get(name) ?? []), now + broadcastSeconds]);
      }
    },
    /** How many of so many callbacks on this vCPU are answers to a write. */
    among(cpu: string, step: number, now: number): number {
      const waiting = (pending.get(cpu) ?? []).filter((until) => until > now);
      const answered = Math.min(step, waiting.length);
      if (waiting.length > answered) pending.set(cpu, waiting.slice(answered));
      else pending.delete(cpu);
      return answered;
    },
  };
}

/** Tells page-ins from restores, from answers to a rescue, and from vCPUs that come and go. */
function createCallbackMeter(rescueRecord: string) {
  const broadcasts = createBroadcasts(rescueRecord);
  let previous: ReadonlyMap<string, number> | undefined;
  let lastPageInAt = -Infinity;

  // A vCPU that was not there a moment ago is a new baseline: starting it counts as one.
  const stepOf = (cpu: string, count: number) => Math.max(0, count - (previous?.get(cpu) ?? count));

  return (counts: ReadonlyMap<string, number>, now: number): Progress => {
    let pageIns = 0;
    let single = true;
    const moved = [...counts].some(([cpu, count]) => stepOf(cpu, count) > 0);
    if (moved) broadcasts.refresh(now);
    for (const [cpu, count] of counts) {
      const raw = stepOf(cpu, count);
      const step = raw === 0 ? 0 : raw - broadcasts.among(cpu, raw, now);
      if (step !== 1) single = false;
      pageIns += step;
    }
    previous = counts;
    if (single && counts.size > 1 && now - lastPageInAt > quietSeconds) {
      return { pageIns: 0, restored: true };
    }
    if (pageIns > 0) lastPageInAt = now;
    return { pageIns, restored: false };
  };
}

/** The total at each of the last ticks, to tell how much of it is from the last minute. */
function createMinute() {
  const marks: { readonly at: number; readonly total: number }[] = [];

  function forget(now: number): void {
    while (marks[1] !== undefined && marks[1].at <= now - minuteSeconds) marks.shift();
  }

  return {
    mark(at: number, total: number): void {
      marks.push({ at, total });
      forget(at);
    },
    since(now: number, total: number): number {
      forget(now);
      return total - (marks[0]?.total ?? total);
    },
  };
}

function pageInFinding(pageIns: number): Finding[] {
  if (pageIns === 0) return [];
  const pages = pageIns === 1 ? 'one page' : `${pageIns} pages`;
  const text = `Your host had swapped out memory of this machine and fetched ${pages} of it back in the last minute, each while a thread stood still.`;
  return [{ severity: pageIns >= 10 ? 'bad' : 'warning', text }];
}

function restoreFinding(agoSeconds: number): Finding[] {
  if (agoSeconds > restoreShownSeconds) return [];
  const text = `Your host migrated or restored this machine ${durationText(agoSeconds)} ago.`;
  return [{ severity: 'warning', text }];
}

const unsupported = {
  noSysfs: `/sys/${clocksources} is not there, so it cannot be told whether this is a KVM guest: mount the sys file system of the host`,
  notKvm:
    'this is no KVM guest with kvm-clock: on other hypervisors the HYP row counts something else, and on bare metal there is no host to page',
  noInterrupts: '/proc/interrupts is not there: mount the proc file system of the host',
  notOffered:
    'this VM was not offered async page faults (a named CPU model, or no-kvmapf on the kernel command line): when the host swaps, it swaps silently; ask for the CPU model "host"',
} as const;

export function asyncPageFaultsCollector({
  procfs,
  sysfs,
  clock,
  rescueRecord = rescueRecordPath,
}: {
  procfs: PseudoFs;
  sysfs: PseudoFs;
  clock: Clock;
  rescueRecord?: string;
}): AsyncPageFaultsCollector {
  const file = procfs.file('interrupts');
  const meter = createCallbackMeter(rescueRecord);
  const history = createHistory(clock);
  const minute = createMinute();
  let kvm = false;
  let counting = false;
  let reason: string | undefined;
  let pageIns = 0;
  let restoreCount = 0;
  let restoredAt = -Infinity;
  let pageInAt = -Infinity;
  let lastSuccess = clock.monotonic();
  let problem: string | undefined;
  let lastTick = { at: clock.monotonic(), pageIns: 0 };
  /** Per second, between the last two ticks; undefined while it is not known. */
  let rate: number | undefined;

  /** The counts now; undefined, for good and with a reason, where there are none. */
  function read(): ReadonlyMap<string, number> | undefined {
    if (!kvm) {
      const known = isKvmGuest(sysfs);
      kvm = known === true;
      if (!kvm) reason = known === undefined ? unsupported.noSysfs : unsupported.notKvm;
      if (!kvm) return undefined;
    }
    const text = file.read();
    const counts = text === undefined ? undefined : parseInterruptRow(text, 'HYP');
    if (counts !== undefined) return counts;
    // The kernel decides at boot whether it prints the row.
    if (counting) throw new Error('the HYP row of /proc/interrupts was there and is gone');
    reason = text === undefined ? unsupported.noInterrupts : unsupported.notOffered;
    return undefined;
  }

  function sample(): void {
    if (reason !== undefined) return;
    const counts = read();
    if (counts === undefined) return;
    counting = true;
    const now = clock.monotonic();
    const progress = meter(counts, now);
    pageIns += progress.pageIns;
    if (progress.pageIns > 0) pageInAt = now;
    if (progress.restored) {
      restoreCount += 1;
      restoredAt = now;
    }
  }

  function tick(): void {
    try {
      sample();
      problem = undefined;
    } catch (error) {
      // `collect` takes a sample of its own and rejects; this sampler's age grows.
      rate = undefined;
      problem = messageOf(error);
      return;
    }
    if (reason !== undefined) stop();
    const at = clock.monotonic();
    lastSuccess = at;
    if (at > lastTick.at) {
      rate = (pageIns - lastTick.pageIns) / (at - lastTick.at);
      history.record(rate);
    }
    minute.mark(at, pageIns);
    lastTick = { at, pageIns };
  }

  function signal(): Signal {
    const name = 'async_page_faults';
    if (counting) return { name, supported: true, reason: 'the HYP row of /proc/interrupts' };
    return {
      name,
      supported: false,
      reason:
        reason ??
        `/proc/interrupts could not be read yet${problem === undefined ? '' : ` (${problem})`}`,
    };
  }

  const stop = clock.every(1, tick);
  tick();

  return {
    name: 'async-page-faults',
    source: 'memory',
    metrics: [faults, restores],
    async collect() {
      sample();
      if (reason !== undefined) return [];
      return [single(faults, pageIns), single(restores, restoreCount)];
    },
    completedPageIns: () => (counting ? pageIns : undefined),
    report() {
      if (reason !== undefined) return { signals: [signal()] };
      const now = clock.monotonic();
      const lastMinute = minute.since(now, pageIns);
      return {
        signals: [signal()],
        evidence: {
          hostPageIns: lastMinute,
          sincePageInSeconds: now - pageInAt,
          restored: now - restoredAt <= restoreExcusesSeconds,
        },
        samplers: [
          {
            name: 'async_page_faults',
            ageSeconds: now - lastSuccess,
            ...(problem === undefined ? {} : { problem }),
          },
        ],
        ...(rate === undefined ? {} : { second: { host_page_ins: rate } }),
        findings: [...pageInFinding(lastMinute), ...restoreFinding(now - restoredAt)],
        charts: [
          {
            title: 'Pages of ours that the host had to fetch back',
            unit: 'per_second',
            history,
          },
        ],
      };
    },
    async close() {
      stop();
      file.close();
    },
  };
}
