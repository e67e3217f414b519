import assert from 'node:assert/strict';

/** As expected, give or take so many percent of it. */
export function near(actual: number, expected: number, percent: number): void {
  const bound = (Math.abs(expected) * percent) / 100;
  assert.ok(
    Math.abs(actual - expected) <= bound,
    `${actual}, expected ${expected} +- ${percent} %`,
  );
}
