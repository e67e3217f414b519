/**
 * How long a boot is known to have lasted. A kernel log alone may have nothing to say for hours before
 * a reset, and sysstat or Redis then show that the machine was there.
 */
import type { Boot, Facts, Instant } from '../facts/facts.ts';

interface Last {
  readonly at: Instant;
  readonly source: string;
}

function lastBefore(facts: Facts, from: Last, to: Instant): Last {
  let last = from;
  const seen = (at: Instant, source: string) => {
    if (at > last.at && at < to) last = { at, source };
  };
  for (const { points, source } of facts.series) for (const { at } of points) seen(at, source);
  for (const { at, source } of facts.redis) seen(at, source);
  for (const { at, source } of facts.systemEvents) seen(at, source);
  for (const { at, source } of facts.kernelEvents) seen(at, source);
  return last;
}

/** What is silent for longer may have been another boot, which nobody kept. */
const goesOnSeconds = 600;

/** A daemon that writes a log may be killed before the machine is: others went on without a pause. */
function lastWithout(facts: Facts, from: Last): Last {
  const all: Last[] = [
    ...facts.series.flatMap(({ points, source }) => points.map(({ at }) => ({ at, source }))),
    ...[facts.redis, facts.systemEvents, facts.kernelEvents].flatMap((list) =>
      list.map(({ at, source }) => ({ at, source })),
    ),
  ];
  let last = from;
  for (const one of all.filter(({ at }) => at > from.at).sort((a, b) => a.at - b.at)) {
    if (one.at - last.at > goesOnSeconds) break;
    last = one;
  }
  return last;
}

/** So soon after its beginning a boot finds what the one before left behind. */
const foundSeconds = 600;

/** What the next boot had to mend tells how this one ended, where its own log does not. */
function howItEnded(facts: Facts, next: Boot): Pick<Boot, 'endSaid'> | undefined {
  const found = facts.systemEvents.find(
    ({ kind, at }) =>
      (kind === 'filesystem_recovered' || kind === 'journal_recovered') &&
      at >= next.start.earliest &&
      at <= next.start.latest + foundSeconds,
  );
  return found === undefined ? undefined : { endSaid: [`the next boot: ${found.text}`] };
}

/** The one after: two sources may have the same boot, each under a name of its own. */
export function nextBoot(boots: readonly Boot[], boot: Boot): Boot | undefined {
  const from = boot.end?.at ?? boot.start.latest;
  return boots.find(({ start }) => start.latest > from);
}

/** Those that are over end at the last that any source has of them. */
export function knownEnds(facts: Facts): Boot[] {
  return facts.boots.map((boot) => {
    const next = nextBoot(facts.boots, boot);
    if (boot.end === undefined || (next === undefined && boot.end.how !== 'unknown')) return boot;
    const own = { at: boot.end.at, source: boot.source };
    if (next === undefined) {
      const { at, source } = lastWithout(facts, own);
      if (source === own.source) return boot;
      const later = { source, logSilent: own.at };
      return Object.assign({}, boot, { end: { at, how: 'unknown' as const, later } });
    }
    const { at, source } = lastBefore(facts, own, next.start.earliest);
    const later = source === own.source ? {} : { later: { source, logSilent: own.at } };
    const unclean = boot.end.how === 'unknown' ? howItEnded(facts, next) : undefined;
    const how = unclean === undefined ? boot.end.how : ('unclean' as const);
    return Object.assign({}, boot, unclean, { end: { at, how, ...later } });
  });
}

/** When the next one began: by then this one was over. */
export function overBy(boots: readonly Boot[], id: string | undefined): Instant | undefined {
  const boot = boots.find((one) => one.id === id);
  return boot === undefined ? undefined : nextBoot(boots, boot)?.start.earliest;
}
