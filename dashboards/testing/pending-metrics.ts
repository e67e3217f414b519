/** Metrics of collectors that are not in collectors/index.ts yet; this file goes when they are. */
export const pending: Readonly<Record<string, readonly string[]>> = {
  stealwatch_cold_page_touch_seconds: ['age', 'le'],
  stealwatch_cold_page_host_faults_total: ['age'],
  stealwatch_cold_page_outstanding_seconds: [],
};
