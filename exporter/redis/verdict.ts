/** What one probe says about Redis: from a reply line, a failed connection, or silence. */
import type { RedisAddress } from './address.ts';
import { safeMessage } from './client.ts';
import type { RedisState } from './state.ts';

export const probeResults = ['ok', 'slow', 'timeout', 'refused', 'error'] as const;
export type ProbeResult = (typeof probeResults)[number];

export interface Verdict {
  readonly state: RedisState;
  readonly result: ProbeResult;
  /** A sentence for people, with the place and never a secret. */
  readonly reason: string;
  /**
   * Redis answered something in time, so its event loop turns, even if it turned us away. False
   * while it answers LOADING or BUSY: then it serves nobody.
   */
  readonly alive: boolean;
  /** Other commands would be answered. */
  readonly answers: boolean;
}

/** An answer that took longer than this is slow. */
const slowSeconds = 0.25;

const failed = { result: 'error', alive: false, answers: false } as const;

/** No word of a peer that may not be a Redis is shown without a limit. */
function quoted(text: string, address: RedisAddress): string {
  return JSON.stringify(safeMessage(text, address).slice(0, 120));
}

export function pong(seconds: number, { display }: RedisAddress): Verdict {
  const slow = seconds > slowSeconds;
  const milliseconds = Math.round(seconds * 1000);
  return {
    state: slow ? 'slow' : 'up',
    result: slow ? 'slow' : 'ok',
    reason: slow
      ? `Redis at ${display} took ${milliseconds} ms to answer a PING.`
      : `Redis at ${display} answers.`,
    alive: true,
    answers: true,
  };
}

/** Redis without a password says so when it is given one; it works all the same. */
export function isNeedlessPassword(line: string): boolean {
  return /without any password configured|no password is set/.test(line);
}

/** What Redis says instead of PONG, or to AUTH. A line starts with "-". */
export function refusal(line: string, address: RedisAddress): Verdict {
  const { display } = address;
  const text = line.slice(1);
  const [code = ''] = text.split(' ', 1);
  if (code === 'LOADING') {
    return {
      ...failed,
      state: 'loading',
      reason: `Redis at ${display} is loading its data set and serves nobody yet.`,
    };
  }
  if (['NOAUTH', 'WRONGPASS', 'NOPERM'].includes(code) || /invalid password/.test(text)) {
    return {
      ...failed,
      state: 'auth_failed',
      reason: `Redis at ${display} does not let us in: ${quoted(text, address)}. It needs a user who may PING and INFO.`,
      alive: true,
    };
  }
  if (code === 'BUSY') {
    // Answered, but like this to every client until the script ends or is killed.
    return {
      ...failed,
      state: 'error',
      reason: `Redis at ${display} is blocked by a script and refuses all else; SCRIPT KILL ends a script that has not written.`,
    };
  }
  // MISCONF after a failed save and MASTERDOWN on a replica: PING is refused, INFO is not.
  return {
    ...failed,
    state: 'error',
    reason: `Redis at ${display} answers PING with ${quoted(text, address)}.`,
    alive: true,
    answers: code === 'MISCONF' || code === 'MASTERDOWN',
  };
}

export function notRedis(line: string, address: RedisAddress): Verdict {
  return {
    ...failed,
    state: 'error',
    reason: `What listens at ${address.display} is no Redis: it said ${quoted(line, address)}.`,
  };
}

const unreachableCodes = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
]);

function codeOf(error: Error | undefined): string {
  if (error === undefined) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? codeOf(first) : '';
}

/** The connection could not be made, or ended before it answered. */
export function disconnected(error: Error | undefined, address: RedisAddress): Verdict {
  const { display } = address;
  const code = codeOf(error);
  const text = error === undefined ? '' : safeMessage(error, address);
  // ENOENT: no socket file. Only then: a TLS certificate file may be missing as well.
  if (code === 'ECONNREFUSED' || (code === 'ENOENT' && address.socketPath !== undefined)) {
    return {
      ...failed,
      state: 'refused',
      result: 'refused',
      reason: `Nothing listens at ${display}.`,
    };
  }
  // A Unix socket whose queue of waiting connections is full: nobody has accepted for long.
  if (code === 'EAGAIN') return silent(display, 'its queue of waiting connections is full');
  if (unreachableCodes.has(code)) {
    return { ...failed, state: 'unreachable', reason: `${display} cannot be reached: ${text}.` };
  }
  const hint = address.tls ? 'It may not speak TLS.' : 'It may want TLS (rediss://).';
  return {
    ...failed,
    state: 'error',
    reason:
      text === ''
        ? `${display} accepts the connection and closes it without an answer. ${hint}`
        : `The connection to ${display} failed: ${text}. ${code === 'ECONNRESET' || code === 'EPROTO' ? hint : ''}`.trimEnd(),
  };
}

/** TCP accepts, nothing answers. */
export function silent(display: string, why = 'nothing answers'): Verdict {
  return {
    ...failed,
    state: 'frozen',
    result: 'timeout',
    reason: `${display} accepts connections and ${why}.`,
  };
}

export function unconnected(display: string, resolving: boolean): Verdict {
  return {
    ...failed,
    state: 'unreachable',
    result: 'timeout',
    reason: resolving
      ? `The name in ${display} does not resolve: the name server is silent.`
      : `${display} cannot be reached: no answer to the connection request.`,
  };
}

export function unacknowledged(display: string): Verdict {
  return {
    ...failed,
    state: 'unreachable',
    result: 'timeout',
    reason: `${display} cannot be reached any more: not even its kernel acknowledges what we send.`,
  };
}
