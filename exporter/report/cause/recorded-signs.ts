/**
 * What the flight recorder made an incident of and nothing that was measured shows: its samples are gone, or
 * it asks for less. What the page lists as an incident is not called ordinary.
 */
import type { Facts, Recorded } from '../facts/facts.ts';
import type { Sign } from './incident.ts';

const wasMeasured = ({ onset, last, source }: Recorded, measured: readonly Sign[]): boolean =>
  measured.some((sign) => sign.source === source && sign.from <= last && sign.to >= onset.latest);

/** From each change to frozen to the next change; the first is how it was at the onset. */
function silences({ onset, redis, last, source }: Recorded): Sign[] {
  return redis.flatMap(({ at, state }, index): Sign[] => {
    const from = index === 0 ? Math.min(at, onset.latest) : at;
    const to = redis[index + 1]?.at ?? last;
    return state === 'frozen' && to > from
      ? [{ kind: 'redis_down', from, to, step: 1, source }]
      : [];
  });
}

/** The earlier of the two may be as long ago as the machine runs. */
const longestStep = 60;

function wholeOf({ onset, last, source }: Recorded): Sign {
  const step = Math.min(longestStep, onset.latest - onset.earliest);
  return { kind: 'recorded', from: onset.latest, to: last, step, source };
}

export function recordedSigns(
  { recorded }: Pick<Facts, 'recorded'>,
  measured: readonly Sign[],
): Sign[] {
  const unseen = recorded.filter(
    (one) => one.last > one.onset.latest && !wasMeasured(one, measured),
  );
  return [...unseen.map(wholeOf), ...unseen.flatMap(silences)];
}
