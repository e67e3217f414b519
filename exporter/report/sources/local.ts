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

/** Local sources that somebody named are meant, whatever they say. */
const namesLocal = ({ root, journal, kernLog, sysstat, redisLog, lastBoot }: GatherOptions) =>
  root !== '/' ||
  lastBoot ||
  journal !== undefined ||
  [kernLog, sysstat, redisLog].some((paths) => paths.length > 0);

/** No boot of this machine is one of those that were told from afar. */
export function isAnotherMachine(
  options: GatherOptions,
  told: readonly Boot[],
  local: readonly Boot[],
  running: Instant | undefined,
): boolean {
  if (told.length === 0 || namesLocal(options)) return false;
  const runs = running === undefined ? [] : [{ earliest: running, latest: running }];
  const own = [...local, ...runs.map((start) => ({ id: '', start, endSaid: [], source: '' }))];
  return own.length > 0 && !told.some((boot) => own.some((other) => isSame(boot, other)));
}

export const leftOutLocal: Missing = {
  what: 'the logs of the machine itself',
  why: 'this is another machine than the one that was asked for: no boot of it is one of those',
  command: 'stealwatch report --last-boot, on the machine itself',
};
