/** One collection's idea of now. */
export interface Moment {
  /** Unix seconds by Redis's own clock: one clock for all, and not a virtual machine's that stood still. */
  redisNow(): number;
  monotonic(): number;
}
