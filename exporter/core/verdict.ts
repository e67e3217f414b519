/**
 * Who is to blame, in one word and one sentence, from what the collectors know at this moment.
 *
 * The first that applies is said: causes that need a person come first, and the host before the
 * guest, because a machine that is paged out or robbed of its CPU looks overloaded as well. The
 * recording rule of the dashboards asks the same questions in the same order of what Prometheus
 * stored; it has one answer where there are five here about memory.
 */
import type { Finding } from './collector.ts';
import type { Evidence } from './evidence.ts';
import { durationText } from '../measure/duration.ts';
import { limits } from '../measure/limits.ts';
import { percentText } from '../measure/percent.ts';

export const verdicts = [
  'page_in_lost',
  'page_in_stuck',
  'host_paging',
  'host_paging_unannounced',
  'kernel_page_in',
  'cpu_steal',
  'disk',
  'own_load',
  'unknown',
  'quiet',
] as const;
type VerdictName = (typeof verdicts)[number];

export interface Verdict extends Finding {
  readonly name: VerdictName;
  /** Nobody could look yet, as in the first second. */
  readonly pending?: true;
}

/** How long nothing waits for a page, and nothing for a disk. */
const waitSeconds = limits.pageInStuckSeconds.warn;
const diskWaitLimit = limits.taskBlockedSeconds.warn;
/** Samples are taken a second apart, and a sleep is seen a second late. */
const slackSeconds = 3;
/** By then every page-in of the last minute completed while this one did not. */
const lostSeconds = limits.pageInStuckSeconds.bad;
const pageInsPerMinute = limits.hostPageInsPerSecond.warn * 60;
const stallSecondsPerMinute = limits.stalledSecondsIn2m.bad / 2;
const stealRatio = limits.stealRatio.warn;
const ownRatio = limits.ownCpuRatio.bad;
const diskRatio = limits.pressureRatio.warn;

function bad(name: VerdictName, text: string): Verdict {
  return { name, severity: 'bad', text };
}

/** Who can tell of a standstill runs again. */
const standstillOf = (text: string): Verdict => ({ ...bad('kernel_page_in', text), ended: true });

/** What came back meanwhile, as far as it is counted. */
function meanwhile({ hostPageIns, sincePageInSeconds }: Evidence): string {
  if (hostPageIns !== undefined && hostPageIns > 0) {
    return `${hostPageIns} ${hostPageIns === 1 ? 'other' : 'others'} did in the last minute`;
  }
  return `others did, the last ${durationText(sincePageInSeconds ?? 0)} ago`;
}

/** `lost`: its message. `stuck`: nothing comes back. `slow`: others do, and it is early. */
export type PageIn = 'lost' | 'stuck' | 'slow' | 'none';

/**
 * What a sleep of this length for a page is, when the last other page came back so long ago. Only what
 * came back after the wait began proves that the host brings pages back.
 */
export function pageInOf(wait: number, sincePageInSeconds: number): PageIn {
  const completing = sincePageInSeconds < wait - slackSeconds;
  if (wait >= lostSeconds && completing) return 'lost';
  if (wait <= waitSeconds) return 'none';
  return completing ? 'slow' : 'stuck';
}

function memoryVerdict(evidence: Evidence, stolen: boolean): Verdict | undefined {
  const { hostPageIns = 0, coldPageIns = 0, stallSeconds = 0 } = evidence;
  const wait = Math.max(evidence.pageInWaitSeconds ?? 0, evidence.coldPageWaitSeconds ?? 0);
  const { sincePageInSeconds: since = hostPageIns > 0 ? 0 : Infinity } = evidence;
  const pageIn = pageInOf(wait, since);
  if (pageIn === 'lost') {
    return bad(
      'page_in_lost',
      `Your host pages this machine's memory, and one page has not come back for ${durationText(wait)} while ${meanwhile(evidence)}: the host has probably lost the message that it is there.`,
    );
  }
  if (pageIn === 'stuck') {
    const counted = evidence.hostPageIns !== undefined;
    return bad(
      'page_in_stuck',
      `Your host has paged out memory of this machine and does not bring it back: waiting for ${durationText(wait)}${counted ? ', and no page has come back since' : ''}.`,
    );
  }
  if (pageIn === 'slow' || hostPageIns >= pageInsPerMinute) {
    return bad(
      'host_paging',
      `Your host pages this machine's memory: it fetched ${hostPageIns} of its pages back in the last minute${pageIn === 'slow' ? `, and one has been awaited for ${durationText(wait)}` : ''}.`,
    );
  }
  if (coldPageIns > 0) {
    return hostPageIns > 0
      ? bad('host_paging', "Your host pages this machine's memory, idle pages first.")
      : bad(
          'host_paging_unannounced',
          "Your host pages this machine's memory and does not tell: only idle pages that this exporter touches show it.",
        );
  }
  const standstill = evidence.softLockup === true || stallSeconds > stallSecondsPerMinute;
  if (standstill && !stolen && evidence.restored !== true) {
    const steal =
      evidence.stealOfDemand === undefined
        ? 'how much CPU the host took is not known'
        : 'the host booked next to no steal';
    return standstillOf(
      `This machine stood still and ${steal}: it probably paged out memory that the kernel needed${evidence.softLockup === true ? ', and a CPU was locked up over it' : ''}.`,
    );
  }
  return undefined;
}

function diskVerdict(evidence: Evidence): Verdict | undefined {
  const { diskWaitSeconds = 0, filesystemWaitSeconds = 0, diskPressure = 0 } = evidence;
  if (diskWaitSeconds > diskWaitLimit && diskWaitSeconds >= filesystemWaitSeconds - slackSeconds) {
    const text = `The disk is the bottleneck: something has been waiting for it for ${durationText(diskWaitSeconds)}.`;
    return bad('disk', text);
  }
  if (filesystemWaitSeconds > diskWaitLimit) {
    const text = `A file system does not answer: something has been waiting for it for ${durationText(filesystemWaitSeconds)}. It is frozen, or its disk, its journal or its server is slow.`;
    return bad('disk', text);
  }
  if (diskPressure <= diskRatio) return undefined;
  const text = `The disk is the bottleneck: for ${percentText(diskPressure)} of the last minute everything waited for it.`;
  return { name: 'disk', severity: 'warning', text };
}

function unknownVerdict({
  stealOfDemand,
  unexplainedWaitSeconds = 0,
  starting,
  blind = [],
}: Evidence): Verdict | undefined {
  const reasons = [...blind];
  if (unexplainedWaitSeconds > diskWaitLimit) {
    reasons.push(
      `something has been blocked in the kernel for ${durationText(unexplainedWaitSeconds)} and may not be asked why`,
    );
  }
  if (starting === true && reasons.length === 0) {
    const text =
      'Whether your host is to blame is known a second after the start of this exporter.';
    return { name: 'unknown', severity: 'warning', pending: true, text };
  }
  if (stealOfDemand === undefined && blind.length === 0) {
    reasons.push('how much CPU the host takes is not known');
  }
  if (reasons.length === 0) return undefined;
  const text = `Whether your host is to blame cannot be told: ${reasons.join('; ')}.`;
  return { name: 'unknown', severity: 'warning', text };
}

/** Too few to accuse anybody, and told by a finding: what is seen is not called nothing. */
function quietVerdict({ hostPageIns = 0, coldPageIns = 0 }: Evidence): Verdict {
  const memory = hostPageIns > 0 || coldPageIns > 0 ? 'next to no memory' : 'no memory that shows';
  const text = `Your host is quiet: it takes no CPU to speak of, and ${memory}.`;
  return { name: 'quiet', severity: 'good', text };
}

export function verdictOf(evidence: Evidence): Verdict {
  const { stealOfDemand = 0, ownCpu = 0 } = evidence;
  const stolen = stealOfDemand > stealRatio;
  const memory = memoryVerdict(evidence, stolen);
  if (memory !== undefined) return memory;
  if (stolen) {
    const text = `Your host takes ${percentText(stealOfDemand)} of the CPU you ask for.`;
    return bad('cpu_steal', text);
  }
  const disk = diskVerdict(evidence);
  if (disk !== undefined) return disk;
  if (ownCpu > ownRatio) {
    const taken =
      evidence.stealOfDemand === undefined
        ? ''
        : `, and the host takes ${percentText(stealOfDemand)} of what you ask for`;
    const text = `You are using your own CPU up: ${percentText(ownCpu)} of it${taken}.`;
    return { name: 'own_load', severity: 'warning', text };
  }
  return unknownVerdict(evidence) ?? quietVerdict(evidence);
}
