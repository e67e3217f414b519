/**
 * Threads in D state: blocked in the kernel, deaf to every signal. This is how a page that the
 * host swapped out shows on a KVM guest, and nothing else shows it: iowait, procs_blocked,
 * pressure and major faults all stay at 0 meanwhile.
 *
 * A clock of its own, because what counts is how long a sleep has lasted: tasks/sampler.ts says
 * what is looked at when, tasks/spells.ts what an age is. Kernel threads that wait for nothing we
 * know are counted but have no age.
 */
import type { Clock } from '../measure/clock.ts';
import {
  type BlockedThread,
  byLabel,
  type Collector,
  type Family,
  gauge,
  incomplete,
  type Signal,
} from '../core/collector.ts';
import { processLabel } from '../tasks/process-label.ts';
import { createHistory } from '../measure/history.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { type Reason, reasons } from '../tasks/reasons.ts';
import { type BlockedProcess, blockedProcesses, findingOf } from '../tasks/blocked-processes.ts';
import { createBlockedTaskSampler, mostRechecks } from '../tasks/sampler.ts';
import { isIdleKernelThread, type Spell } from '../tasks/spells.ts';
import { hostProcessesSignal, waitChannelSignal } from '../tasks/visibility.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Second } from '../core/second.ts';
import { asError } from '../measure/errors.ts';
import { limits } from '../measure/limits.ts';
import { zeroes } from '../measure/zeroes.ts';

const blockedTasks = gauge({
  name: 'stealwatch_blocked_tasks',
  help: 'Threads in D state now, by reason, from /proc/PID/task/TID/stat and wchan.',
  note: 'Threads in D state now by what they wait for, from /proc/PID/task/TID/stat and wchan.',
  labels: ['reason'],
});
const longestSeconds = gauge({
  name: 'stealwatch_blocked_task_longest_seconds',
  help: 'Age of the longest sleep in D state, from /proc/PID/task/TID/stat.',
  note: 'How long the longest-blocked thread has been in D state without one context switch, idle kernel threads left out, from /proc/PID/task/TID/stat and status.',
  labels: ['reason'],
});
const processSeconds = gauge({
  name: 'stealwatch_blocked_process_seconds',
  help: 'The ten longest-blocked processes, from 1 s, from /proc/PID/task/TID/stat.',
  note: 'How long the ten longest-blocked processes have been in D state, from 1 s, idle kernel threads left out, from /proc/PID/task/TID/stat and status.',
  labels: ['process', 'reason'],
});

const tickSeconds = 1;
const mostProcesses = 10;
const processFromSeconds = 1;
const findingFromSeconds = limits.taskBlockedSeconds.warn;
const mostFindings = 5;

function evidenceOf(blocked: readonly BlockedProcess[]): Evidence {
  const longest = (of: Reason) =>
    Math.max(0, ...blocked.filter(({ reason }) => reason === of).map(({ seconds }) => seconds));
  return {
    pageInWaitSeconds: longest('host_page_in'),
    diskWaitSeconds: longest('disk'),
    filesystemWaitSeconds: longest('filesystem'),
    unexplainedWaitSeconds: longest('unknown'),
  };
}

export function blockedTasksCollector({
  procfs,
  clock,
}: {
  procfs: PseudoFs;
  clock: Clock;
}): Collector {
  const sampler = createBlockedTaskSampler({ procfs, clock });
  const { spells } = sampler;
  const history = createHistory(clock);
  let signals: readonly Signal[] = [];
  let signalsOfRound = -1;
  let lastTick = clock.monotonic();
  let failure: Error | undefined;

  /** Asked again after each round as long as something is hidden: kthreadd may just have run. */
  function updateSignals(): void {
    const settled = signals.length > 0 && signals.every(({ supported }) => supported);
    if (settled || signalsOfRound === sampler.rounds()) return;
    signals = [waitChannelSignal(procfs), hostProcessesSignal(procfs)];
    signalsOfRound = sampler.rounds();
  }

  function attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      failure = asError(error);
    }
  }

  function tick(): void {
    failure = undefined;
    attempt(() => {
      sampler.step();
      updateSignals();
    });
    failure ??= sampler.failure();
    history.record(spells.blocked().filter((spell) => !isIdleKernelThread(spell)).length);
    lastTick = clock.monotonic();
  }

  const seen = (name: string) => signals.some((one) => one.name === name && one.supported);

  /** A 0 of what cannot be seen here is no 0. */
  function second(): Second {
    const load = sampler.load1();
    const known = load === undefined ? {} : { load_1m: load };
    if (!sampler.possible()) return known;
    const awake = spells.blocked().filter((spell) => !isIdleKernelThread(spell));
    const forPage = awake.filter(({ reason }) => reason === 'host_page_in');
    const all = seen('host_processes');
    return {
      ...known,
      ...(all || awake.length > 0
        ? { threads_in_d: awake.length, oldest_wait_seconds: oldestOf(awake) }
        : {}),
      ...((all && seen('wait_channel')) || forPage.length > 0
        ? { threads_waiting_for_page: forPage.length, page_wait_seconds: oldestOf(forPage) }
        : {}),
    };
  }

  const oldestOf = (some: readonly Spell[]) =>
    some.reduce((oldest, spell) => Math.max(oldest, spells.ageSeconds(spell)), 0);

  function blockedThreads(most: number): BlockedThread[] {
    return spells
      .blocked()
      .filter((spell) => !isIdleKernelThread(spell))
      .sort((a, b) => a.since - b.since)
      .slice(0, most)
      .map((spell) => ({
        tid: spell.tid,
        process: processLabel(spell),
        waitChannel: spell.waitChannel,
        reason: spell.reason,
        seconds: spells.ageSeconds(spell),
      }));
  }

  function familiesNow(): Family[] {
    const counts = zeroes(reasons);
    for (const { reason } of spells.blocked()) counts[reason] += 1;
    const longest = zeroes(reasons);
    const processes = blockedProcesses(spells);
    for (const { reason, seconds } of processes) {
      longest[reason] = Math.max(longest[reason], seconds);
    }
    const samples = processes
      .filter(({ seconds }) => seconds >= processFromSeconds)
      .slice(0, mostProcesses)
      .map(({ process, reason, seconds }) => ({ labels: { process, reason }, value: seconds }));
    return [
      byLabel(blockedTasks, counts),
      byLabel(longestSeconds, longest),
      { metric: processSeconds, samples },
    ];
  }

  tick();
  const stopTicking = clock.every(tickSeconds, tick);

  return {
    name: 'blocked-tasks',
    source: 'memory',
    metrics: [blockedTasks, longestSeconds, processSeconds],
    async collect() {
      attempt(() => spells.recheck(mostRechecks));
      // What could be understood is true, also beside a process that could not.
      if (failure !== undefined) throw incomplete(failure.message, familiesNow());
      return sampler.possible() ? familiesNow() : [];
    },
    report() {
      const blocked = blockedProcesses(spells);
      return {
        signals,
        evidence: evidenceOf(blocked),
        second: second(),
        blockedThreads,
        samplers: [{ name: 'blocked_tasks', ageSeconds: clock.monotonic() - lastTick }],
        findings: blocked
          .filter(({ seconds }) => seconds > findingFromSeconds)
          .slice(0, mostFindings)
          .map(findingOf),
        charts: [
          {
            title: 'Threads blocked in the kernel',
            unit: 'count',
            history,
          },
        ],
      };
    },
    async close() {
      stopTicking();
      sampler.close();
    },
  };
}
