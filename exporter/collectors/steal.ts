/**
 * Steal and stalls, sampled once a second, because the truth lies between two scrapes: six stolen
 * seconds in a minute are a few percent on average and a dead connection in practice.
 *
 * Every elapsed second gets one verdict (cpu/ledger.ts). When /proc/stat cannot be read, time
 * waits for its verdict: the counters go on meanwhile, so the next reading judges all of it, and
 * until then `collect` rejects instead of publishing a sum that lacks it.
 */
import { demandBuckets } from '../measure/buckets.ts';
import type { Clock } from '../measure/clock.ts';
import {
  byLabel,
  type Chart,
  type Collector,
  counter,
  type Family,
  gauge,
  histogram,
  incomplete,
  single,
} from '../core/collector.ts';
import type { Config } from '../config/read.ts';
import { createCpuCounters } from '../cpu/counters.ts';
import { createHistogram } from '../measure/histogram.ts';
import { createHistory } from '../measure/history.ts';
import { createAttempts } from '../core/attempts.ts';
import { procfsProblem } from '../procfs/presence.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { cpuModes, parseStat, type Stat } from '../procfs/stat.ts';
import { type Demand, demandOf } from '../cpu/demand.ts';
import { createLastMinute, type MinuteSample } from '../measure/last-minute.ts';
import { createLedger } from '../cpu/ledger.ts';
import { createOwnTime, type OwnTime } from '../cpu/own-time.ts';
import {
  procfsChecks,
  type Stall,
  stallFinding,
  stealFinding,
  stealSignal,
  untold,
  worstStall,
} from '../cpu/sentences.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Second } from '../core/second.ts';
import { asError } from '../measure/errors.ts';

const stealRatio = gauge({
  name: 'stealwatch_steal_ratio',
  help: 'What sar and top call %steal, over the last 60 s, as 0 to 1, from /proc/stat.',
  note: 'Share of all CPU time over the last 60 s that the host took, what sar and top call %steal, sampled each second from /proc/stat.',
});
const stealDemandRatio = histogram({
  name: 'stealwatch_steal_demand_ratio',
  help: 'Share of the CPU asked for that the host took, per second, from /proc/stat.',
  note: 'Share of the CPU time asked for that the host took, one observation for each second in which at least 0.05 s were asked for: all vCPUs or the worst one, whichever is larger, from /proc/stat.',
  buckets: demandBuckets,
});
const seconds = counter({
  name: 'stealwatch_seconds_total',
  help: 'Elapsed time by verdict, every second once, from /proc/stat.',
  note: 'Elapsed time by verdict, every second counted once: stall when nothing ran, steal when the host took more than the threshold of the CPU asked for, else good, from the monotonic clock and /proc/stat.',
  labels: ['verdict'],
});

interface StealDependencies {
  readonly procfs: PseudoFs;
  readonly clock: Clock;
  readonly config: Pick<Config, 'stealThreshold'> & Partial<Pick<Config, 'named'>>;
  /** Of the thread of the event loop: CPU time, and waiting for it behind others of this guest. */
  readonly ownTime?: OwnTime;
}

const secondsBetweenLooks = 10;
const unjudgeable = 'stat: no CPU tells how much of it was asked for';

/** So many seconds of a minute need to have had demand. */
const leastRatios = 3;

const sumOf = (stalls: readonly (number | null)[]): number =>
  stalls.reduce<number>((sum, stall) => sum + (stall ?? 0), 0);

/** `stalls`: of the last minute, in steps of 5 s. */
function evidenceOf(
  { steal, demand, total, ratioSum, ratios }: MinuteSample,
  supported: boolean,
  stalls: readonly (number | null)[],
  starting: boolean,
): Evidence {
  const stallSeconds = sumOf(stalls);
  if (!supported || total === 0) return { stallSeconds, ...(starting ? { starting: true } : {}) };
  return {
    stallSeconds,
    // The mean of the seconds, as in the dashboards' rule: a storm counts by how long it lasted,
    // however little was asked for then.
    stealOfDemand: ratios >= leastRatios ? ratioSum / ratios : 0,
    ...(Number.isNaN(total) ? {} : { ownCpu: (demand - steal) / total }),
  };
}

/** Of one sample of the CPUs: what could not be told is left out. */
function secondOf({ steal, demand, total, idle, iowait, ratio }: Demand): Second {
  const shares = {
    cpu_own: (demand - steal) / total,
    cpu_steal: steal / total,
    cpu_idle: idle / total,
    cpu_iowait: iowait / total,
  };
  return {
    ...(total > 0 ? shares : {}),
    ...(ratio === undefined ? {} : { steal_of_demand: ratio }),
  };
}

export function stealCollector({
  procfs,
  clock,
  config: { stealThreshold, named },
  ownTime = createOwnTime(),
}: StealDependencies): Collector {
  const file = procfs.file('stat');
  const counters = createCpuCounters();
  const ledger = createLedger(clock.monotonic(), ownTime.seconds());
  const lastMinute = createLastMinute();
  const ratioHistory = createHistory(clock);
  const stallHistory = createHistory(clock);
  const demandRatios = createHistogram(stealDemandRatio);
  let lastStall: Stall = { endedAt: -Infinity, seconds: 0 };
  let lastSuccess = clock.monotonic();
  /** Whether steal was ever above 0; undefined while this machine has shown no steal column. */
  let told: boolean | undefined;
  /** Why the last sample judged nothing. */
  let failure: Error | undefined;
  /** What could not be read of one that did. */
  let problem: string | undefined;
  let why: string = untold.absent;
  /** What is wrong with the file system, if that is why the file is not there. */
  let wrong: { readonly reason: string; readonly since: number } | undefined;
  let lookedAt = -Infinity;
  /** Of the last tick; nothing of the CPUs where they could not be read. */
  let second: Second = {};

  /** Not each second: nobody knows how large a wrong folder is. */
  function lookAtFileSystem(): void {
    const now = clock.monotonic();
    if (now - lookedAt < secondsBetweenLooks) return;
    lookedAt = now;
    const reason = procfsProblem(procfs);
    wrong = reason === undefined ? undefined : { reason, since: wrong?.since ?? now };
  }

  function readStat(): Stat | undefined {
    const { attempt, failure: unread } = createAttempts();
    const text = attempt(() => file.read());
    // One without a CPU may be the stat of a process.
    if (text?.startsWith('cpu') === true) wrong = undefined;
    else lookAtFileSystem();
    const refused = unread();
    if (refused !== undefined)
      throw told !== undefined || wrong === undefined ? refused : new Error(wrong.reason);
    if (text === undefined) {
      if (told !== undefined) throw new Error('/proc/stat was there and is gone');
      why = wrong?.reason ?? untold.absent;
      return undefined;
    }
    const stat = parseStat(text);
    if (stat.cpus.size === 0)
      throw new Error(wrong?.reason ?? stat.problem ?? 'stat: no cpu lines');
    if (stat.total.length < cpuModes.length) {
      why = untold.noColumn;
      return undefined;
    }
    return stat;
  }

  function judge(stat: Stat, now: number): void {
    const moved = counters.advance(stat, now);
    told = told === true || (stat.total.at(-1) ?? 0) > 0;
    // The first reading is a baseline: time goes on waiting for the second.
    if (moved.size === 0) return;
    const asked = demandOf(moved.values());
    if (asked === undefined) throw new Error(stat.problem ?? unjudgeable);
    const { steal, demand, total, ratio } = asked;
    second = secondOf(asked);
    const verdict = ratio !== undefined && ratio > stealThreshold ? 'steal' : 'good';
    const { waiting } = ledger.seconds();
    ledger.judge(verdict);
    const stolenSeconds = verdict === 'steal' ? waiting : 0;
    const ratios =
      ratio === undefined ? { ratioSum: 0, ratios: 0 } : { ratioSum: ratio, ratios: 1 };
    lastMinute.record(now, { steal, demand, total, stolenSeconds, ...ratios });
    ratioHistory.record(ratio ?? 0);
    if (ratio === undefined) return;
    demandRatios.observe(ratio);
  }

  function sample(now: number): void {
    second = {};
    try {
      const stat = readStat();
      if (stat !== undefined) judge(stat, now);
      lastSuccess = now;
      failure = undefined;
      problem = stat?.problem;
    } catch (error) {
      // Told by `collect`, which rejects, and by the age of this sampler.
      failure = asError(error);
      why = `/proc/stat cannot be read (${failure.message})`;
    }
  }

  function tick(): void {
    const now = clock.monotonic();
    const stall = ledger.pass(now, ownTime.seconds());
    if (stall > 0) lastStall = worstStall(lastStall, { endedAt: now, seconds: stall });
    stallHistory.record(stall);
    sample(now);
    second = { ...second, stalled_seconds: stall };
  }

  /** The first reading is a baseline, and nothing has been judged yet. */
  function isStarting(): boolean {
    const { good, steal } = ledger.seconds();
    return told !== undefined && failure === undefined && good + steal === 0;
  }

  function charts(): Chart[] {
    const stalls: Chart = { title: 'Machine stood still', unit: 'seconds', history: stallHistory };
    if (told === undefined) return [stalls];
    const title = 'CPU the host took, of what was asked for';
    return [{ title, unit: 'ratio', history: ratioHistory }, stalls];
  }

  function families(): Family[] {
    const minute = lastMinute.sum(clock.monotonic());
    const { good, steal, stall } = ledger.seconds();
    return [
      single(stealRatio, minute.total > 0 ? minute.steal / minute.total : NaN),
      single(stealDemandRatio, demandRatios.value()),
      byLabel(seconds, { good, steal, stall }),
    ];
  }

  sample(clock.monotonic());
  const stop = clock.every(1, tick);

  return {
    name: 'steal',
    source: 'memory',
    metrics: [stealRatio, stealDemandRatio, seconds],
    async collect() {
      if (failure !== undefined) {
        throw new Error(`the last one-second sample failed: ${failure.message}`, {
          cause: failure,
        });
      }
      if (told === undefined) return [];
      if (problem !== undefined) throw incomplete(problem, families());
      return families();
    },
    report() {
      const now = clock.monotonic();
      const minute = lastMinute.sum(now);
      return {
        checks: procfsChecks(wrong, now, named?.('procfs')),
        signals: [stealSignal(told, why)],
        evidence: evidenceOf(minute, told !== undefined, stallHistory.points(12), isStarting()),
        samplers: [
          {
            name: 'steal',
            ageSeconds: now - lastSuccess,
            ...(failure === undefined ? {} : { problem: failure.message }),
          },
        ],
        findings: [
          ...stallFinding(
            lastStall.seconds,
            now - lastStall.endedAt,
            sumOf(stallHistory.points(24)),
          ),
          // Praise is for a whole reading.
          ...stealFinding(minute, stealThreshold, told === true && problem === undefined),
        ],
        charts: charts(),
        second,
      };
    },
    async close() {
      stop();
      file.close();
      ownTime.close();
    },
  };
}
