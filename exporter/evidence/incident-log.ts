/**
 * A few lines of an incident in the log: its onset, each new word of the kernel, one every ten
 * minutes, its end. They survive where the log of this process does, and they are bounded: nobody's
 * disk or pipe is filled in the very hour in which it may stand still.
 */
import type { Excerpt } from '../kmsg/excerpts.ts';
import type { EvidenceAnswer, Moment } from './format.ts';
import type { Incident } from './incident.ts';
import type { RecorderEvents } from './recorder.ts';
import { summaryOf } from './summary.ts';

export interface IncidentLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const mostBytes = 32 * 1024;
/** With what the log itself puts around it a record stays below 4 kB. */
const mostRecordBytes = 3900;
/** Kept for the line of the end. */
const lastBytes = 2 * 1024;
const everySeconds = 600;

interface Told {
  bytes: number;
  at: Moment;
  readonly began: Moment;
}

const sizeOf = (fields: object): number => Buffer.byteLength(JSON.stringify(fields));

/** As many of the lines as a record has room for. */
function fitting(fields: object, lines: readonly string[]): string[] {
  let room = mostRecordBytes - sizeOf(fields);
  return lines.filter((line) => (room -= sizeOf([line])) >= 0);
}

export function createIncidentLog(
  log: IncidentLogger,
  now: () => EvidenceAnswer['now'],
): RecorderEvents {
  const told = new WeakMap<Incident, Told>();

  function fieldsOf(incident: Incident): object {
    const { id, began, seconds, met, cause } = summaryOf(incident, now());
    const since = new Date(began * 1000).toISOString();
    return {
      incident: id,
      since,
      lasted: Math.round(seconds),
      met,
      verdict: cause.name,
      reason: cause.text.slice(0, 400),
    };
  }

  function tell(
    incident: Incident,
    fields: object,
    say: (fields: object) => void,
    most = mostBytes - lastBytes,
  ): void {
    const state = told.get(incident);
    const bytes = sizeOf(fields);
    if (state === undefined || state.bytes + bytes > most) return;
    state.bytes += bytes;
    say(fields);
  }

  return {
    opened(incident) {
      const began = now().monotonic;
      told.set(incident, { bytes: 0, at: began, began });
      tell(incident, fieldsOf(incident), (fields) => log.warn(fields, 'incident began'));
    },
    told(incident, excerpt: Excerpt) {
      const { kind, microseconds, lines } = excerpt;
      const fields = { incident: incident.facts.id, kind, sinceBoot: microseconds / 1e6 };
      tell(incident, { ...fields, lines: fitting(fields, lines) }, (all) =>
        log.warn(all, 'the kernel reports'),
      );
    },
    lasts(incident, at) {
      const state = told.get(incident);
      if (state === undefined || at - state.at < everySeconds) return;
      state.at = at;
      tell(incident, fieldsOf(incident), (fields) => log.warn(fields, 'incident goes on'));
    },
    closed(incident) {
      tell(
        incident,
        fieldsOf(incident),
        (fields) => log.info(fields, 'incident is over'),
        mostBytes,
      );
    },
  };
}
