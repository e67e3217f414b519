/** Blocked threads by process and reason, and what to say of them to a person. */
import type { Finding } from '../core/collector.ts';
import type { Reason } from './reasons.ts';
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

function waitingFor({ reason, waitChannel }: BlockedProcess): string {
  switch (reason) {
    case 'host_page_in':
      return 'waiting for the host to bring a page back';
    case 'disk':
      return 'waiting for the disk';
    case 'filesystem':
      return 'waiting for a file system';
    case 'lock':
      return 'waiting for a lock that another thread holds';
    case 'other':
      return `waiting in the kernel function ${waitChannel}`;
    case 'unknown':
      return 'and the kernel does not tell us what it waits for';
  }
}

/** `other` explains rather than accuses: a vfork() or a paused container looks like this. */
export function findingOf(blocked: BlockedProcess): Finding {
  const { process, reason, seconds, threads } = blocked;
  const some = threads === 1 ? '' : ` (${threads} threads)`;
  return {
    severity: reason === 'other' ? 'warning' : 'bad',
    text: `${process} has been blocked in the kernel for ${durationText(seconds)}${some}, ${waitingFor(blocked)}.`,
  };
}
