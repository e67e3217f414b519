/** Counts answered HTTP requests by path and status code, with bounded labels. */

/** The paths that are ours. Any other counts as `other`: a scanner must not grow our series. */
const paths = new Set(['/', '/evidence', '/livez', '/metrics', '/probe', '/runbook', '/status']);

/** One label for all runbooks, and one for all ways to ask whether we live. */
function labelOf(path: string): string {
  if (path === '/healthz' || path === '/-/healthy') return '/livez';
  const known = path.startsWith('/runbook/') ? '/runbook' : path;
  return paths.has(known) ? known : 'other';
}

/** Pairs that are shown from the start, so that `increase()` sees the first one. */
const expected: readonly (readonly [path: string, code: number])[] = [
  ['/', 200],
  ['/metrics', 200],
  ['/status', 200],
  ['/status', 503],
];

export interface RequestCount {
  readonly path: string;
  readonly code: string;
  readonly count: number;
}

export interface RequestCounter {
  count(path: string, code: number): void;
  counts(): RequestCount[];
}

export function createRequestCounter(): RequestCounter {
  const counts = new Map<string, number>(expected.map(([path, code]) => [`${code} ${path}`, 0]));
  return {
    count(path, code) {
      const key = `${code} ${labelOf(path)}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    counts: () =>
      [...counts].map(([key, count]) => ({ code: key.slice(0, 3), path: key.slice(4), count })),
  };
}
