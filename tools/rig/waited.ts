/** What a busy machine takes from a measured time: so that a bound can stay as narrow as it is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

interface Schedule {
  readonly ranMs: number;
  /** Runnable, without a CPU. */
  readonly waitedMs: number;
}

/** Of the main thread. Where the kernel does not count, and of a process that is gone: nothing. */
function scheduleOf(pid: number): Schedule {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { ranMs: (ran ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}

/** As much slower as this is beside ten busy loops on two cores, and then some. */
const slowest = 20;

export interface Stopwatch {
  readonly ms: () => number;
  /** How many times as long everything takes on this machine just now: 1 on a quiet one. */
  readonly slowdown: () => number;
  /** Fails when it took longer than `limitMs` would be on a quiet machine. */
  readonly within: (limitMs: number, what?: string) => void;
}

function scheduleOfAll(pids: readonly number[]): Schedule {
  const all = [process.pid, ...pids].map(scheduleOf);
  const sum = (key: keyof Schedule) => all.reduce((total, one) => total + one[key], 0);
  return { ranMs: sum('ranMs'), waitedMs: sum('waitedMs') };
}

/**
 * A bound on time is a promise of the product on a machine that has time for it. How far this one
 * has is seen by this very process and those with these pids: what they ran, and what they were
 * kept waiting to run.
 */
export function stopwatch(pids: readonly number[] = []): Stopwatch {
  const began = performance.now();
  const before = scheduleOfAll(pids);
  const ms = () => performance.now() - began;
  function slowdown(): number {
    const now = scheduleOfAll(pids);
    // Below a millisecond the ratio is chance.
    const ran = Math.max(now.ranMs - before.ranMs, 1);
    return Math.min(1 + (now.waitedMs - before.waitedMs) / ran, slowest);
  }
  function within(limitMs: number, what = 'it'): void {
    const took = ms();
    // However busy the machine is, it is no faster for that.
    if (took < limitMs) return;
    const times = slowdown();
    assert.ok(
      took < limitMs * times,
      `${what} took ${took.toFixed(0)} ms of ${limitMs}, on a machine ${times.toFixed(1)} times as slow as idle`,
    );
  }
  return { ms, slowdown, within };
}
