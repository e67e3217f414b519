/** How a boot ended, by what was written last. */
import type { Boot, Instant } from '../facts/facts.ts';

/** After the last word a machine has no more than this to say. */
const lastWordsSeconds = 120;

const targets =
  /^(?:Reached target .*(?:Shutdown|Power.?Off|Reboot|Halt|Final Step|Late Shutdown|Unmount All)|Shutting down\.|Stopped .*(?:systemd-journal-flush|Flush Journal to Persistent Storage))/i;

/** A line that is written only when the end of an orderly shutdown is near. */
export function isFarewell(tag: string, text: string): boolean {
  if (tag === 'systemd-shutdown') return true;
  if (tag === 'rsyslogd') return text.includes('exiting on signal 15');
  if (tag === 'kernel') return /^(?:reboot: |Kernel logging \(proc\) stopped)/.test(text);
  if (tag.startsWith('systemd-journal')) return text === 'Journal stopped';
  return tag === 'systemd' && targets.test(text);
}

/** Where somebody asked for a shutdown; it may not have come to its end. */
export const isAsked = (tag: string, text: string): boolean =>
  tag === 'systemd-logind' &&
  /^(?:System is (?:powering down|rebooting|halting)|The system will (?:reboot|power off|halt))/.test(
    text,
  );

export interface LastWords {
  readonly at: Instant;
  readonly farewell: Instant | undefined;
  readonly asked: Instant | undefined;
  /** False where its last lines were not read, or may be hidden from us. */
  readonly isWhole: boolean;
  /** No later boot is known, and this is not the one that runs here. */
  readonly isNewest: boolean;
}

type Ended = Pick<Boot, 'end' | 'endSaid'>;

/** `log`: what it is called in a sentence. */
export function endOfBoot(
  { at, farewell, asked, isWhole, isNewest }: LastWords,
  log: string,
): Ended {
  if (!isWhole) return { end: { at, how: 'unknown' }, endSaid: [] };
  if (farewell !== undefined && at - farewell <= lastWordsSeconds)
    return {
      end: { at, how: 'clean' },
      endSaid: [`${log} holds the lines of an orderly shutdown`],
    };
  if (isNewest) {
    const either = `${log} breaks off: the machine was reset then, or the log was copied while it ran`;
    return { end: { at, how: 'unknown' }, endSaid: [either] };
  }
  const endSaid = [`${log} breaks off without the lines of a shutdown`];
  if (asked !== undefined)
    endSaid.push('a shutdown or a reboot had been asked for, and did not come to its end');
  return { end: { at, how: 'unclean' }, endSaid };
}
