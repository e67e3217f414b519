/** So many lines a minute, and then how many were left out: what strangers set off fills no disk. */
import type { Clock } from '../measure/clock.ts';

const windowSeconds = 60;

/** `say` is told how many were left out since the last one that was said. */
export function fewLines(
  most: number,
  clock: Pick<Clock, 'monotonic'>,
): (say: (leftOut: number) => void) => void {
  let began = -Infinity;
  let said = 0;
  let leftOut = 0;
  return (say) => {
    const now = clock.monotonic();
    if (now - began >= windowSeconds) [began, said] = [now, 0];
    if (said >= most) {
      leftOut += 1;
      return;
    }
    said += 1;
    say(leftOut);
    leftOut = 0;
  };
}
