/** The known name that somebody meant who wrote another. */

/** Letters that are wrong, missing, too many, or changed places with their neighbour. */
function mistakesBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1;
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      now[column] = Math.min(
        (last[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + same,
        swapped && row > 1 && column > 1 ? (before[column - 2] ?? 0) + 1 : Infinity,
      );
    }
    [before, last] = [last, now];
  }
  return last[b.length] ?? 0;
}

const longestName = 80;
/** One in four letters, of short names too: `lisen`, `redis-rul`. */
const mistakesAllowed = (name: string): number => Math.max(1, Math.floor(name.length / 4));

/** One that goes on where the other ends, at the end of a word: `REDIS` and `REDIS_URL`. */
const goesOn = (short: string, long: string): boolean => /^[_-]/.test(long.replace(short, ''));

/** The nearest of the known names, where one is near; of two the first. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestName) return undefined;
  const [best] = known
    .map((one) => ({ one, mistakes: mistakesBetween(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  if (best !== undefined && best.mistakes <= mistakesAllowed(name)) return best.one;
  return known.find(
    (one) =>
      (one.startsWith(name) && goesOn(name, one)) || (name.startsWith(one) && goesOn(one, name)),
  );
}
