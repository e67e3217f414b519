/** What is ours: load, memory, a Redis that was stopped or is busy with one command. */
import { type Context, found, given, kernelLogOver, nothing, type Rule } from './context.ts';
import type { Findings } from './findings.ts';
import type { Sign } from './incident.ts';
import { goesOn } from './incidents.ts';
import { limits } from './signs.ts';
import { enoughCovered, type Window } from './window.ts';

export const ownLoad: Rule = ({ figures, during }) => {
  const idle = figures.whole('cpu_idle', during);
  const own = figures.whole('cpu_own', during);
  if (idle === undefined || idle.coarse || idle.covered < enoughCovered) return nothing;
  // A CPU that the host took is not idle either: what we used ourselves decides.
  if (idle.mean >= 1 - limits.busyCpu || (own !== undefined && own.mean < 0.8)) return nothing;
  const data = { idle: idle.mean, ...given({ own: own?.mean }) };
  return found('own_load', own === undefined ? 'likely' : 'proven', data, [idle.source]);
};

export const shortOfMemory: Rule = ({ figures, during }) => {
  const pressure = figures.whole('pressure_memory', during);
  const swapIn = figures.whole('swap_in_pages', during);
  const faults = figures.whole('major_faults', during);
  const used = figures.whole('memory_used', during);
  const reread = (faults?.mean ?? 0) > limits.majorFaults && (used?.mean ?? 0) > limits.fullMemory;
  const pressed = (pressure?.mean ?? 0) > limits.memoryPressure;
  const swaps = (swapIn?.mean ?? 0) > limits.swapPages;
  if (!pressed && !swaps && !reread) return nothing;
  const data = given({
    pressure: pressed ? pressure?.mean : undefined,
    swapIn: swaps ? swapIn?.mean : undefined,
    faults: reread ? faults?.mean : undefined,
    used: reread ? used?.mean : undefined,
  });
  return found(
    'short_of_memory',
    'likely',
    data,
    [
      ...(pressed ? [pressure] : []),
      ...(swaps ? [swapIn] : []),
      ...(reread ? [faults, used] : []),
    ].flatMap((one) => one?.source ?? []),
  );
};

/** From here on it is silent, not slow. */
const silentSeconds = 5;

/** Connections were taken and nothing came: a Redis that is not there refuses them. */
function wasSilent({ facts, figures, during }: Context): boolean {
  const latency = figures.whole('redis_latency_seconds', during);
  if ((latency?.most ?? 0) >= silentSeconds) return true;
  return facts.alerts.some(
    ({ name, from, to }) =>
      name === 'RedisFrozen' && from <= during.to && (to ?? Infinity) >= during.from,
  );
}

interface Silent extends Context {
  /** Nothing was measured after it. */
  readonly goesOn: boolean;
}

const silenceOf = ({ during, goesOn: open }: Silent) => ({
  window: during satisfies Window,
  seconds: during.to - during.from,
  ...(open ? { atLeast: true as const } : {}),
});

/** A sleep that lasts as long shows in each sample. */
function nobodySlept(context: Silent): Findings | 'unknown' | 'slept' {
  const { figures, during } = context;
  const blocked = figures.whole('threads_in_d', during);
  const silence = silenceOf(context);
  if (blocked !== undefined && blocked.covered >= enoughCovered) {
    if (blocked.least >= 1 || blocked.mean >= 0.5) return 'slept';
    return found('redis_stopped_or_busy', 'likely', { ...silence, by: 'threads' }, [
      blocked.source,
    ]);
  }
  // The detector speaks after twice its timeout at the latest, 120 s unless changed.
  const log = kernelLogOver(context);
  if (log === undefined || silence.seconds < 300) return 'unknown';
  return found('redis_stopped_or_busy', 'possible', { ...silence, by: 'kernel log' }, [log.id]);
}

const lengthOf = ({ from, to }: Sign): number => to - from;

/** Of a few seconds the first and the last are stopped in part. */
const mostOfIt = 0.5;

/** Its process was seen stopped for as good as all of its silence, or for most of a short one. */
function seenStopped(silent: Silent, least = enoughCovered): Findings | undefined {
  const { facts, figures, during } = silent;
  const said = facts.recorded.find(
    ({ cause, onset, last }) =>
      cause === 'redis_stopped' && onset.earliest <= during.from && last >= during.to,
  );
  const stopped = figures.whole('redis_stopped', during);
  if (said !== undefined && stopped === undefined)
    return found('redis_stopped', 'proven', silenceOf(silent), [said.source]);
  if (stopped === undefined || stopped.covered < enoughCovered || stopped.mean < least)
    return undefined;
  return found('redis_stopped', 'proven', silenceOf(silent), [stopped.source]);
}

/** Other signs lead up to it and last on: it was silent no longer than the longest of its own. */
function longestOf(kind: Sign['kind'], context: Context): Silent | undefined {
  const [longest] = context.incident.signs
    .filter((sign) => sign.kind === kind)
    .sort((one, other) => lengthOf(other) - lengthOf(one));
  if (longest === undefined) return undefined;
  const { from, to } = longest;
  return { ...context, during: { from, to }, goesOn: goesOn([longest], to, context.facts) };
}

/** An answer that came late, and none that was missing: it need not have been at work meanwhile. */
function stoppedMeanwhile(context: Context): Findings | undefined {
  const slow = longestOf('redis_slow', context);
  return slow === undefined ? undefined : seenStopped(slow, mostOfIt);
}

/** It did not answer, and nothing slept in the kernel through it: it was stopped, or busy. */
export const stoppedOrBusy: Rule = (context) => {
  const { incident } = context;
  if (incident.sleep !== undefined) return nothing;
  const silent = longestOf('redis_down', context);
  if (silent === undefined) return stoppedMeanwhile(context) ?? nothing;
  const seen = seenStopped(silent);
  if (seen !== undefined) return seen;
  const slept = wasSilent(silent) ? nobodySlept(silent) : 'unknown';
  if (typeof slept !== 'string') return slept;
  return found(
    'redis_unserved',
    'proven',
    silenceOf(silent),
    incident.signs.filter(({ kind }) => kind === 'redis_down').map(({ source }) => source),
  );
};

/** Answers came late, and none was missing. */
export const redisSlow: Rule = (context) => {
  const { incident, figures, during } = context;
  const slow = incident.signs.some(({ kind }) => kind === 'redis_slow');
  const latency = figures.whole('redis_latency_seconds', during);
  if (!slow || latency === undefined || incident.sleep !== undefined) return nothing;
  if (stoppedMeanwhile(context) !== undefined) return nothing;
  const down = incident.signs.some(({ kind }) => kind === 'redis_down');
  const blocked = figures.whole('threads_in_d', during);
  if (down || blocked === undefined || blocked.least >= 1 || blocked.mean >= 0.5) return nothing;
  return found('redis_slow', 'likely', { most: latency.most }, [latency.source, blocked.source]);
};

export const shutDown: Rule = ({ facts, during }) => {
  const event = facts.redis.findLast(
    ({ kind, at }) => kind === 'shutdown_asked' && at >= during.from - 60 && at <= during.to,
  );
  return event === undefined
    ? nothing
    : found('redis_shut_down', 'proven', { event }, [event.source]);
};
