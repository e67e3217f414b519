/** What a hung task waits for, by all that its report says of it. */
import { type Reason, reasonInWords, readTrace } from '../tasks/reasons.ts';
import type { HungTaskReport } from './hung-task.ts';

export interface Cause {
  readonly reason: Reason;
  /** As the end of a sentence. */
  readonly words: string;
}

type Said = Pick<HungTaskReport, 'frames' | 'inIoWait' | 'onLock'>;

/** The trace first; where it names nothing, the lines around it. */
export function causeOf({ frames, inIoWait, onLock }: Said): Cause {
  const { reason, sure } = readTrace(frames);
  const named = reason !== 'unknown' && reason !== 'other';
  if (named && sure) return { reason, words: reasonInWords[reason] };
  if (inIoWait) return { reason: 'disk', words: 'waiting for I/O, of a disk as a rule' };
  if (onLock) return { reason: 'lock', words: reasonInWords.lock };
  if (sure) return { reason, words: reasonInWords[reason] };
  return {
    reason,
    words: `${named ? `probably ${reasonInWords[reason]}` : reasonInWords[reason]} (its trace holds guesses only)`,
  };
}
