/**
 * Upper bounds of the histograms that rules, SLOs and dashboards name a bucket of. Each has one home,
 * here: a rule that asks for a bucket that nobody publishes finds nothing, and says so never.
 */
export const pingBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
export const demandBuckets = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
export const stallBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
