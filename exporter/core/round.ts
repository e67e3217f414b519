/**
 * Sources read together, once for all that ask meanwhile. A round has as long as anybody may ask
 * for, whatever the first to ask has, so that no caller's haste makes a source fail for another;
 * each leaves at its own time, with what is there by then.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../measure/clock.ts';
import { type IsolatedCollector, type Outcome, startDeadline } from './isolate.ts';

/** How long a scrape may take at most. Prometheus' default timeout is 10 s. */
export const longestSeconds = 2;

export interface Collected {
  readonly isolated: IsolatedCollector;
  readonly outcome: Outcome;
}

interface Round<T> {
  readonly startedAt: number;
  readonly outcomes: Map<IsolatedCollector, Outcome>;
  readonly result: Promise<T>;
}

/**
 * `ready`: a round is handed out once this is done, and whoever comes until then shares it. Without
 * it, what is done with each round is begun anew while the one before is still under way.
 */
export type Ask<T> = (seconds: number, ready?: () => Promise<unknown>) => Promise<T>;

const isServer = ({ collector }: IsolatedCollector) => collector.source === 'network';

/**
 * Ask and have an answer within so many seconds. `combine` is called once for a whole round, and
 * with `complete` false for each that could not wait for its end. Rejects only
 * with what `combine` throws.
 */
export function inRounds<T>(
  isolated: readonly IsolatedCollector[],
  clock: Pick<Clock, 'monotonic'>,
  combine: (collected: readonly Collected[], complete: boolean) => T,
): Ask<T> {
  const servers = isolated.filter(isServer);
  const others = isolated.filter((one) => !isServer(one));
  let running: Round<T> | undefined;

  /** What is there now; of a source that is not done, what `isolate` makes of its last answer. */
  function soFar({ outcomes, startedAt }: Omit<Round<T>, 'result'>, complete: boolean): T {
    const waited = clock.monotonic() - startedAt;
    return combine(
      isolated.map((one) => ({
        isolated: one,
        outcome: outcomes.get(one) ?? one.unfinished(waited),
      })),
      complete,
    );
  }

  async function finish(
    round: Omit<Round<T>, 'result'>,
    ready: (() => Promise<unknown>) | undefined,
  ): Promise<T> {
    const deadline = startDeadline(longestSeconds);
    const run = async (one: IsolatedCollector) => {
      round.outcomes.set(one, await one.run(deadline));
    };
    const answers = servers.map(run);
    // The servers have their questions before we turn to files, and think meanwhile.
    if (servers.length > 0) await setImmediate();
    await Promise.all([...answers, ...others.map(run)]);
    deadline.clear();
    await ready?.();
    running = undefined;
    return soFar(round, true);
  }

  function begin(ready: (() => Promise<unknown>) | undefined): Round<T> {
    const round = { startedAt: clock.monotonic(), outcomes: new Map() };
    return { ...round, result: finish(round, ready) };
  }

  return async (seconds, ready) => {
    running ??= begin(ready);
    const round = running;
    if (seconds >= longestSeconds) return round.result;
    const { promise: timeIsUp, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, seconds * 1000);
    const early = timeIsUp.then(() => soFar(round, false));
    return Promise.race([round.result, early]).finally(() => clearTimeout(timer));
  };
}
