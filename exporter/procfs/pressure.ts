/**
 * Parser of /proc/pressure/{cpu,memory,io} (kernel/sched/psi.c):
 * `some avg10=0.90 avg60=5.84 avg300=7.34 total=135539540`, then a `full` line, which the cpu
 * file lacks before Linux 5.13.
 */

/** Seconds of stall since boot. */
export interface Pressure {
  /** At least one thread waited. */
  readonly some: number;
  /** All threads that had work waited. */
  readonly full: number | undefined;
  /** Share of the last minute in which all threads that had work waited. */
  readonly fullRatio: number | undefined;
}

const line = /^(some|full) avg10=\d+\.\d+ avg60=(\d+\.\d+) avg300=\d+\.\d+ total=(\d{1,15})$/;

export function parsePressure(text: string): Pressure {
  const totals: { some?: number; full?: number } = {};
  let fullRatio: number | undefined;
  // Each line ends in a newline; a missing one means the text was cut off.
  for (const one of text.split('\n').slice(0, text.endsWith('\n') ? -1 : undefined)) {
    const [, kind, percent, total] = line.exec(one) ?? [];
    if (!text.endsWith('\n') || (kind !== 'some' && kind !== 'full') || totals[kind] !== undefined)
      throw new Error(`pressure: unexpected line ${JSON.stringify(one.slice(0, 120))}`);
    totals[kind] = Number(total) / 1e6;
    if (kind === 'full') fullRatio = Number(percent) / 100;
  }
  if (totals.some === undefined) throw new Error('pressure: no "some" line');
  return { some: totals.some, full: totals.full, fullRatio };
}
