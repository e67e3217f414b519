/** Parser of /proc/loadavg: `0.20 0.18 0.12 1/80 11206` (fs/proc/loadavg.c). */

export interface Loadavg {
  /** Exponentially damped averages of runnable plus uninterruptible threads. */
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
  /** Threads running or ready to run at this moment, the reading one included. */
  readonly runnable: number;
}

const pattern = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) (\d+)\/\d+ \d+\n?$/;

export function parseLoadavg(text: string): Loadavg {
  const match = pattern.exec(text);
  if (match === null)
    throw new Error(`loadavg: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  const [, load1, load5, load15, runnable] = match;
  return {
    load1: Number(load1),
    load5: Number(load5),
    load15: Number(load15),
    runnable: Number(runnable),
  };
}
