/**
 * Reads what a machine keeps into the facts of a report. A source that cannot be read costs
 * itself and a sentence, never the rest.
 */
import type { PseudoFs } from '../../procfs/reader.ts';
import { parseStat } from '../../procfs/stat.ts';
import type { Facts, Instant } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { readJournal, readJournalPrograms } from './journal.ts';
import { focusOf } from './focus.ts';
import { readKernelLogs } from './kernel-log.ts';
import type { GatherOptions, ReaderSurroundings } from './options.ts';
import { readRedisLogs } from './redis-log.ts';
import { withoutRepeats } from './same-facts.ts';
import { readSysstat } from './sysstat.ts';
import { together } from './together.ts';
import { zoneOf } from './zone.ts';

export type { GatherOptions, ReaderSurroundings } from './options.ts';

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

export async function gather(
  options: GatherOptions,
  surroundings: ReaderSurroundings,
): Promise<Facts> {
  const { zone, problem: zoneProblem } = zoneOf(options.root);
  const context: ReadContext = {
    options,
    surroundings,
    zone,
    zoneProblem,
    running: runningSince(surroundings.procfs),
    range: { from: options.from && options.from - day, to: options.to && options.to + hour },
    boots: [],
  };
  // What dates the incident first; what is read around it then.
  const journal = await readJournal(context);
  const logs = await readKernelLogs({ ...context, boots: journal.boots ?? [] });
  const kernel = withoutRepeats([journal, ...logs]);
  const focus = focusOf(options, kernel, surroundings.now());
  const programs = await readJournalPrograms(context, focus);
  const boots = kernel.flatMap((part) => part.boots ?? []);
  const sysstat = await readSysstat({ ...context, boots }, focus);
  const redis = await readRedisLogs(context, focus);
  return together([...kernel, programs, sysstat, ...redis]);
}
