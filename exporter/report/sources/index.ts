/**
 * Reads what a machine keeps into the facts of a report. A source that cannot be read costs
 * itself and a sentence, never the rest.
 */
import type { Facts } from '../facts/facts.ts';
import type { GatherOptions, ReaderSurroundings } from './options.ts';
import { together } from './together.ts';

export type { GatherOptions, ReaderSurroundings } from './options.ts';

export async function gather(
  options: GatherOptions,
  surroundings: ReaderSurroundings,
): Promise<Facts> {
  void options;
  void surroundings;
  return together([]);
}
