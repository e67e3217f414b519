/**
 * The log keeps the incident: a line for each change of the verdict and of the state of a check,
 * of Redis, of the heartbeat, of an application, of a background clock. Seen from a clock of its
 * own and not from scrapes, because in the incident nobody may be scraping.
 */
import type { Clock } from '../measure/clock.ts';
import type { Status } from '../core/status.ts';

export interface ChangeLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const periodSeconds = 1;
/** Until then clocks tick for the first time, and what is merely not known yet becomes known. */
const settlingSeconds = 10;
/** A state that flaps must not fill a disk. */
const mostPerMinute = 30;
const longestReason = 400;

interface Thing {
  readonly name: string;
  readonly state: string;
  readonly code?: string;
  readonly reason: string;
  readonly well: boolean;
  readonly sinceSeconds: number;
}

function thingsOf({ verdict, checks }: Status): Thing[] {
  const { name: state, severity, text: reason } = verdict;
  return [
    { name: 'verdict', state, reason, well: severity !== 'bad', sinceSeconds: 0 },
    ...checks.map(({ ok: well, ...check }) => ({ ...check, well })),
  ];
}

/** Returns a function that ends it. */
export function logChanges(status: () => Status, clock: Clock, log: ChangeLogger): () => void {
  const before = new Map<string, Pick<Thing, 'state' | 'code' | 'well'> & { at: number }>();
  const started = clock.monotonic();
  let minuteBegan = started;
  let lines = 0;
  let left = 0;

  function tell(
    { name, state, code, reason, well, sinceSeconds }: Thing,
    from: string | undefined,
    at: number,
  ): void {
    lines += 1;
    if (lines > mostPerMinute) {
      left += 1;
      return;
    }
    const fields = {
      check: name,
      from,
      to: state,
      ...(code === undefined ? {} : { code }),
      reason: reason.slice(0, longestReason),
      since: new Date((clock.wall() - sinceSeconds) * 1000).toISOString(),
      lasted: Math.round(clock.monotonic() - at),
    };
    log[well ? 'info' : 'warn'](fields, 'state changed');
  }

  function turnMinute(): void {
    if (clock.monotonic() - minuteBegan < 60) return;
    if (left > 0) log.warn({ changes: left }, 'states changed too often to log each');
    minuteBegan = clock.monotonic();
    lines = 0;
    left = 0;
  }

  function look(): void {
    turnMinute();
    for (const thing of thingsOf(status())) {
      const known = before.get(thing.name);
      const sameState = known?.state === thing.state;
      if (sameState && known.code === thing.code) continue;
      // What is well from the start is no change.
      const settling = known === undefined || clock.monotonic() - started < settlingSeconds;
      if (!(settling && thing.well && known?.well !== false)) {
        // For the same state from another cause, that is since now.
        const seen = sameState ? { ...thing, sinceSeconds: 0 } : thing;
        tell(seen, known?.state, known?.at ?? clock.monotonic());
      }
      before.set(thing.name, { ...thing, at: clock.monotonic() });
    }
  }

  return clock.every(periodSeconds, look);
}
