/** Files of a made-up thread below /proc, in the kernel's format. */
export interface MadeUpTask {
  readonly comm?: string;
  readonly state?: string;
  readonly parentPid?: number;
  readonly threads?: number;
  readonly startTicks?: number;
  readonly kernelThread?: boolean;
  readonly switches?: readonly [voluntary: number, involuntary: number];
  readonly waitChannel?: string;
  readonly uid?: number;
  /** The pid in each pid namespace from the outermost to its own. */
  readonly namespacedPids?: readonly number[];
}

export function statText(tid: number, task: MadeUpTask = {}): string {
  const { comm = 'worker', state = 'S', parentPid = 1, threads = 1, startTicks = 100 } = task;
  const flags = task.kernelThread === true ? 2_129_984 : 4_194_560;
  return `${tid} (${comm}) ${state} ${parentPid} ${tid} ${tid} 0 -1 ${flags} 96 0 0 0 1 2 0 0 20 0 ${threads} 0 ${startTicks} 94748672 8151 18446744073709551615 1 1 0 0 0 0 0 12289 17642 0 0 0 17 1 0 0 0 0 0\n`;
}

export function statusText(pid: number, task: MadeUpTask = {}): string {
  const { uid = 0, switches = [7, 1], namespacedPids = [pid] } = task;
  return [
    'Name:\tworker',
    'Umask:\t0022',
    `Pid:\t${pid}`,
    `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`,
    `NSpid:\t${namespacedPids.join('\t')}`,
    'CapEff:\t0000000000000000',
    `voluntary_ctxt_switches:\t${switches[0]}`,
    `nonvoluntary_ctxt_switches:\t${switches[1]}`,
    '',
  ].join('\n');
}

/** /proc/PID and /proc/PID/task/PID of a process with one thread. */
export function processFiles(pid: number, task: MadeUpTask = {}): Record<string, string> {
  return {
    [`${pid}/comm`]: `${task.comm ?? 'worker'}\n`,
    [`${pid}/stat`]: statText(pid, task),
    [`${pid}/status`]: statusText(pid, task),
    ...threadFiles(pid, pid, task),
  };
}

export function threadFiles(
  pid: number,
  tid: number,
  task: MadeUpTask = {},
): Record<string, string> {
  return {
    [`${pid}/task/${tid}/stat`]: statText(tid, task),
    [`${pid}/task/${tid}/status`]: statusText(tid, task),
    [`${pid}/task/${tid}/wchan`]: task.waitChannel ?? '0',
  };
}
