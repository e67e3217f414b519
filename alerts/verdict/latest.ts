/**
 * What was known this recently still holds. A scrape that fails marks every series as gone, and
 * scrapes fail when the host is at its worst: the answer would be lost when it matters. Several
 * scrapes at 2 or 5 s, one at 15 s.
 */
export const recent = '20s';

/** A gauge as the last scrape that succeeded found it; where scrapes are further apart, the last one. */
export function latest(series: string): string {
  return `(last_over_time(${series}[${recent}]) or ${series})`;
}
