/** When nothing of a machine was recorded while it ran. */
import type { Boot, Gap } from '../facts/facts.ts';

/** A gap that two sources have at once; one alone may be a cron that was late. */
export function standstills(gaps: readonly Gap[], boots: readonly Boot[]): Gap[] {
  return gaps.flatMap((gap) => {
    const between = boots.some(
      ({ end }) => end !== undefined && end.at >= gap.from && end.at <= gap.to,
    );
    const other = gaps.find(
      ({ source, from, to }) => source !== gap.source && from < gap.to && to > gap.from,
    );
    if (between || other === undefined) return [];
    const [from, to] = [Math.max(gap.from, other.from), Math.min(gap.to, other.to)];
    return [{ from, to, source: gap.source }];
  });
}
