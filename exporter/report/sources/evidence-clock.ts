/** Two clocks saw one moment: that of the machine, and that of the prober when it fetched. */
import type { EvidenceAnswer } from '../../evidence/format.ts';
import { durationText } from '../../measure/duration.ts';
import { type Instant, isBelieved } from '../facts/facts.ts';

interface Seen {
  readonly answer: EvidenceAnswer;
  /** By the clock of the prober. */
  readonly fetched?: Instant;
}

export interface Dated {
  /** With the times that count. */
  readonly answer: EvidenceAnswer;
  /** Why nobody can vouch for them. */
  readonly doubt?: string;
}

/** An answer may be on its way for seconds; clocks that are kept differ by less. */
const clockSeconds = 60;
/** Zones aside, no clock that was set is ahead of who reads. */
const aheadSeconds = 24 * 3600;

/** `1970-01-01 00:50 UTC`, of a time that a calendar has. */
function shown(at: Instant): string {
  const date = new Date(at * 1000);
  if (Number.isNaN(date.getTime())) return 'a time that cannot be';
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function datedBy(answer: EvidenceAnswer, fetched: Instant): EvidenceAnswer {
  const { boot, now } = answer;
  return {
    ...answer,
    boot: { ...boot, start: fetched - now.monotonic },
    now: { ...now, wall: fetched },
  };
}

/** A clock that was never set counts for nothing; of two that may be right nobody can say which is. */
export function datedAnswer({ answer, fetched }: Seen, now: Instant): Dated {
  if (fetched === undefined) return { answer };
  const own = answer.boot.start + answer.now.monotonic;
  const ahead = own - fetched;
  if (Math.abs(ahead) <= clockSeconds) return { answer };
  const [mine, others] = [own, fetched].map((at) => isBelieved(at) && at <= now + aheadSeconds);
  if (mine === true && others === true) {
    const side = ahead > 0 ? 'ahead of' : 'behind';
    const doubt = `the clock of the machine was ${durationText(Math.abs(ahead))} ${side} that of the prober when this was fetched, and its times are by the machine's`;
    return { answer, doubt };
  }
  if (others === true) {
    const doubt = `the clock of the machine said ${shown(own)} when this was fetched, which is not believed: its times are by the clock of the prober`;
    return { answer: datedBy(answer, fetched), doubt };
  }
  const said = `${shown(fetched)} when this was fetched`;
  if (mine === true) {
    const doubt = `the clock of the prober said ${said}, which is not believed: its times are by the clock of the machine`;
    return { answer, doubt };
  }
  const doubt = `the clock of the machine said ${shown(own)} and that of the prober ${said}: neither is believed`;
  return { answer, doubt };
}
