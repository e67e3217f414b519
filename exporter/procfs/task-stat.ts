/**
 * Parser of /proc/PID/stat and /proc/PID/task/TID/stat (fs/proc/array.c, do_task_stat). The
 * command name stands in parentheses, unescaped, and may itself hold spaces, parentheses and
 * newlines: only the last parenthesis ends it, because nothing after it can hold one.
 */

export interface TaskStat {
  readonly comm: string;
  /** One letter: R, S, D, T, t, Z, X, I and rarer ones. */
  readonly state: string;
  readonly parentPid: number;
  readonly kernelThread: boolean;
  /** Threads of the process, a zombie leader included. */
  readonly threads: number;
  /** When the thread started, in clock ticks after boot: tells a reused pid from the old one. */
  readonly startTicks: number;
}

/** PF_KTHREAD of include/linux/sched.h. */
const kernelThreadFlag = 0x00200000;

/** Positions after the name; proc_pid_stat(5) counts from 1 and has the state as field 3. */
const field = { state: 0, parentPid: 1, flags: 6, threads: 17, startTicks: 19 } as const;

/** Field 39 of proc_pid_stat(5). */
const cpuField = 36;

/** The CPU that the thread ran on last, and is parked on while it sleeps; undefined where it is not said. */
export function cpuOfTask(text: string): number | undefined {
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const digits = fields[cpuField]?.trim() ?? '';
  return /^\d{1,5}$/.test(digits) ? Number(digits) : undefined;
}

/** Throws on text that is not a stat line, with the text quoted. */
export function parseTaskStat(text: string): TaskStat {
  const open = text.indexOf(' (');
  const close = text.lastIndexOf(') ');
  const fields = text.slice(close + 2).split(' ');
  const [state = ''] = fields;
  const number = (at: number) => {
    const digits = fields[at] ?? '';
    return /^\d+$/.test(digits) ? Number(digits) : NaN;
  };
  const parentPid = number(field.parentPid);
  const flags = number(field.flags);
  const threads = number(field.threads);
  const startTicks = number(field.startTicks);
  const sum = parentPid + flags + threads + startTicks;
  if (open < 1 || close <= open || !/^[A-Za-z]$/.test(state) || Number.isNaN(sum)) {
    throw new Error(`stat of a task: unexpected text ${JSON.stringify(text.slice(0, 120))}`);
  }
  return {
    comm: text.slice(open + 2, close),
    state,
    parentPid,
    kernelThread: (flags & kernelThreadFlag) !== 0,
    threads,
    startTicks,
  };
}
