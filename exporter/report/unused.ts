/** What somebody named and was of no use: a report of what else there is must not pass for one of that. */
import type { Facts } from './facts/facts.ts';
import type { GatherOptions } from './sources/options.ts';

/** A line of each; at most so many, report.md has them all. */
const mostLines = 10;

type Named = Pick<GatherOptions, 'journal' | 'kernLog' | 'sysstat' | 'redisLog'>;

/** Prometheus and evidence are read only where they are named. */
export function unusedLines({ missing, sources }: Facts, options: Named): string[] {
  const { journal, kernLog, sysstat, redisLog } = options;
  const paths = new Set([journal, ...kernLog, ...sysstat, ...redisLog]);
  const told = missing.filter(({ named }) => named).map(({ what, why }) => `${what}: ${why}`);
  // The last of its problems is why nothing came of it.
  const empty = sources
    .filter(
      ({ kind, name, records }) => records === 0 && (kind === 'prometheus' || paths.has(name)),
    )
    .flatMap(({ name, problems }) => problems.slice(-1).map((problem) => `${name}: ${problem}`));
  const lines = [...told, ...empty].map((line) => `not used: ${oneLine(line)}`);
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `and ${more} more in report.md`] : lines;
}

/** Names of files are whatever somebody made them. */
const oneLine = (text: string): string => text.replaceAll(/\p{C}+/gu, ' ').slice(0, 500);
