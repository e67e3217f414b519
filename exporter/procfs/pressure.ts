/**
 * Parser of /proc/pressure/{cpu,memory,io} (kernel/sched/psi.c):
 * `some avg10=0.90 avg60=5.84 avg300=7.34 total=135539540`, then a `full` line, which the cpu
 * file lacks before Linux 5.13. Other lines and fields are of later kernels.
 */

/** Seconds of stall since boot; undefined where there is none to be read. */
export interface Pressure {
  /** At least one thread waited. */
  readonly some: number | undefined;
  /** All threads that had work waited. */
  readonly full: number | undefined;
  /** Share of the last minute in which all threads that had work waited. */
  readonly fullRatio: number | undefined;
  /** The first line that cannot be read, quoted. */
  readonly problem: string | undefined;
}

const line = /^(some|full) (?:\S+ )*?total=(\d{1,20})(?: .*)?$/;
const lastMinute = / avg60=(\d{1,3}\.\d+) /;

export function parsePressure(text: string): Pressure {
  const totals: { some?: number; full?: number } = {};
  let fullRatio: number | undefined;
  let problem: string | undefined;
  const lines = text.split('\n');
  // Each line ends in a newline; a missing one means the text was cut off.
  const rest = lines.pop() ?? '';
  const fail = (one: string) => {
    problem ??= `pressure: unexpected line ${JSON.stringify(one.slice(0, 120))}`;
  };
  for (const one of lines) {
    const [, kind, total] = line.exec(one) ?? [];
    if (kind !== 'some' && kind !== 'full') {
      if (/^(?:some|full)\b/.test(one)) fail(one);
      continue;
    }
    if (totals[kind] !== undefined) fail(one);
    else if (Number.isSafeInteger(Number(total))) totals[kind] = Number(total) / 1e6;
    const percent = lastMinute.exec(one)?.[1];
    if (kind === 'full' && percent !== undefined) fullRatio = Number(percent) / 100;
  }
  if (rest !== '' && !rest.startsWith('\0')) fail(rest);
  if (!lines.some((one) => one.startsWith('some'))) problem ??= 'pressure: no "some" line';
  return { some: totals.some, full: totals.full, fullRatio, problem };
}
