/** Whether a folder is a proc file system at all. */
import type { PseudoFs } from './reader.ts';
import { messageOf } from '../measure/errors.ts';

/**
 * Every kernel, container runtime and sandbox has some of these; a wrong folder has none. That of a
 * process, /proc/self, has a `stat` as well, of another kind.
 */
const marks = ['meminfo', 'loadavg', 'uptime'];

function hasCpus(procfs: PseudoFs): boolean {
  try {
    return /^cpu/m.test(procfs.read('stat') ?? '');
  } catch {
    return false;
  }
}

/** Why the folder is none, as a sentence without its full stop; undefined when it is one. */
export function procfsProblem(procfs: PseudoFs): string | undefined {
  const { root } = procfs;
  let names: readonly string[] | undefined;
  try {
    names = procfs.list('');
  } catch (error) {
    return `${root} cannot be read: ${messageOf(error)}`;
  }
  if (names === undefined) return `${root} is not there, or is no folder`;
  if (marks.some((mark) => names.includes(mark)) || hasCpus(procfs)) return undefined;
  return `${root} is no proc file system: it has none of ${marks.join(', ')} and no stat with a line of a CPU`;
}
