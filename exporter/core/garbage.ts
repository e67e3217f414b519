/**
 * V8 lets 6 MB of garbage gather in a heap of 10 before it looks at all of it, and most of that
 * stays resident for good. So the launcher exposes gc(), and after every hundredth scrape it
 * runs: 10 ms of CPU every eight minutes at one scrape in 5 s, for 4 MB less.
 */
const scrapesBetween = 100;

/** To be called once a scrape; collects after its answer has gone out. */
export function createGarbageCollection(
  collect: (() => unknown) | undefined = globalThis.gc,
): () => void {
  let scrapes = 0;
  return () => {
    scrapes += 1;
    if (scrapes % scrapesBetween === 0) setImmediate(() => void collect?.());
  };
}
