/** Blocked threads by process and reason, and what to say of them to a person. */
import type { Finding } from '../core/collector.ts';
import { type Reason, reasonInWords } from './reasons.ts';
import { processLabel } from './process-label.ts';
import { isIdleKernelThread, type Spells } from './spells.ts';
import { durationText } from '../measure/duration.ts';

export interface BlockedProcess {
  readonly process: string;
  readonly reason: Reason;
  /** The kernel function the longest-blocked thread sleeps in. */
  readonly waitChannel: string;
  readonly seconds: number;
  readonly threads: number;
}

/** One entry per process name and reason, the longest first; idle kernel threads left out. */
export function blockedProcesses(spells: Spells): BlockedProcess[] {
  const found = new Map<string, BlockedProcess>();
  for (const spell of spells.blocked()) {
    if (isIdleKernelThread(spell)) continue;
    const { reason, waitChannel } = spell;
    const process = processLabel(spell);
    const seconds = spells.ageSeconds(spell);
    const key = `${reason} ${process}`;
    const other = found.get(key);
    const threads = (other?.threads ?? 0) + 1;
    const longest =
      other === undefined || seconds > other.seconds
        ? { process, reason, waitChannel, seconds }
        : other;
    found.set(key, { ...longest, threads });
  }
  return [...found.values()].sort((a, b) => b.seconds - a.seconds);
}

/** The channel of what is in no row is all there is to say of it. */
const waitingFor = ({ reason, waitChannel }: BlockedProcess) =>
  reason === 'other' ? `waiting in the kernel function ${waitChannel}` : reasonInWords[reason];

/** `other` explains rather than accuses: a vfork() or a paused container looks like this. */
export function findingOf(blocked: BlockedProcess): Finding {
  const { process, reason, seconds, threads } = blocked;
  const some = threads === 1 ? '' : ` (${threads} threads)`;
  return {
    severity: reason === 'other' ? 'warning' : 'bad',
    text: `${process} has been blocked in the kernel for ${durationText(seconds)}${some}, ${waitingFor(blocked)}.`,
  };
}
