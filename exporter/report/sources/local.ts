/**
 * Whether what lies on this machine belongs to the one that is reported: who asks a Prometheus or
 * a prober's files about another host must not be told of the logs of his own.
 */
import type { Boot, Instant, Missing } from '../facts/facts.ts';
import type { GatherOptions } from './options.ts';

/** Clocks are set after the start, and each source has its own way to know it. */
const sameBootSeconds = 120;

const isSame = (one: Boot, other: Boot): boolean =>
  one.id === other.id ||
  (one.start.earliest - sameBootSeconds <= other.start.latest &&
    other.start.earliest - sameBootSeconds <= one.start.latest);

/** A root, a journal or a kernel log that somebody named is meant, whatever it says. */
const namesLocal = ({ root, rootNamed, journal, kernLog }: GatherOptions) =>
  root !== '/' || rootNamed === true || journal !== undefined || kernLog.length > 0;

type Span = Pick<Boot, 'start' | 'end'>;

const meets = (one: Span, other: Span): boolean =>
  one.start.earliest <= (other.end?.at ?? Infinity) &&
  other.start.earliest <= (one.end?.at ?? Infinity);

export type Apart =
  /** What was told from afar and what lies here are of two machines. */
  | 'local'
  /** The same, and somebody named what lies here: that counts. */
  | 'told';

/** Which of the two is of another machine: no boot of this one is one of those that were told. */
export function apart(
  options: GatherOptions,
  told: readonly Boot[],
  local: readonly Boot[],
  running: Instant | undefined,
): Apart | undefined {
  if (told.length === 0) return undefined;
  const named = namesLocal(options);
  const runs = running === undefined || named ? [] : [{ earliest: running, latest: running }];
  const own = [...local, ...runs.map((start) => ({ id: '', start, endSaid: [], source: '' }))];
  if (own.length === 0 || told.some((boot) => own.some((other) => isSame(boot, other))))
    return undefined;
  if (!named) return 'local';
  // Of two times nothing follows; of one time two boots are of two machines.
  return told.some((boot) => own.some((other) => meets(boot, other))) ? 'told' : undefined;
}

export const leftOutTold: Missing = {
  what: 'Prometheus, and what the flight recorder kept',
  why: 'they tell of another machine than the logs that were named: at the same time another boot was running there. Two machines are not mixed; report each by itself',
};

export const leftOutLocal: Missing = {
  what: 'the logs of the machine itself',
  why: 'this is another machine than the one that was asked for: no boot of it is one of those',
  command: 'stealwatch report --last-boot, on the machine itself',
};
