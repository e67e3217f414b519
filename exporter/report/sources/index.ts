/**
 * Reads what a machine keeps into the facts of a report. A source that cannot be read costs
 * itself and a sentence, never the rest.
 */
import type { PseudoFs } from '../../procfs/reader.ts';
import { messageOf } from '../../measure/errors.ts';
import { parseStat } from '../../procfs/stat.ts';
import type { Boot, Facts, Gathered, Instant } from '../facts/facts.ts';
import { readContainerPrograms } from './container-programs.ts';
import { type ContainerLog, sortedContainers } from './containers.ts';
import type { ReadContext } from './context.ts';
import { readJournal, readJournalPrograms } from './journal.ts';
import { readEvidence, readRecorder } from './evidence.ts';
import { type Focus, focusOf } from './focus.ts';
import { readKernelLogs } from './kernel-log.ts';
import { readKernelRing } from './kernel-ring.ts';
import { apart, leftOutLocal, leftOutTold } from './local.ts';
import { hostnameOf, readMachine } from './machine.ts';
import type { GatherOptions, ReaderSurroundings } from './options.ts';
import { lookAtPrometheus, type Overview, readPrometheus } from './prometheus.ts';
import { readRedisJournal } from './redis-journal.ts';
import { readRedisLogs } from './redis-log.ts';
import { withoutRepeats } from './same-facts.ts';
import { readSysstat } from './sysstat.ts';
import { together } from './together.ts';
import { type Named, strangersTo, whoseAreNamed } from './whose.ts';
import { zoneOf } from './zone.ts';

export type { GatherOptions, ReaderSurroundings } from './options.ts';

/** What a reader did not foresee costs its source, as what it foresaw does. */
async function alone(
  what: string,
  read: () => Gathered | Promise<Gathered | Gathered[]>,
): Promise<Gathered[]> {
  try {
    return [await read()].flat();
  } catch (error) {
    return [{ missing: [{ what, why: `reading it failed: ${messageOf(error)}` }] }];
  }
}

const hour = 3600;
const day = 24 * hour;

/** Undefined where /proc does not say, as in some sandboxes. */
function runningSince(procfs: PseudoFs): Instant | undefined {
  try {
    return parseStat(procfs.read('stat') ?? '').bootTime;
  } catch {
    return undefined;
  }
}

function contextOf(options: GatherOptions, surroundings: ReaderSurroundings): ReadContext {
  const { zone, problem } = zoneOf(options.root);
  return {
    options,
    surroundings,
    zone,
    zoneProblem: problem,
    hostname: hostnameOf(options.root, surroundings.procfs)?.replace(/\..*$/, ''),
    running: runningSince(surroundings.procfs),
    range: { from: options.from && options.from - day, to: options.to && options.to + hour },
    boots: [],
  };
}

const bootsOf = (parts: readonly Gathered[]): Boot[] => parts.flatMap(({ boots = [] }) => boots);

/** Where no file knows of the running boot; it says nothing of the last one. */
function readRing(context: ReadContext, boots: readonly Boot[]): Gathered {
  const { lastBoot, root, kernLog, journal } = context.options;
  const runs = boots.some(({ end }) => end === undefined);
  const elsewhere = lastBoot || root !== '/' || kernLog.length > 0 || journal !== undefined;
  return runs || elsewhere ? {} : readKernelRing('/dev/kmsg', context);
}

/** What dates an incident, the most exact source first. */
async function kernelSources(context: ReadContext, overview: Overview | undefined, named: Named) {
  const { journal: folder, kernLog } = context.options;
  const journal =
    named.foreign && folder === undefined
      ? []
      : await alone('the journal', () => readJournal(context));
  const dated = { ...context, boots: bootsOf(journal) };
  const logs =
    named.foreign && kernLog.length === 0
      ? []
      : await alone('the kernel log', () => readKernelLogs(dated));
  const ring = named.foreign
    ? []
    : await alone("the kernel's ring", () => readRing(context, bootsOf([...journal, ...logs])));
  const recorder = named.foreign
    ? []
    : await alone('the flight recorder', () => readRecorder(context));
  const evidence = await alone('the flight recorder', () => readEvidence(context));
  const told = [...bootsOf(evidence), ...(overview?.boots ?? [])];
  const local = [...journal, ...logs, ...ring, ...recorder];
  const other = apart(context.options, told, bootsOf(local), context.running);
  if (other === 'told')
    return { other, kernel: [...withoutRepeats(local), { missing: [leftOutTold] }] };
  return { other, kernel: withoutRepeats(other === 'local' ? evidence : [...local, ...evidence]) };
}

/** In files and in the journal; none is missing where the other has it. */
async function readRedis(
  context: ReadContext,
  focus: Focus,
  containers: readonly ContainerLog[],
): Promise<Gathered[]> {
  const journal = await readRedisJournal(context, focus);
  const named = context.options.redisLog.length > 0;
  const logs = await readRedisLogs(context, focus, containers);
  if (named || journal.redis === undefined) return logs;
  return [journal, ...logs.filter(({ sources }) => sources !== undefined)];
}

/** Of logs of another machine: what else was named, and what they say of it. */
async function namedSources(
  context: ReadContext,
  focus: Focus,
  { machine, missing }: Pick<Named, 'machine' | 'missing'>,
): Promise<Gathered[]> {
  const { journal, sysstat, redisLog } = context.options;
  const release = context.boots.findLast(({ kernelRelease }) => kernelRelease)?.kernelRelease;
  const known = release === undefined ? {} : { kernelRelease: release };
  return [
    { machine: { ...machine, ...known }, missing },
    ...(await alone('the journal of programs', () =>
      journal === undefined ? {} : readJournalPrograms(context, focus),
    )),
    ...(await alone('sysstat', () => (sysstat.length === 0 ? {} : readSysstat(context, focus)))),
    ...(await alone('the log of Redis or Valkey', () =>
      redisLog.length === 0 ? {} : readRedisLogs(context, focus, []),
    )),
  ];
}

/** Of another machine than this one: what was named of it beside what was told. */
async function besideTold(
  context: ReadContext,
  focus: Focus,
  kernel: readonly Gathered[],
): Promise<Gathered[]> {
  const told = kernel.flatMap(({ machine }) => machine?.hostname ?? []);
  const [hostname] = told;
  const stranger = await strangersTo(hostname === undefined ? {} : { hostname }, context);
  const options = stranger === undefined ? context.options : { ...context.options, sysstat: [] };
  const missing = [leftOutLocal, ...(stranger === undefined ? [] : [stranger])];
  return namedSources({ ...context, options }, focus, { machine: {}, missing });
}

/** What is read around the time of an incident. */
async function localSources(context: ReadContext, focus: Focus): Promise<Gathered[]> {
  const { redis, others } = await sortedContainers(context.options.root);
  return [
    ...(await alone('the machine itself', () => readMachine(context))),
    ...(await alone('the journal of programs', () => readJournalPrograms(context, focus))),
    ...(await alone('sysstat', () => readSysstat(context, focus))),
    ...(await alone('the log of Redis or Valkey', () => readRedis(context, focus, redis))),
    ...(await alone('logs of containers', () => readContainerPrograms(others, context, focus))),
  ];
}

export async function gather(
  options: GatherOptions,
  surroundings: ReaderSurroundings,
): Promise<Facts> {
  const asked = contextOf(options, surroundings);
  const overview = await lookAtPrometheus(asked);
  const named = await whoseAreNamed(asked);
  const context = { ...asked, options: named.options };
  const { other, kernel } = await kernelSources(context, overview, named);
  const focus = focusOf(options, kernel, overview?.pages ?? [], surroundings.now());
  const known = { ...context, boots: bootsOf(kernel) };
  const local =
    other === 'local'
      ? await besideTold(known, focus, kernel)
      : named.foreign
        ? await namedSources(known, focus, named)
        : [...(await localSources(known, focus)), { missing: named.missing }];
  const prometheus =
    overview === undefined || other === 'told'
      ? []
      : await alone('Prometheus', () => readPrometheus(overview, focus, surroundings.now()));
  // Evidence and Prometheus name the machine; what it says of itself comes after them and counts.
  return together([...withoutRepeats([...kernel, ...prometheus]), ...local]);
}
