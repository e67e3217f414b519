/** A count of nothing for each of these names: what has not happened is 0, not absent. */
export function zeroes<T extends string>(names: readonly T[]): Record<T, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<T, number>;
}
