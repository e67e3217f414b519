/** When what collectors see is an incident, and since when: from the seconds that the ring holds. */
import { type Column, columnNames, type Second } from '../core/second.ts';
import type { Excerpt } from '../kmsg/excerpts.ts';
import { redisStates } from '../redis/state.ts';
import type { Moment, Rule, Span } from './format.ts';
import type { Ring } from './ring.ts';
import { limits } from '../measure/limits.ts';

/** A rule that is met. */
export interface Met {
  readonly rule: Rule;
  readonly onset: Span;
  /** When what it is about was so last. */
  readonly last: Moment;
}

/** As the alert TaskStuckInD has it. */
const blockedSeconds = limits.taskBlockedSeconds.bad;
/** A thread is looked at this seldom when nothing is known of it (tasks/sampler.ts). */
const roundSeconds = 30;
const standstillSeconds = 10;
const standstillWindow = 60;
/** The fast burn of the SLO: 14.4 times a budget of 1 %, over 5 minutes. */
const burnWindow = 300;
const burnSeconds = 43;
/** The watchdog looks at each CPU this often. */
const watchdogSeconds = 4;

const place = (column: Column) => columnNames.indexOf(column);
const frozen = redisStates.indexOf('frozen');
const answering = new Set([redisStates.indexOf('up'), redisStates.indexOf('slow')]);

export interface RuleContext {
  readonly ring: Ring;
  /** Share of the CPU asked for from which on a second counts as stolen. */
  readonly stealThreshold: number;
  /** When the exporter began: what was so by then may have been so for long. */
  readonly start: Moment;
}

const atLeast = (moment: Moment) => Math.max(0, moment);

export function createRules({ ring, stealThreshold, start }: RuleContext) {
  let everAnswered = false;

  function redis(at: Moment, second: Second): Met[] {
    const { redis_state: state = NaN, redis_latency_seconds: awaited = 0 } = second;
    const { redis_silent_seconds: silent = awaited } = second;
    if (state !== frozen) {
      if (answering.has(state)) everAnswered = true;
      return [];
    }
    const latest = at - awaited;
    // Of one that never answered us nobody knows.
    const earliest = everAnswered ? atLeast(at - Math.max(silent, awaited)) : 0;
    return [{ rule: 'redis_frozen', onset: { earliest, latest }, last: at }];
  }

  function blocked(at: Moment, { oldest_wait_seconds: oldest = 0 }: Second): Met[] {
    if (!(oldest > blockedSeconds)) return [];
    const latest = at - oldest;
    const earliest = latest - roundSeconds < start ? 0 : latest - roundSeconds;
    return [{ rule: 'blocked_task', onset: { earliest, latest }, last: at }];
  }

  /** Rows of the window that are bad, added up. */
  function counted(
    window: { readonly from: Moment; readonly rule: Rule; readonly more: number },
    badness: (values: Float32Array, offset: number) => { amount: number; seconds: number },
  ): Met[] {
    let sum = 0;
    let latest: Moment | undefined;
    let last = 0;
    ring.since(window.from, (time, values, offset) => {
      const { amount, seconds } = badness(values, offset);
      if (!(amount > 0)) return;
      sum += amount;
      latest ??= time - seconds;
      last = time;
    });
    if (latest === undefined || sum <= window.more) return [];
    return [{ rule: window.rule, onset: { earliest: atLeast(latest - 2), latest }, last }];
  }

  const stall = (at: Moment) =>
    counted(
      { from: at - standstillWindow, rule: 'stall', more: standstillSeconds },
      (values, offset) => {
        const amount = values[offset + place('stalled_seconds')] ?? NaN;
        return { amount, seconds: amount };
      },
    );

  const burn = (at: Moment) =>
    counted({ from: at - burnWindow, rule: 'steal_burn', more: burnSeconds }, (values, offset) => {
      const stolen = (values[offset + place('steal_of_demand')] ?? NaN) > stealThreshold;
      return { amount: stolen ? 1 : 0, seconds: 0 };
    });

  return {
    /** `second` is in the ring. */
    met: (at: Moment, second: Second): Met[] => [
      ...redis(at, second),
      ...blocked(at, second),
      ...stall(at),
      ...burn(at),
    ],
  };
}

/** The detector saw the sleep first so long ago, and a round before it did not. */
function hungSince(time: Moment, seconds: number): Span {
  return { earliest: atLeast(time - 2 * seconds), latest: atLeast(time - seconds) };
}

/** What the kernel's own words make an incident; nothing for what only goes with one. */
export function metBy({ kind, microseconds, seconds = 0 }: Excerpt): Met | undefined {
  const time = microseconds / 1e6;
  if (kind === 'hung_task') return { rule: kind, onset: hungSince(time, seconds), last: time };
  if (kind !== 'soft_lockup') return undefined;
  const latest = atLeast(time - seconds);
  return { rule: kind, onset: { earliest: atLeast(latest - watchdogSeconds), latest }, last: time };
}
