/**
 * Work that many ask for and few need: one piece of it under way, one waiting. Whoever comes
 * meanwhile shares the one that waits, and gets what is newest when its turn comes.
 */
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';

export interface NewestNext<In extends object, Out> {
  /** The result for this input, or for a newer one. The same input is never worked on twice. */
  ask(input: In): Promise<Out>;
  /** Resolves when what is under way now is done; never rejects. */
  idle(): Promise<void>;
}

export function newestNext<In extends object, Out>(
  work: (input: In) => Promise<Out>,
): NewestNext<In, Out> {
  const results = new WeakMap<In, Promise<Out>>();
  let running: Promise<void> | undefined;
  let next: { input: In; readonly turn: PromiseWithResolvers<Out> } | undefined;

  /** Whoever waits for the event loop goes before the next. */
  async function goOn(): Promise<void> {
    await turnOfTheLoop();
    running = undefined;
    const waiting = next;
    next = undefined;
    if (waiting !== undefined) waiting.turn.resolve(start(waiting.input));
  }

  function start(input: In): Promise<Out> {
    const result = work(input);
    results.set(input, result);
    running = result.then(goOn, goOn);
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
    idle: async () => running,
  };
}
