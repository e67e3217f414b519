/** Long work in short pieces: whoever else has something to do gets a turn in between. */

export const pieceMs = 10;

/** Awaited in a loop; lets others go first once this piece of work has taken its time. */
export type Pace = () => Promise<void> | undefined;

export function createPace(): Pace {
  let began = performance.now();
  return () => {
    if (performance.now() - began < pieceMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        began = performance.now();
        resolve();
      });
    });
  };
}
