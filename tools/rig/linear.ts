/** Whether work grows with its input and no faster: of four times the input, not sixteen times. */
import assert from 'node:assert/strict';

const mebibyte = 1 << 20;
/** Linear is 4; quadratic is 16. Between them, and above what a busy machine does to the shorter. */
const mostRatio = 9;
/** Work this short is not measured but noise. */
const shortMs = 40;
const tries = 4;

function milliseconds(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/**
 * `make` prepares a text of so many bytes and returns the work on it. 1, 2 and 4 MiB are worked on;
 * a ratio that only one try has is somebody else on this machine.
 */
export function linear(name: string, make: (bytes: number) => () => void): void {
  const [one, two, four] = [1, 2, 4].map((n) => make(n * mebibyte));
  if (one === undefined || two === undefined || four === undefined) throw new Error('no work');
  const seen: string[] = [];
  for (let i = 0; i < tries; i += 1) {
    const [first, second, last] = [one, two, four].map(milliseconds);
    if (first === undefined || second === undefined || last === undefined) continue;
    if (last < shortMs || last / Math.max(first, shortMs / 16) < mostRatio) return;
    seen.push([first, second, last].map((ms) => ms.toFixed(0)).join(', '));
  }
  assert.fail(`${name}: 1, 2 and 4 MiB took ${seen.join(' ms; ')} ms`);
}
