/**
 * Work of many in small pieces: one piece in a turn of the event loop, in the order in which they
 * asked for it. Whoever else has something to do waits for one of them, and not for all.
 */
export function createTurns(): () => Promise<void> {
  const waiting: (() => void)[] = [];

  function give(): void {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(give);
  }

  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(give);
    });
}
