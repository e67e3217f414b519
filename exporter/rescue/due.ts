/**
 * When a watcher writes: after a verdict has held for long enough, seldom, and not for ever. A write that
 * did not help will not help the tenth time either, and a person is awake by then.
 */
import type { Clock } from '../measure/clock.ts';

export type Why = 'page_in_lost' | 'page_in_stuck';

export interface Due {
  /** Of now; the reason to write, if there is one. */
  verdict(name: string): Why | undefined;
  /** Something was written, or could not be. */
  wrote(): void;
  /** It refused: nothing was written, and the reason may be another in a moment. */
  refused(): void;
}

const lostSeconds = 60;
/** Between two writes. */
const pauseSeconds = 300;
const refusedPauseSeconds = 60;
const mostInOneIncident = 3;
/** Without a page that is missing: what comes then is another incident. */
const wellSeconds = 300;

const isMissing = (name: string) => name === 'page_in_lost' || name === 'page_in_stuck';

export function createDue({
  clock,
  stuckAfter,
}: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly stuckAfter: number;
}): Due {
  /** Since when a page has been missing, and since when its message was lost. */
  let missingSince: number | undefined;
  let lostSince: number | undefined;
  let lastMissing = -Infinity;
  let notBefore = -Infinity;
  let written = 0;

  function note(name: string, now: number): void {
    if (isMissing(name)) {
      if (now - lastMissing >= wellSeconds) written = 0;
      lastMissing = now;
      missingSince ??= now;
    } else missingSince = undefined;
    lostSince = name === 'page_in_lost' ? (lostSince ?? now) : undefined;
  }

  function reason(now: number): Why | undefined {
    if (lostSince !== undefined && now - lostSince >= lostSeconds) return 'page_in_lost';
    if (missingSince !== undefined && now - missingSince >= stuckAfter) return 'page_in_stuck';
    return undefined;
  }

  return {
    verdict(name) {
      const now = clock.monotonic();
      note(name, now);
      return now < notBefore || written >= mostInOneIncident ? undefined : reason(now);
    },
    wrote() {
      written += 1;
      notBefore = clock.monotonic() + pauseSeconds;
    },
    refused() {
      notBefore = clock.monotonic() + refusedPauseSeconds;
    },
  };
}
