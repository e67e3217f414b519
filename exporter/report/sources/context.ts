/** What every reader is handed. */
import type { Boot, Instant } from '../facts/facts.ts';
import type { GatherOptions, ReaderSurroundings } from './options.ts';
import type { Zone } from './zone.ts';

export interface Range {
  readonly from: Instant | undefined;
  readonly to: Instant | undefined;
}

export interface ReadContext {
  readonly options: GatherOptions;
  readonly surroundings: ReaderSurroundings;
  /** Of the machine that is read. */
  readonly zone: Zone;
  readonly zoneProblem: string | undefined;
  /** As it calls itself in its own logs. */
  readonly hostname: string | undefined;
  /** When the running boot began, by /proc/stat. */
  readonly running: Instant | undefined;
  /** What lies outside says nothing about what is asked. */
  readonly range: Range;
  /** Boots that were read so far. */
  readonly boots: readonly Boot[];
}

export const within = ({ from, to }: Range, at: Instant): boolean =>
  (from === undefined || at >= from) && (to === undefined || at <= to);
