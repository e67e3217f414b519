/** A line of the kernel log inside a sentence; the name of a process in it is known as one. */
import { eventSentence } from '../../kmsg/findings.ts';
import type { KernelEventFact } from '../facts/facts.ts';
import { line, name, process, say, type Text } from '../text/say.ts';

/** `... stuck for 23s! [redis-server:160]`, `Killed process 812 (redis-server) total-vm:...` */
const withName = /^(.*stuck for \d+s! \[|.*Killed process \d+ \()(.*?)(:\d+\]|\)(?:,? .*)?)$/s;

/** The line alone. */
export function quoted(text: string): Text {
  const [, before, comm, after] = withName.exec(text) ?? [];
  if (before === undefined || comm === undefined || after === undefined) return say`${name(text)}`;
  return say`${line(name(before), process(comm), name(after))}`;
}

/** What it means and what it says. `kvm`: where that is known. */
export function kernelLine({ kind, text }: KernelEventFact, kvm = false): Text {
  return say`${eventSentence(kind, kvm)} (${quoted(text)})`;
}
