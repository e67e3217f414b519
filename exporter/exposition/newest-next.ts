/**
 * Work that many ask for and few need: one piece of it under way, one waiting. Whoever comes
 * meanwhile shares the one that waits, and gets what is newest when its turn comes. After each
 * long one there is a rest as long as it took: whatever number ask, half of the time is others'.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { pieceMs } from '../core/pace.ts';

const longestRestMs = 200;

export interface NewestNext<In extends object, Out> {
  /** The result for this input, or for a newer one. The same input is never worked on twice. */
  ask(input: In): Promise<Out>;
  /** What is under way now, and the rest after it; undefined when nothing is. Never rejects. */
  underWay(): Promise<void> | undefined;
}

export function newestNext<In extends object, Out>(
  work: (input: In) => Promise<Out>,
): NewestNext<In, Out> {
  const results = new WeakMap<In, Promise<Out>>();
  let running: Promise<void> | undefined;
  let next: { input: In; readonly turn: PromiseWithResolvers<Out> } | undefined;

  async function goOn(tookMs: number): Promise<void> {
    // What takes no longer than a piece of paced work holds nobody.
    if (tookMs > pieceMs) await sleep(Math.min(tookMs, longestRestMs));
    running = undefined;
    const waiting = next;
    next = undefined;
    if (waiting !== undefined) waiting.turn.resolve(start(waiting.input));
  }

  function start(input: In): Promise<Out> {
    const began = performance.now();
    const result = work(input);
    results.set(input, result);
    const rest = async () => goOn(performance.now() - began);
    running = result.then(rest, rest);
    return result;
  }

  return {
    async ask(input) {
      const known = results.get(input);
      if (known !== undefined) return known;
      if (running === undefined) return start(input);
      next ??= { input, turn: Promise.withResolvers() };
      next.input = input;
      return next.turn.promise;
    },
    underWay: () => running,
  };
}
