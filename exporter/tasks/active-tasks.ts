/**
 * How many threads were runnable or in D state when the kernel last looked, from two readings of
 * the load average. Every 5 s the kernel makes `load1 = load1 * 1884/2048 + active * 164/2048`
 * (EXP_1 in include/linux/sched/loadavg.h); solved for `active`, two readings 5 s apart tell a
 * single blocked thread among thousands for the price of one small file. load1 has two decimals,
 * so the answer is right to about 0.13.
 */
const decay = 1884 / 2048;

/** Call the result every 5 s with load1. */
export function createActiveTasks(): (load1: number) => number {
  let before: number | undefined;
  return (load1) => {
    const active = before === undefined ? load1 : (load1 - before * decay) / (1 - decay);
    before = load1;
    return Math.max(0, active);
  };
}
