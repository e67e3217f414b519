/** What accuses the host, each rule with the data that EVIDENCE asks of it and its certainty. */
import { found, given, nothing, type Context, type Rule } from './context.ts';
import type { Findings } from './findings.ts';
import type { Sign, SleepingThread } from './incident.ts';
import { limits, lockups } from './signs.ts';
import { asleepIn } from './sleep-rules.ts';
import { standstills } from './standstills.ts';
import { comparable, enoughCovered, type Stats } from './window.ts';

const waiting = (threads: readonly SleepingThread[]) =>
  threads.filter(({ reason }) => reason === 'host_page_in');

/** A trace names the function. Facility 0 is the reader's business: it hands on nothing else. */
export const tracedPageIn: Rule = ({ facts, incident: { sleep } }) => {
  const threads = waiting(sleep?.threads ?? []);
  const [report] = threads[0]?.reports ?? [];
  if (report === undefined) return nothing;
  const { hypervisor = 'other' } = facts.machine;
  const reports = threads.flatMap((thread) => thread.reports);
  const sources = reports.map(({ source }) => source);
  const data = {
    asleepIn: asleepIn(report) ?? 'kvm_async_pf_task_wait',
    reports: reports.length,
    threads: new Set(threads.map(({ pid }) => pid)).size,
  };
  // One that is certainly the kernel's is enough.
  const forgeable = sources.every(
    (id) => facts.sources.find((source) => source.id === id)?.forgeable === true,
  );
  // A name that is not known is no contradiction.
  if (hypervisor === 'kvm' || hypervisor === 'other') {
    if (!forgeable) return found('page_withheld_traced', 'proven', data, sources);
    return {
      ...found('page_withheld_traced', 'very likely', data, sources),
      ...found('trace_forgeable', 'very likely', { reports: reports.length }, sources),
    };
  }
  return {
    ...found('page_withheld_traced', 'very likely', data, sources),
    ...found('not_kvm', 'proven', { hypervisor }, sources),
  };
};

/** A rate that the median of the day before makes ten times too high. */
function risen(rate: Stats, usual: Stats | undefined): boolean {
  return rate.mean >= Math.max(limits.leastPageIns, limits.pageInRise * (usual?.mean ?? Infinity));
}

/** Of several looks at one wait each moment counts once. */
function spanned(waits: readonly Sign[]) {
  const sorted = [...waits].sort((one, other) => one.from - other.from);
  const [first] = sorted;
  let [seconds, until] = [0, -Infinity];
  for (const { from, to } of sorted) {
    seconds += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return { seconds, from: first?.from ?? until, to: until };
}

export const measuredPageIn: Rule = ({ incident, figures, during, usual }) => {
  if (waiting(incident.sleep?.threads ?? []).length > 0) return nothing;
  const waits = incident.signs.filter(({ kind }) => kind === 'page_wait');
  const waiters = figures.whole('threads_waiting_for_page', during);
  if (waits.length > 0 && waiters !== undefined) {
    const data = { threads: Math.round(waiters.most), ...spanned(waits) };
    return found('page_withheld_measured', 'very likely', data, [waiters.source]);
  }
  // Their wait channels were read, and none waits for a page: they sleep for something else.
  if (waiters !== undefined && waiters.most < 1) return nothing;
  const rate = figures.whole('host_page_ins', during);
  const blocked = figures.whole('threads_in_d', during);
  const inIo = figures.whole('tasks_in_io_wait', during);
  if (rate === undefined || blocked === undefined || inIo === undefined) return nothing;
  const above = blocked.mean - inIo.mean >= limits.tasksInIo;
  if (!above || !risen(rate, usual.whole('host_page_ins'))) return nothing;
  const { from, to } = during;
  const data = { threads: Math.round(blocked.most), seconds: to - from, from, to };
  return found('page_withheld_measured', 'very likely', data, [
    rate.source,
    blocked.source,
    inIo.source,
  ]);
};

function parkedOf({ figures, during, usual: day }: Context): Findings {
  const load = figures.whole('load_1m', during);
  const usual = day.whole('load_1m');
  const idle = figures.whole('cpu_idle', during);
  const inIo = figures.whole('tasks_in_io_wait', during);
  if (load === undefined || usual === undefined || idle === undefined || inIo === undefined)
    return nothing;
  if (load.covered < enoughCovered || idle.covered < enoughCovered || load.coarse) return nothing;
  const rise = load.mean - usual.mean;
  if (
    rise < limits.loadRise * 0.9 ||
    idle.mean <= limits.quietIdle ||
    inIo.mean >= limits.tasksInIo
  )
    return nothing;
  const data = { rise, idle: idle.mean, waiting: inIo.mean };
  return found('parked_threads', 'proven', data, [load.source, idle.source, inIo.source]);
}

export const parked: Rule = parkedOf;

/** From what sysstat alone keeps: no trace, no wait channel. */
export const thinPageIn: Rule = (context) => {
  const { facts, incident, figures, during } = context;
  const { parked_threads: load } = parkedOf(context);
  if (load === undefined || incident.sleep !== undefined) return nothing;
  const unclean = facts.boots.find(({ id }) => id === incident.boot)?.end?.how === 'unclean';
  const pressure = ['pressure_io', 'pressure_memory'] as const;
  const quiet = pressure.every((measure) => (figures.whole(measure, during)?.mean ?? 0) < 0.1);
  const waits = incident.signs.some(({ kind }) => kind === 'page_wait');
  const spoke = facts.redis.some(({ at }) => at > during.from + 600 && at < during.to);
  if (!unclean || !quiet || waits || spoke) return nothing;
  return found('page_withheld_thin', 'possible', { rise: load.data.rise }, load.sources);
};

/** Each page-in that completed is a page that had been on the host's disk. */
export const pageIns: Rule = ({ facts, incident, figures, during, before }) => {
  const rate = figures.whole('host_page_ins', during);
  if (rate === undefined || facts.machine.hypervisor === 'hyperv') return nothing;
  const { earliest } = incident.onset;
  const lastHour = figures.whole('host_page_ins', { from: earliest - 3600, to: earliest });
  // The hour before it is a figure of its own.
  const usual = comparable(
    figures.whole('host_page_ins', { from: before.from, to: earliest - 3600 }),
  );
  if (Math.max(rate.most, lastHour?.most ?? 0) === 0) return nothing;
  const data = { during: rate, ...given({ lastHour, before: usual }) };
  return {
    ...found('page_ins', 'proven', data, [rate.source]),
    ...lostMessage(incident, rate, during.to - during.from),
  };
};

/** Others came back while ours did not, for longer than a slow disk takes. */
function lostMessage({ sleep }: Context['incident'], rate: Stats, seconds: number): Findings {
  const waits = waiting(sleep?.threads ?? []).length > 0;
  if (!waits || rate.coarse || rate.mean <= 0 || seconds < 60) return nothing;
  return found('page_lost', 'possible', { rate: rate.mean }, [rate.source]);
}

export const stopped: Rule = ({ facts, during }) => {
  const gap = standstills(facts.gaps, facts.boots).find(
    ({ from, to }) => from <= during.to && to >= during.from,
  );
  if (gap === undefined) return nothing;
  const shown =
    facts.systemEvents.some(
      ({ kind, at }) => kind === 'clock_stepped' && Math.abs(at - gap.to) < 120,
    ) ||
    facts.kernelEvents.some(
      ({ kind, at }) => lockups.has(kind) && at >= gap.from && at - gap.to < 120,
    );
  if (!shown) return nothing;
  const sources = facts.gaps.filter(({ from, to }) => from < gap.to && to > gap.from);
  return found(
    'vm_stopped',
    'likely',
    { gap, sources: sources.length },
    sources.map(({ source }) => source),
  );
};

/** The worst vCPU counts: one that is starved holds up all that runs on it. */
export const cpuTaken: Rule = ({ figures, during, usual: day }) => {
  const all = [
    ...figures.each('steal_of_demand', during),
    ...[figures.whole('steal_of_demand', during)].flatMap((one) => one ?? []),
  ];
  const worst = all.sort((one, other) => other.mean - one.mean)[0];
  if (worst === undefined || worst.coarse || during.to - during.from < limits.stealSeconds)
    return nothing;
  if (worst.mean <= limits.stealOfDemand) return nothing;
  // Of an idle guest a little steal is much of a little.
  const ofAll =
    worst.of === undefined
      ? figures.whole('cpu_steal', during)
      : figures.each('cpu_steal', during).find(({ of }) => of === worst.of);
  if (ofAll !== undefined && ofAll.mean < limits.leastSteal) return nothing;
  const usual =
    worst.of === undefined
      ? day.whole('steal_of_demand')
      : day.each('steal_of_demand').find(({ of }) => of === worst.of);
  const data = { during: worst, ...given({ before: usual, cpu: worst.of }) };
  return {
    ...found('cpu_taken', 'proven', data, [worst.source]),
    ...throttle(figures, during.from),
  };
};

const throttleHours = 3;
/** Plans of shared machines name limits from 0.4 of a core on. */
const throttleShare = 0.4;

function throttle(figures: Context['figures'], from: number): Findings {
  const own = figures.whole('cpu_own', { from: from - throttleHours * 3600, to: from });
  if (own === undefined || own.covered < enoughCovered || own.mean < throttleShare) return nothing;
  return found('throttle_possible', 'possible', { own: own.mean, hours: throttleHours }, [
    own.source,
  ]);
}
