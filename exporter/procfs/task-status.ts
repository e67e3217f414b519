/** Parser of /proc/PID/status and /proc/PID/task/TID/status (fs/proc/array.c). */

export interface TaskStatus {
  /** Voluntary and involuntary together: a thread that has not moved has not slept anew. */
  readonly contextSwitches: number;
  readonly uid: number;
  /** The pid in the process's own pid namespace; undefined before Linux 4.1, which has no NSpid. */
  readonly innermostPid: number | undefined;
  /** Effective capabilities as a bit mask. */
  readonly capabilities: bigint;
}

const capabilitySysPtrace = 19n;

/** The name on the first line is escaped by the kernel, so no line of ours can be forged in it. */
function valueOf(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1];
}

/** Throws on text without the lines that every kernel since 2.6.23 writes, with the text quoted. */
export function parseTaskStatus(text: string): TaskStatus {
  const voluntary = valueOf(text, /^voluntary_ctxt_switches:\t(\d+)$/m);
  const involuntary = valueOf(text, /^nonvoluntary_ctxt_switches:\t(\d+)$/m);
  const uid = valueOf(text, /^Uid:\t(\d+)\t/m);
  const capabilities = valueOf(text, /^CapEff:\t([0-9a-f]{16})$/m);
  if (
    voluntary === undefined ||
    involuntary === undefined ||
    uid === undefined ||
    capabilities === undefined
  ) {
    throw new Error(`status of a task: unexpected text ${JSON.stringify(text.slice(0, 120))}`);
  }
  const innermost = valueOf(text, /^NSpid:(?:\t\d+)*\t(\d+)$/m);
  return {
    contextSwitches: Number(voluntary) + Number(involuntary),
    uid: Number(uid),
    innermostPid: innermost === undefined ? undefined : Number(innermost),
    capabilities: BigInt(`0x${capabilities}`),
  };
}

export function maySeeOtherTasks({ capabilities }: TaskStatus): boolean {
  return ((capabilities >> capabilitySysPtrace) & 1n) === 1n;
}
