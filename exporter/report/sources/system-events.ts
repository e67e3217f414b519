/** Takes lines of programs and keeps what a report needs of them, bounded. */
import type { Instant, SystemEvent, SystemEventKind } from '../facts/facts.ts';
import { systemShape } from './system-shapes.ts';

/** So many of one kind, the first ones; further ones are counted in the last. */
const mostOfKind = 500;
/** Of these there may be thousands: counted by the minute. */
const counted: ReadonlySet<SystemEventKind> = new Set(['connection_failed']);

const sameMinute = (one: Instant, other: Instant): boolean =>
  Math.floor(one / 60) === Math.floor(other / 60);

export interface SystemEvents {
  line(tag: string, text: string, at: Instant, boot: string | undefined): void;
  all(): SystemEvent[];
}

export function createSystemEvents(source: string): SystemEvents {
  const byKind = new Map<SystemEventKind, { event: SystemEvent; count: number }[]>();

  return {
    line(tag, text, at, boot) {
      const shape = systemShape(tag, text);
      if (shape === undefined) return;
      const events = byKind.get(shape.kind) ?? [];
      byKind.set(shape.kind, events);
      const last = events.at(-1);
      const joins =
        last !== undefined &&
        (events.length >= mostOfKind || (counted.has(shape.kind) && sameMinute(last.event.at, at)));
      if (joins) last.count++;
      else {
        const event = { at, kind: shape.kind, text: shape.said, source };
        events.push({ event: boot === undefined ? event : { ...event, boot }, count: 1 });
      }
    },
    all: () =>
      [...byKind.values()]
        .flat()
        .map(({ event, count }) => (count > 1 ? Object.assign({ count }, event) : event)),
  };
}
