/** A list with a bound: how it began and how it ended stay, the middle goes. */

export interface BothEnds<T> {
  push(item: T): void;
  all(): T[];
  /** How many are not there any more. */
  readonly leftOut: () => number;
}

/** The first half of `most` and the last one. */
export function createBothEnds<T>(most: number): BothEnds<T> {
  const half = Math.floor(most / 2);
  const first: T[] = [];
  /** In turns: the oldest of them stands where the next one comes. */
  const last: T[] = [];
  let pushed = 0;
  return {
    push(item) {
      if (first.length < half) first.push(item);
      else last[(pushed - half) % half] = item;
      pushed++;
    },
    all() {
      const turn = pushed > most ? (pushed - half) % half : 0;
      return [...first, ...last.slice(turn), ...last.slice(0, turn)];
    },
    leftOut: () => Math.max(0, pushed - 2 * half),
  };
}
