/** What the Redis probe knows, for everybody who must not ask a frozen Redis. */

/**
 * `frozen`: the kernel accepts the connection and nothing answers. `slow`: answered, over
 * 250 ms. `refused`: nothing listens. `unreachable`: no route, no name, connect timed out.
 * `error`: anything else, from "this is no Redis" to a script that blocks it (-BUSY).
 */
export const redisStates = [
  'up',
  'slow',
  'frozen',
  'refused',
  'unreachable',
  'loading',
  'auth_failed',
  'error',
] as const;
export type RedisState = (typeof redisStates)[number];

export interface RedisHealth {
  state(): RedisState;
  /** Time since Redis last gave a sign of life in seconds, 0 while it answers. */
  unresponsiveSeconds(): number;
  /** How long it has refused a PING with what it says to every client (MISCONF, MASTERDOWN), 0 else. */
  refusesAllSeconds(): number;
  /** False while asking would wait for nothing: frozen, refused, unreachable, loading, locked out. */
  answers(): boolean;
}
