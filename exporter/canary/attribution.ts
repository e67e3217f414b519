/**
 * How many touches of a batch were page-ins by the host.
 *
 * A touch of a resident page is one load: the thread neither sleeps nor loses time. Where KVM
 * offers async page faults, a page that the host swapped out puts the thread to sleep, which is
 * a voluntary context switch and, unlike all that the guest itself does to a page, no fault of its
 * own: major where it fetches the page from its swap, minor where it was just about to write it
 * there, and the thread slept for the page's lock. Where KVM does not offer them, or the page is
 * back before the thread gets to sleep, time is all that shows.
 *
 * Both counts are lower bounds of the same thing, so the larger one is taken.
 */

/** Growth from before a batch to after it. */
export interface Batch {
  /** `voluntary_ctxt_switches` of /proc/thread-self/status. */
  readonly switches: number;
  /** `majflt` of /proc/thread-self/stat. */
  readonly majorFaults: number;
  /** `minflt` of the same, without those by which a NUMA guest asks who uses a page. */
  readonly minorFaults: number;
  /** How long the thread waited for a CPU of this guest; undefined when the kernel keeps none. */
  readonly runDelaySeconds: number | undefined;
  /** How long the host kept any vCPU. */
  readonly stealSeconds: number;
  readonly touchSeconds: readonly number[];
}

/** Resident touches stayed under half of this on a busy machine. */
export const slowTouchSeconds = 0.001;

const ownFaults = ({ majorFaults, minorFaults }: Batch): number => majorFaults + minorFaults;

/** Slow touches that neither a fault of the guest nor waiting for a CPU can explain. */
function unexplained(batch: Batch): number {
  const { runDelaySeconds, stealSeconds, touchSeconds } = batch;
  if (runDelaySeconds === undefined) return 0;
  let waited = runDelaySeconds + stealSeconds;
  let count = 0;
  // The shortest first: so the time waited explains as many of them as it possibly can.
  const slow = touchSeconds.filter((seconds) => seconds > slowTouchSeconds).sort((a, b) => a - b);
  for (const seconds of slow) {
    if (waited >= seconds - slowTouchSeconds) waited -= seconds;
    else count += 1;
  }
  return count - ownFaults(batch);
}

export function hostFaultsOf(batch: Batch): number {
  const slept = Math.min(batch.switches - ownFaults(batch), batch.touchSeconds.length);
  return Math.max(0, slept, unexplained(batch));
}
