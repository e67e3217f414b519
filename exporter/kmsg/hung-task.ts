/**
 * Puts together the reports of the kernel's hung task detector (kernel/hung_task.c), which come
 * as one record for the headline, a few about the kernel and the task, and one per frame of the
 * call trace, with records of other origin in between.
 *
 * A report ends with `</TASK>` (newer x86 kernels), with the next report, with a message that brings a
 * task line or trace of its own, with lost records, or when the log has been quiet for a while.
 * One that begins before our first record is not seen: without its headline it says nothing.
 */
import { frameOf } from '../tasks/reasons.ts';
import { kernelEventOf } from './kernel-events.ts';
import type { KmsgRecord } from './record.ts';

export interface HungTaskReport {
  readonly pid: number;
  /** Name of the thread, at most 15 bytes of the process's own choosing. */
  readonly comm: string;
  /** Thread group, that is the process; undefined where an older kernel does not print it. */
  readonly tgid: number | undefined;
  /**
   * Since the detector first saw the task in this sleep. On older kernels (3.x, 4.x) always the
   * timeout, in every round.
   */
  readonly seconds: number;
  /** When the headline was printed, since boot. */
  readonly microseconds: number;
  /** Linux 7.1: the headline says that the task waits for I/O. */
  readonly inIoWait: boolean;
  /** Linux 6.15: the kernel knows the lock that the task waits for. */
  readonly onLock: boolean;
  /** Lines of the call trace that name a function, guesses too, innermost first, at most 128. */
  readonly frames: readonly string[];
  /** It was in the log before the exporter started. */
  readonly past: boolean;
}

/** comm may hold anything, `:` and spaces and a newline too: it ends at the last `:digits`. */
const headline = /^INFO: task (.*):(\d+) blocked (in I\/O wait )?for more than (\d+) seconds/s;
/** `task:redis-server    state:D stack:0     pid:6104  tgid:6104  ppid:1 ...` */
const taskLine = /^task:.* state:\S+ +stack: *\d+ +pid: *(\d+) +(?:tgid: *(\d+) )?/s;
/**
 * What follows is not about the blocked task. `blocked on` (6.15) names the task that holds the
 * lock, and shows that task's trace.
 */
const lockLine = /^INFO: task .* blocked on an? [\w-]*(?:mutex|sem)/s;
const foreign =
  /^(?: <\/TASK>|INFO: task .* blocked on an? |Future hung task reports|Showing all locks|Sending NMI|NMI backtrace|Kernel panic|CPU: \d|Modules linked in:|Task dump for CPU)/s;

const mostFrames = 128;
/** Quiet ticks, a second each, after which a report that has no end mark is taken as whole. */
const quietTicksToEnd = 2;

interface OpenReport {
  readonly report: Omit<HungTaskReport, 'frames' | 'tgid' | 'onLock'>;
  readonly caller: string | undefined;
  readonly frames: string[];
  tgid: number | undefined;
  onLock: boolean;
  quietTicks: number;
}

export interface ReportAssembler {
  feed(record: KmsgRecord, past: boolean): void;
  /** Records were lost: what follows may belong to something else. */
  interrupt(): void;
  /** Nothing more to read for now. */
  quiet(): void;
}

export function assembleReports(onReport: (report: HungTaskReport) => void): ReportAssembler {
  let open: OpenReport | undefined;

  function finish(): void {
    if (open === undefined) return;
    const { report, tgid, frames, onLock } = open;
    open = undefined;
    onReport({ ...report, tgid, onLock, frames });
  }

  function start(match: RegExpExecArray, record: KmsgRecord, past: boolean): void {
    const [, comm = '', pid, ioWait, seconds] = match;
    const inIoWait = ioWait !== undefined;
    const { microseconds, caller } = record;
    const report = {
      pid: Number(pid),
      comm,
      seconds: Number(seconds),
      microseconds,
      inIoWait,
      past,
    };
    open = { report, caller, frames: [], tgid: undefined, onLock: false, quietTicks: 0 };
  }

  function extend(part: OpenReport, text: string): void {
    part.quietTicks = 0;
    const task = taskLine.exec(text);
    if (task !== null) {
      if (Number(task[1]) !== part.report.pid) finish();
      else if (task[2] !== undefined) part.tgid = Number(task[2]);
    } else if (foreign.test(text) || kernelEventOf(text) !== undefined) {
      part.onLock = lockLine.test(text);
      finish();
    } else if (part.frames.length < mostFrames && frameOf(text) !== undefined) {
      part.frames.push(text);
    }
  }

  return {
    feed(record, past) {
      const match = headline.exec(record.text);
      if (match !== null) {
        finish();
        start(match, record, past);
      } else if (open !== undefined) {
        const foreignCaller =
          open.caller !== undefined && record.caller !== undefined && open.caller !== record.caller;
        if (!foreignCaller) extend(open, record.text);
      }
    },
    interrupt: finish,
    quiet() {
      if (open !== undefined && ++open.quietTicks >= quietTicksToEnd) finish();
    },
  };
}
