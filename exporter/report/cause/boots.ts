/**
 * How long a boot is known to have lasted. A kernel log alone may have nothing to say for hours before
 * a reset, and sysstat or Redis then show that the machine was there.
 */
import type { Boot, Facts, Instant } from '../facts/facts.ts';

function lastBefore(facts: Facts, from: Instant, to: Instant): Instant {
  let last = from;
  const seen = (at: Instant) => {
    if (at > last && at < to) last = at;
  };
  for (const { points } of facts.series) for (const { at } of points) seen(at);
  for (const { at } of facts.redis) seen(at);
  for (const { at } of facts.systemEvents) seen(at);
  for (const { at } of facts.kernelEvents) seen(at);
  return last;
}

/** Those that are over end at the last that any source has of them. */
export function knownEnds(facts: Facts): Boot[] {
  return facts.boots.map((boot, i) => {
    const next = facts.boots[i + 1];
    if (boot.end === undefined || next === undefined) return boot;
    const at = lastBefore(facts, boot.end.at, next.start.earliest);
    return Object.assign({}, boot, { end: { ...boot.end, at } });
  });
}

/** When the next one began: by then this one was over. */
export function overBy(boots: readonly Boot[], id: string | undefined): Instant | undefined {
  const at = boots.findIndex((boot) => boot.id === id);
  return at < 0 ? undefined : boots[at + 1]?.start.earliest;
}
