/** Sums over the last 60 s of one-second samples, in flat memory. */

export interface MinuteSample {
  /** Ticks, as in `Demand`. */
  readonly steal: number;
  readonly demand: number;
  readonly total: number;
  /** Seconds that got the verdict `steal` by this sample. */
  readonly stolenSeconds: number;
  /** Share of demand that was denied, summed over the samples that had any demand. */
  readonly ratioSum: number;
  readonly ratios: number;
}

const slots = 64;
const windowSeconds = 60;
/** A sample is taken a little late, never early: keep the one from just 60 s ago out. */
const slackSeconds = 0.25;

export function createLastMinute() {
  const stamps = new Float64Array(slots).fill(-Infinity);
  const steal = new Float64Array(slots);
  const demand = new Float64Array(slots);
  const total = new Float64Array(slots);
  const stolenSeconds = new Float64Array(slots);
  const ratioSum = new Float64Array(slots);
  const ratios = new Float64Array(slots);
  let next = 0;
  /** The last sum, asked for twice a scrape, and from when until when it is that of `now`. */
  let last:
    | { readonly sum: MinuteSample; readonly from: number; readonly until: number }
    | undefined;

  return {
    record(now: number, sample: MinuteSample): void {
      last = undefined;
      stamps[next] = now;
      steal[next] = sample.steal;
      demand[next] = sample.demand;
      total[next] = sample.total;
      stolenSeconds[next] = sample.stolenSeconds;
      ratioSum[next] = sample.ratioSum;
      ratios[next] = sample.ratios;
      next = (next + 1) % slots;
    },
    /** All zero when nothing was recorded in the minute before `now`. */
    sum(now: number): MinuteSample {
      if (last !== undefined && now >= last.from && now < last.until) return last.sum;
      const sum = { steal: 0, demand: 0, total: 0, stolenSeconds: 0, ratioSum: 0, ratios: 0 };
      const beginning = now - windowSeconds + slackSeconds;
      let oldest = Infinity;
      for (let i = 0; i < slots; i += 1) {
        const stamp = stamps[i] ?? 0;
        if (stamp <= beginning) continue;
        oldest = Math.min(oldest, stamp);
        sum.steal += steal[i] ?? 0;
        sum.demand += demand[i] ?? 0;
        sum.total += total[i] ?? 0;
        sum.stolenSeconds += stolenSeconds[i] ?? 0;
        sum.ratioSum += ratioSum[i] ?? 0;
        sum.ratios += ratios[i] ?? 0;
      }
      last = { sum, from: now, until: oldest + windowSeconds - slackSeconds };
      return sum;
    },
  };
}
