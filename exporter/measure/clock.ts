/**
 * Time as the exporter sees it, injected so that tests own it.
 *
 * Durations always come from the monotonic clock: the wall clock steps on a machine whose
 * hypervisor paused it, which is exactly the machine we run on.
 */
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** CLOCK_MONOTONIC in seconds, from an arbitrary origin. Never steps. */
  monotonic(): number;
  /** Unix time in seconds. May step. */
  wall(): number;
  /**
   * Call `tick` every `seconds`, the first time after one or two periods. Ticks that could not run
   * are not made up for. Returns a function that ends it. The timer keeps no process alive.
   */
  every(seconds: number, tick: () => void): () => void;
}

interface Ticking {
  readonly tick: () => void;
  /** The first period is a whole one, but for the jitter of timers. */
  readonly notBefore: number;
}

/**
 * One timer for all that tick with the same period: to wake up costs a sleeping process 0.2 ms
 * of CPU, more than most ticks do with it.
 */
function createTimers(): Clock['every'] {
  const timers = new Map<number, { timer: NodeJS.Timeout; ticking: Set<Ticking> }>();

  function start(seconds: number) {
    const ticking = new Set<Ticking>();
    const timer = setInterval(() => {
      const now = performance.now();
      for (const { tick, notBefore } of ticking) if (now >= notBefore) tick();
    }, seconds * 1000);
    timer.unref();
    return { timer, ticking };
  }

  return (seconds, tick) => {
    const shared = timers.get(seconds) ?? start(seconds);
    timers.set(seconds, shared);
    const one = { tick, notBefore: performance.now() + seconds * 900 };
    shared.ticking.add(one);
    return () => {
      if (!shared.ticking.delete(one) || shared.ticking.size > 0) return;
      clearInterval(shared.timer);
      timers.delete(seconds);
    };
  };
}

export const systemClock: Clock = {
  monotonic: () => performance.now() / 1000,
  wall: () => Date.now() / 1000,
  every: createTimers(),
};

/** A clock that moves only when told to. For tests. */
export interface ManualClock extends Clock {
  /** Advance by `seconds`, running the ticks that fall due, in order. */
  advance(seconds: number): void;
  /** Advance by `seconds` without running any tick, as on a machine that stood still. */
  stall(seconds: number): void;
  /** Step the wall clock only. */
  stepWall(seconds: number): void;
}

export function manualClock(wallStart = 1_700_000_000): ManualClock {
  let now = 1000;
  let wallOffset = wallStart - now;
  const timers = new Set<{ period: number; due: number; tick: () => void }>();

  function nextDue(limit: number) {
    let next: { period: number; due: number; tick: () => void } | undefined;
    for (const timer of timers) {
      if (timer.due <= limit && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  return {
    monotonic: () => now,
    wall: () => now + wallOffset,
    every(seconds, tick) {
      const timer = { period: seconds, due: now + seconds, tick };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(seconds) {
      const end = now + seconds;
      for (let timer = nextDue(end); timer !== undefined; timer = nextDue(end)) {
        now = Math.max(now, timer.due);
        timer.due = now + timer.period;
        timer.tick();
      }
      now = end;
    },
    stall(seconds) {
      now += seconds;
    },
    stepWall(seconds) {
      wallOffset += seconds;
    },
  };
}
