/**
 * When a watcher writes: after a verdict has held for long enough, seldom, and not for ever. A write that
 * did not help will not help the tenth time either, and a person is awake by then.
 */
import type { Clock } from '../measure/clock.ts';

export type Why = 'page_in_lost' | 'page_in_stuck';

export interface Due {
  /** Of now; the reason to write, if there is one. How long ago anybody last wrote goes with it. */
  verdict(name: string, wroteAgo?: number): Why | undefined;
  /** Something was written, or could not be. */
  wrote(): void;
  /** It refused: nothing was written, and the reason may be another in a moment. */
  refused(): void;
  /** For the watcher that comes after this one; undefined where nothing was written. */
  incident(): Incident | undefined;
}

/** One that a watcher has written in. */
export interface Incident {
  readonly written: number;
  /** How long ago a page was missing. */
  readonly missingAgo: number;
}

const lostSeconds = 60;
/** Between two writes. */
const pauseSeconds = 300;
const refusedPauseSeconds = 60;
const mostInOneIncident = 3;
/** Without a page that is missing: what comes then is another incident. */
const wellSeconds = 300;
/** Between two looks: what was not looked at for as long as a verdict must hold has not held. */
const blindSeconds = lostSeconds;

const isMissing = (name: string) => name === 'page_in_lost' || name === 'page_in_stuck';

export function createDue({
  clock,
  stuckAfter,
  before,
}: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly stuckAfter: number;
  /** Of the watcher before this one: a restart is no new incident. */
  readonly before?: Incident | undefined;
}): Due {
  /** Since when a page has been missing, and since when its message was lost. */
  let missingSince: number | undefined;
  let lostSince: number | undefined;
  let lastMissing = before === undefined ? -Infinity : clock.monotonic() - before.missingAgo;
  let lastLook = -Infinity;
  let notBefore = -Infinity;
  let written = before?.written ?? 0;

  function note(name: string, now: number): void {
    if (now - lastLook >= blindSeconds) {
      missingSince = undefined;
      lostSince = undefined;
    }
    lastLook = now;
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
    verdict(name, wroteAgo = Infinity) {
      const now = clock.monotonic();
      note(name, now);
      const early = now < notBefore || wroteAgo < pauseSeconds;
      return early || written >= mostInOneIncident ? undefined : reason(now);
    },
    wrote() {
      written += 1;
      notBefore = clock.monotonic() + pauseSeconds;
    },
    refused() {
      notBefore = Math.max(notBefore, clock.monotonic() + refusedPauseSeconds);
    },
    incident: () =>
      written === 0 ? undefined : { written, missingAgo: clock.monotonic() - lastMissing },
  };
}
