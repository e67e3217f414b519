/** What a busy machine takes from a measured time: so that a bound can stay as narrow as it is. */
import { readFileSync } from 'node:fs';

function waitedMsOf(pid: number): number {
  try {
    // CPU time, time spent runnable without a CPU, both in nanoseconds; of the main thread.
    const [, delay = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(delay) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * How many milliseconds `action` took, less what this process and those with these pids waited
 * for a CPU meanwhile. Where the kernel does not count that, nothing is taken off.
 */
export async function servedMs(
  pids: readonly number[],
  action: () => Promise<void>,
): Promise<number> {
  const waited = () => [process.pid, ...pids].reduce((sum, pid) => sum + waitedMsOf(pid), 0);
  const before = waited();
  const began = performance.now();
  await action();
  return performance.now() - began - (waited() - before);
}
