/** Parser of /proc/loadavg: `0.20 0.18 0.12 1/80 11206` (fs/proc/loadavg.c). */

export interface Loadavg {
  /** Exponentially damped average over a minute of runnable plus uninterruptible threads. */
  readonly load1: number;
  /**
   * Threads running or ready to run at this moment, the reading one included; undefined when that
   * part cannot be read.
   */
  readonly runnable: number | undefined;
}

const pattern = /^(\d{1,9}\.\d+)(?: \d+\.\d+ \d+\.\d+ (\d{1,9})\/\d+ \d+\n?$|\s)/;

/** Throws where the first number cannot be read, with the text quoted. */
export function parseLoadavg(text: string): Loadavg {
  const [, load1, runnable] = pattern.exec(text) ?? [];
  if (load1 === undefined)
    throw new Error(`loadavg: unexpected text ${JSON.stringify(text.slice(0, 80))}`);
  return { load1: Number(load1), runnable: runnable === undefined ? undefined : Number(runnable) };
}
