/**
 * Reads what a machine keeps into the facts of a report. A source that cannot be read costs
 * itself and a sentence, never the rest.
 */
import type { PseudoFs } from '../../procfs/reader.ts';
import { parseStat } from '../../procfs/stat.ts';
import type { Facts, Instant } from '../facts/facts.ts';
import type { ReadContext } from './context.ts';
import { readKernelLogs } from './kernel-log.ts';
import type { GatherOptions, ReaderSurroundings } from './options.ts';
import { together } from './together.ts';
import { zoneOf } from './zone.ts';

export type { GatherOptions, ReaderSurroundings } from './options.ts';

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
    range: { from: options.from, to: options.to },
    boots: [],
  };
  return together(await readKernelLogs(context));
}
