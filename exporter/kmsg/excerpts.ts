/**
 * What the kernel printed of a hung task or of another sign of a sick host, as lines that may be
 * shown: from its headline to the end of its trace. Records of other origin in between are known by
 * who printed them, where the kernel says so, or are no lines of a report.
 */
import { frameOf } from '../tasks/reasons.ts';
import { type KernelEventKind, kernelEventOf } from './kernel-events.ts';
import type { KmsgRecord } from './record.ts';
import { shownLine } from './shown-line.ts';

export interface Excerpt {
  readonly kind: 'hung_task' | KernelEventKind;
  /** When its first line was printed, since boot. */
  readonly microseconds: number;
  /** Thread that hung, and for how long: `blocked for more than N seconds`; of a CPU, `stuck for Ns`. */
  readonly pid?: number;
  readonly seconds?: number;
  /** Printed before the exporter started. */
  readonly past: boolean;
  /** The first is the headline; frames are known by `frameOf`. */
  readonly lines: readonly string[];
}

const hungTask = /^INFO: task .*:(\d+) blocked (?:in I\/O wait )?for more than (\d+) seconds/s;
const stuck = /stuck for (\d+)s!/;
const end = /^ <\/TASK>$/;
/** Of another task: who holds the lock. */
const foreign =
  /^(?:INFO: task .* blocked on an? |Showing all locks|Sending NMI|NMI backtrace|Kernel panic)/s;

const mostLines = 64;
const quietTicksToEnd = 2;

interface Open {
  readonly head: Omit<Excerpt, 'lines'>;
  readonly caller: string | undefined;
  readonly lines: string[];
  quietTicks: number;
}

export interface Excerpts {
  feed(record: KmsgRecord, past: boolean): void;
  /** Records were lost: what follows may belong to something else. */
  interrupt(): void;
  /** Nothing more to read for now. */
  quiet(): void;
}

function headOf({ text, microseconds }: KmsgRecord, past: boolean): Open['head'] | undefined {
  const hung = hungTask.exec(text);
  if (hung !== null) {
    const [, pid, seconds] = hung;
    return { kind: 'hung_task', microseconds, past, pid: Number(pid), seconds: Number(seconds) };
  }
  const event = kernelEventOf(text);
  if (event === undefined) return undefined;
  const seconds = stuck.exec(text)?.[1];
  const known = seconds === undefined ? {} : { seconds: Number(seconds) };
  return { kind: event.kind, microseconds, past, ...known };
}

export function collectExcerpts(onExcerpt: (excerpt: Excerpt) => void): Excerpts {
  let open: Open | undefined;

  function finish(): void {
    if (open === undefined) return;
    const { head, lines } = open;
    open = undefined;
    onExcerpt({ ...head, lines });
  }

  function add(to: Open, text: string): void {
    const line = to.lines.length < mostLines ? shownLine(text) : undefined;
    if (line !== undefined) to.lines.push(line);
  }

  return {
    feed(record, past) {
      const { text, caller } = record;
      const head = headOf(record, past);
      if (head !== undefined) {
        finish();
        open = { head, caller, lines: [], quietTicks: 0 };
        add(open, text);
      } else if (open !== undefined) {
        if (open.caller !== undefined && caller !== undefined && open.caller !== caller) return;
        open.quietTicks = 0;
        if (!foreign.test(text)) add(open, text);
        if (foreign.test(text) || end.test(text)) finish();
      }
    },
    interrupt: finish,
    quiet() {
      if (open !== undefined && ++open.quietTicks >= quietTicksToEnd) finish();
    },
  };
}

/** Functions of its trace, which tell one place in the kernel from another; none for a mere line. */
export function functionsOf({ lines }: Excerpt): string[] {
  return lines.flatMap((line) => frameOf(line)?.name ?? []);
}
