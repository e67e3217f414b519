/**
 * What this process may see of the others. Not read off the configuration but tried: kthreadd,
 * pid 2 of every Linux kernel, always sleeps and belongs to the kernel itself, so it is seen only
 * from the machine's own pid namespace, and its wait channel only with CAP_SYS_PTRACE there.
 */
import type { Signal } from '../core/collector.ts';
import { handInProcesses } from '../procfs/handed-in.ts';
import type { PseudoFs } from '../procfs/reader.ts';
import { parseTaskStat } from '../procfs/task-stat.ts';
import { maySeeOtherTasks, parseTaskStatus } from '../procfs/task-status.ts';
import { listFirst, readVisible } from './process-files.ts';

const kthreadd = 2;

/** The whole machine is seen, and every pid is the machine's own. */
export function seesKthreadd(procfs: PseudoFs): boolean {
  const text = readVisible(procfs, `${kthreadd}/stat`);
  return text !== undefined && parseTaskStat(text).comm === 'kthreadd';
}

function names(waitChannel: string | undefined): boolean {
  const symbol = waitChannel?.trim() ?? '';
  return symbol !== '' && symbol !== '0';
}

/** Some of our own threads always sleep (libuv's pool, V8's workers), and nothing hides them. */
function ownWaitChannelsAreEmpty(procfs: PseudoFs): boolean {
  const tids = listFirst(procfs, 'self/task', 64) ?? [];
  const channels = tids.map((tid) => readVisible(procfs, `self/task/${tid}/wchan`));
  return channels.length > 1 && !channels.some(names);
}

function hasPtraceCapability(procfs: PseudoFs): boolean {
  const text = readVisible(procfs, 'self/status');
  return text !== undefined && maySeeOtherTasks(parseTaskStatus(text));
}

export function waitChannelSignal(procfs: PseudoFs): Signal {
  const name = 'wait_channel';
  if (ownWaitChannelsAreEmpty(procfs)) {
    return {
      name,
      supported: false,
      reason:
        'This kernel does not name the function a thread sleeps in: x86 kernels from 4.14 to 5.15 read 0. A newer kernel does.',
    };
  }
  const seen = seesKthreadd(procfs)
    ? names(readVisible(procfs, `${kthreadd}/wchan`))
    : hasPtraceCapability(procfs);
  return seen
    ? { name, supported: true, reason: 'The kernel names the function a blocked thread sleeps in.' }
    : {
        name,
        supported: false,
        reason:
          'Without CAP_SYS_PTRACE the kernel hides what other processes wait for, so every reason is unknown: run as root, with AmbientCapabilities=CAP_SYS_PTRACE (systemd) or cap_add: [SYS_PTRACE] (Docker).',
      };
}

export function hostProcessesSignal(procfs: PseudoFs): Signal {
  const name = 'host_processes';
  return seesKthreadd(procfs)
    ? { name, supported: true, reason: 'All processes of this machine can be seen.' }
    : {
        name,
        supported: false,
        reason: `Only some of this machine's processes can be seen, so a blocked thread may go unnoticed: in a container hand in the host's, ${handInProcesses}, and mount procfs without hidepid.`,
      };
}
