/** Parser of /proc/PID/status and /proc/PID/task/TID/status (fs/proc/array.c). */

/** What cannot be read is undefined: sandboxes (gVisor) leave out half of it. */
export interface TaskStatus {
  /** Voluntary and involuntary together: a thread that has not moved has not slept anew. */
  readonly contextSwitches: number | undefined;
  readonly uid: number | undefined;
  /** The pid in the process's own pid namespace; undefined before Linux 4.1, which has no NSpid. */
  readonly innermostPid: number | undefined;
  /** Effective capabilities as a bit mask. */
  readonly capabilities: bigint | undefined;
}

const capabilitySysPtrace = 19n;

/** The name on the first line is escaped by the kernel, so no line of ours can be forged in it. */
function numberOf(text: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function switchesOf(text: string): number | undefined {
  const voluntary = numberOf(text, /^voluntary_ctxt_switches:\t(\d+)$/m);
  const involuntary = numberOf(text, /^nonvoluntary_ctxt_switches:\t(\d+)$/m);
  return voluntary === undefined || involuntary === undefined ? undefined : voluntary + involuntary;
}

export function parseTaskStatus(text: string): TaskStatus {
  const capabilities = /^CapEff:\t([0-9a-f]{16})$/m.exec(text)?.[1];
  return {
    contextSwitches: switchesOf(text),
    uid: numberOf(text, /^Uid:\t(\d+)\t/m),
    innermostPid: numberOf(text, /^NSpid:(?:\t\d+)*\t(\d+)$/m),
    capabilities: capabilities === undefined ? undefined : BigInt(`0x${capabilities}`),
  };
}

/** The error for a status that lacks what is needed of it. */
export function unexpectedStatus(text: string): Error {
  return new Error(`status of a task: unexpected text ${JSON.stringify(text.slice(0, 120))}`);
}

export function maySeeOtherTasks({ capabilities = 0n }: TaskStatus): boolean {
  return ((capabilities >> capabilitySysPtrace) & 1n) === 1n;
}
