/**
 * The SLI: every second of the monotonic clock in exactly one account.
 *
 * The clock is asked to tick once a second. What a gap between two ticks exceeds 1.5 s by, less
 * what our own thread used of a CPU meanwhile or waited for one behind others of this guest, is a
 * stall: the machine stood still and nothing ran. The rest of the gap waits for a verdict on steal.
 *
 * Limits: a pause of this process alone (SIGSTOP, a debugger, a frozen cgroup) looks like a
 * stall. Where the host pages without telling the guest, the kernel books the wait as CPU time
 * of the thread that touched the page; if that is ours, the stall is taken for own work.
 */

interface Seconds {
  readonly good: number;
  readonly steal: number;
  readonly stall: number;
}

export interface Ledger {
  /** Account for the time up to `now`. Returns how much of it was a stall. */
  pass(now: number, ownSeconds: number): number;
  /** Give all time that waits for a verdict to one account. */
  judge(verdict: 'good' | 'steal'): void;
  /** `waiting` is time that has passed and has no verdict yet. */
  seconds(): Seconds & { readonly waiting: number };
}

const lateAfterSeconds = 1.5;

export function createLedger(start: number, ownStart: number): Ledger {
  const seconds = { good: 0, steal: 0, stall: 0, waiting: 0 };
  let passed = start;
  let own = ownStart;

  return {
    pass(now, ownSeconds) {
      const gap = now - passed;
      const stall = Math.max(0, gap - lateAfterSeconds - (ownSeconds - own));
      seconds.stall += stall;
      seconds.waiting += gap - stall;
      passed = now;
      own = ownSeconds;
      return stall;
    },
    judge(verdict) {
      seconds[verdict] += seconds.waiting;
      seconds.waiting = 0;
    },
    seconds: () => ({ ...seconds }),
  };
}
