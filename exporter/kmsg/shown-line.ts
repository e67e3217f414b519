/**
 * Which lines of a kernel report may leave the machine, and how. Registers, the instruction pointer
 * of user space and code may hold what a process worked with, the bytes of a key: they stay here, and so
 * does every line that is not known to be harmless. Frames, offsets and names of modules go.
 */
import { frameOf } from '../tasks/reasons.ts';
import { kernelEventOf } from './kernel-events.ts';

const longestLine = 300;

/** Lines beside the frames that say which kernel, which task, which machine. */
const harmless = [
  /^INFO: task .*:\d+ (?:blocked|is blocked on) /s,
  /^ +(?:Not tainted|Tainted: )/,
  /^task:.* state:\S+ +stack:/s,
  /^ *Call Trace:|^Backtrace:|^ <\/?(?:TASK|IRQ|NMI|SOFTIRQ)>$/,
  /^CPU: \d+ .*Comm: /,
  /^Hardware name: /,
  /^Workqueue: /,
  /^Future hung task reports are suppressed/,
];
/** A frame that is a guess, and where the kernel's own instruction pointer was. */
const placed = /^(?:RIP: 0010:| *\? |\[<|pc : ?).*\+0x[0-9a-f]+\/0x[0-9a-f]+/;
/** Addresses tell where this kernel lies in memory, and no person anything. */
const addresses = /\b(?:0x)?[0-9a-f]{8,}\b/g;
const unseen = /[^\x20-\x7e]/g;

/** The line as it may be shown; undefined for one that may not be. */
export function shownLine(text: string): string | undefined {
  const known =
    kernelEventOf(text) !== undefined ||
    harmless.some((pattern) => pattern.test(text)) ||
    placed.test(text) ||
    frameOf(text) !== undefined;
  if (!known) return undefined;
  return text
    .slice(0, longestLine)
    .replaceAll(unseen, '?')
    .replaceAll(addresses, (address) => address.replaceAll(/[1-9a-f]/g, '0'));
}
