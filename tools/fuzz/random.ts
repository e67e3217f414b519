/** Chance that can be had again: the same seed gives the same attacks in the same order. */

import { createRandom as createNumbers } from '../mutants/random.ts';

export interface Random {
  /** 0 <= n < 1 */
  next(): number;
  /** A whole number, both ends included. */
  int(low: number, high: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  bytes(length: number): Buffer;
  /** Chance of its own, for a part that runs beside others and must not disturb their order. */
  fork(): Random;
}

export function createRandom(seed: number): Random {
  const next = createNumbers(seed);
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));

  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (from) => from[int(0, from.length - 1)] ?? from[0],
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(0, 255))),
    fork: () => createRandom(int(0, 2 ** 32 - 1)),
  };
}
