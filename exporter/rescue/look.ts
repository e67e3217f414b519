/**
 * What a rescue finds on this machine before it writes anything: who is parked and for how long,
 * whether other pages come back meanwhile, what the MSRs hold, and why nothing may be written.
 */
import { type PageIn, pageInOf } from '../core/verdict.ts';
import type { AskExporter } from '../doctor/exporter.ts';
import { parseInterruptRow } from '../procfs/interrupts.ts';
import { codeOf, messageOf } from '../measure/errors.ts';
import { askVerdict, askWaits, type Said } from './exporter.ts';
import { blindnessOf, type Place, refusalOf, whyNoDevice } from './grounds.ts';
import type { KernelLog } from './kernel-log.ts';
import type { Msrs } from './msr.ts';
import type { ParkedThread, ParkedThreads } from './parked.ts';
import { addressOf, problemOfValue } from './value.ts';

/** Undefined where this kernel prints none. */
export type Hyp = ReadonlyMap<string, number> | undefined;

export interface Vcpu {
  readonly cpu: number;
  /** What its MSR holds. */
  readonly value?: bigint;
  /** Why nothing may be written there; a sentence without its full stop. */
  readonly problem?: string;
  /** There is no device. */
  readonly missing?: boolean;
}

export interface Waiting extends ParkedThread {
  /** The longest that anybody has seen this sleep last, and who. */
  readonly since: { readonly seconds: number; readonly by: 'us' | 'the kernel' | 'the exporter' };
}

export interface Look {
  readonly threads: readonly Waiting[];
  /** Before and after `watchedSeconds`. */
  readonly hyp: { readonly before: Hyp; readonly after: Hyp };
  readonly watchedSeconds: number;
  /** What the exporter says, or why it does not. */
  readonly exporter: Said | string;
  readonly pageIn: PageIn;
  readonly vcpus: readonly Vcpu[];
  /** The vCPUs that would be written. */
  readonly targets: readonly number[];
  /** Why nothing may be written; a sentence without its full stop. */
  readonly refusal: string | undefined;
  /** The same where it is not for want of parked threads: what would stand in the way of a write. */
  readonly obstacle: string | undefined;
  /** Why threads may be parked that are not seen; a sentence without its full stop. */
  readonly blindness: string | undefined;
  /** Why what is said here may not be all. */
  readonly doubts: readonly string[];
}

export interface LookSettings {
  readonly place: Place;
  readonly msrs: Msrs;
  readonly parked: ParkedThreads;
  readonly kernelLog: () => KernelLog;
  /** Rejects where there is no exporter. */
  readonly ask: () => Promise<AskExporter>;
  readonly sleep: (seconds: number) => Promise<void>;
  readonly sinceBoot: () => number;
  readonly watchedSeconds: number;
  readonly allCpus: boolean;
}

export function readHyp({ procfs }: Pick<Place, 'procfs'>): Hyp {
  const text = procfs.read('interrupts');
  return text === undefined ? undefined : parseInterruptRow(text, 'HYP');
}

/** How many pages came back between two readings, on one vCPU or on all. */
export function hypMoved(before: Hyp, after: Hyp, cpu?: number): number {
  let moved = 0;
  for (const [name, count] of after ?? []) {
    if (cpu !== undefined && name !== String(cpu)) continue;
    moved += Math.max(0, count - (before?.get(name) ?? count));
  }
  return moved;
}

/** Whether the exporter was asked and what it said; never rejects. */
async function said(ask: LookSettings['ask']) {
  try {
    const asking = await ask();
    const exporter = await askVerdict(asking);
    const waits = await askWaits(asking).catch(() => new Map<string, number>());
    return { exporter, waits };
  } catch (error) {
    return { exporter: messageOf(error), waits: new Map<string, number>() };
  }
}

function sinceOf(
  thread: ParkedThread,
  log: KernelLog,
  waits: ReadonlyMap<string, number>,
  now: number,
): Waiting['since'] {
  const known = [
    { by: 'us', seconds: thread.seconds },
    { by: 'the kernel', seconds: log.sleepSeconds(thread.tid, now) ?? 0 },
    { by: 'the exporter', seconds: waits.get(thread.process) ?? 0 },
  ] as const;
  return known.reduce((longest, one) => (one.seconds > longest.seconds ? one : longest));
}

async function vcpuOf(cpu: number, msrs: Msrs): Promise<Vcpu> {
  try {
    const value = await msrs.read(cpu);
    const problem = problemOfValue(value);
    return { cpu, value, ...(problem === undefined ? {} : { problem: `vCPU ${cpu} ${problem}` }) };
  } catch (error) {
    const missing = error instanceof Error && codeOf(error.cause) === 'ENOENT';
    return { cpu, problem: messageOf(error), missing };
  }
}

/** No kernel gives two vCPUs one place: one of the two values is another's. */
function withoutShared(vcpus: readonly Vcpu[]): Vcpu[] {
  return vcpus.map((one) => {
    const { cpu, value, problem } = one;
    const other = vcpus.find(
      (two) => two.cpu !== cpu && value !== undefined && value !== 0n && two.value === value,
    );
    if (problem !== undefined || other === undefined) return one;
    return { ...one, problem: `vCPU ${cpu} and ${other.cpu} hold the same address` };
  });
}

/** Of these vCPUs, one after the other: the driver runs on each. */
async function readMsrs(hyp: Hyp, msrs: Msrs): Promise<Vcpu[]> {
  const vcpus: Vcpu[] = [];
  for (const cpu of [...(hyp?.keys() ?? [])].map(Number)) vcpus.push(await vcpuOf(cpu, msrs));
  return withoutShared(vcpus);
}

function withoutDevices({ vcpus, settings }: Pick<Found, 'vcpus' | 'settings'>) {
  const none = vcpus.length > 0 && vcpus.every(({ missing }) => missing === true);
  return none ? whyNoDevice(settings.place, settings.msrs.directory) : undefined;
}

interface Found extends Pick<Look, 'threads' | 'vcpus' | 'targets' | 'blindness'> {
  readonly settings: LookSettings;
}

/** What stands in the way on this machine, whoever is parked. */
function obstacleOf(found: Found): string | undefined {
  const wrong = found.vcpus.find(({ problem }) => problem !== undefined);
  return withoutDevices(found) ?? wrong?.problem ?? found.blindness;
}

/** Why the targets cannot be written, where the machine itself is not the reason. */
function refusalOfTargets(found: Found): string | undefined {
  const { threads, vcpus, targets, blindness, settings } = found;
  if (threads.length === 0 && !settings.allCpus) {
    return blindness === undefined
      ? 'no thread is parked for a page of the host (--all-cpus writes all the same)'
      : `no thread is seen to be parked, and it may not be told: ${blindness}`;
  }
  const absent = withoutDevices(found);
  if (absent !== undefined) return absent;
  if (targets.length === 0) return 'the kernel does not say which vCPU they are parked on';
  const wrong = vcpus.find(({ cpu, problem }) => problem !== undefined && targets.includes(cpu));
  if (wrong !== undefined) return wrong.problem;
  const offline = targets.find((cpu) => !vcpus.some((one) => one.cpu === cpu));
  return offline === undefined
    ? undefined
    : `a thread is parked on vCPU ${offline}, which is not online`;
}

function targetsOf(threads: readonly ParkedThread[], vcpus: readonly Vcpu[], all: boolean) {
  const cpus = all ? vcpus.map(({ cpu }) => cpu) : threads.flatMap(({ cpu }) => cpu ?? []);
  return [...new Set(cpus)].sort((a, b) => a - b);
}

export async function look(settings: LookSettings): Promise<Look> {
  const { place, msrs, parked, sleep, watchedSeconds, allCpus, sinceBoot } = settings;
  const problem = parked.scan();
  const before = readHyp(place);
  const asked = said(settings.ask);
  await sleep(watchedSeconds);
  const secondProblem = parked.scan();
  const after = readHyp(place);
  const { exporter, waits } = await asked;
  const log = settings.kernelLog();
  const now = sinceBoot();
  const threads = parked
    .list()
    .map((thread) => Object.assign(thread, { since: sinceOf(thread, log, waits, now) }));
  const refusal = refusalOf(place, after);
  const vcpus = refusal === undefined ? await readMsrs(after, msrs) : [];
  const targets = targetsOf(threads, vcpus, allCpus);
  const blindness = blindnessOf(place);
  const found = { threads, vcpus, targets, blindness, settings };
  const wait = Math.max(0, ...threads.map(({ since }) => since.seconds));
  const since = hypMoved(before, after) > 0 ? 0 : Infinity;
  return {
    threads,
    hyp: { before, after },
    watchedSeconds,
    exporter,
    pageIn: pageInOf(wait, since),
    vcpus,
    targets,
    refusal: refusal ?? refusalOfTargets(found),
    obstacle: refusal ?? obstacleOf(found),
    blindness,
    doubts: [problem ?? secondProblem, log.problem].flatMap((one) =>
      one === undefined ? [] : [messageOf(one)],
    ),
  };
}

/** The place in memory that each vCPU is told of, for the evidence. */
export const placesOf = ({ vcpus }: Pick<Look, 'vcpus'>): string[] =>
  vcpus.map(({ cpu, value, problem }) =>
    value === undefined
      ? `vCPU ${cpu}: ${problem ?? 'not read'}`
      : `vCPU ${cpu}: 0x${value.toString(16)}, of the page at 0x${addressOf(value).toString(16)}`,
  );
