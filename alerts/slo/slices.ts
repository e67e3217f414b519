/**
 * What is good and what is counted, per SLO and 15 s slice: the one place where an SLO touches
 * the exporter's metrics.
 *
 * Two kinds. A wall-clock SLO counts every slice since the host was first seen: a slice that is
 * missing, because the exporter, the host or Prometheus itself stood still, is bad. An event SLO
 * counts what happened: seconds with demand, answered PINGs, slices of a queue.
 */
import { boundText } from '../../exporter/bucket-bound.ts';
import { sliceSeconds } from '../thresholds.ts';
import type { Slo, SloName } from './spec.ts';

/** The labels every rule keeps: what a message needs to say whom it is about. */
export const target = 'host, instance, job';

const job = 'job="stealwatch"';
const slice = `${sliceSeconds}s`;

export interface Slices {
  /** 1 where the slice was measured at all. */
  readonly known: string;
  /** Good events of the slice; 0..1 in a wall-clock SLO. */
  readonly good: string;
  /** Events of the slice. None: the SLO is wall-clock. */
  readonly total?: string;
}

const answered = `max by (${target}) (up{${job}})`;

const histogramSlices = (family: string, bound: number): Slices => ({
  known: `${answered} == 1`,
  good: `sum by (${target}) (rate(${family}_bucket{${job},le="${boundText(bound)}"}[${slice}]))`,
  total: `sum by (${target}) (rate(${family}_count{${job}}[${slice}]))`,
});

const definitions: Readonly<Record<SloName, (limit: number) => Slices>> = {
  host: (goodShare) => ({
    known: `${answered} == 1`,
    good: `(${answered} == bool 1)
  # its good seconds as a share of all the seconds it counted
  * on (${target}) (
    sum by (${target}) (rate(stealwatch_seconds_total{${job},verdict="good"}[${slice}]))
      >= bool ${goodShare} * sum by (${target}) (rate(stealwatch_seconds_total{${job}}[${slice}]))
  )
  # and it counted most of the slice: an exporter that has just started proves nothing
  * on (${target}) (sum by (${target}) (rate(stealwatch_seconds_total{${job}}[${slice}])) >= bool 0.8)
or ${answered} * 0`,
  }),
  steal: (ratio) => histogramSlices('stealwatch_steal_demand_ratio', ratio),
  redis_availability: () => ({
    known: `sum by (${target}) (rate(redis_probes_total{${job}}[${slice}])) > 0 and on (${target}) ${answered} == 1`,
    // The probe asks once a second, but not while an answer is outstanding: so the divisor is
    // never less than nine tenths of what a healthy second-by-second probe makes.
    good: `clamp_max(
  sum by (${target}) (rate(redis_probes_total{${job},result=~"ok|slow"}[${slice}]))
    / on (${target}) clamp_min(sum by (${target}) (rate(redis_probes_total{${job}}[${slice}])), 0.9),
  1
)
and on (${target}) ${answered} == 1`,
  }),
  redis_latency: (seconds) => histogramSlices('redis_ping_seconds', seconds),
  queue_latency: (seconds) => ({
    known: `max by (${target}, queue) (asynq_queue_latency_seconds{${job}}) >= 0`,
    // Queue gauges vanish while Redis does not answer; a queue that was there is then late.
    total: `count by (${target}, queue) (asynq_queue_latency_seconds{${job}})
or count by (${target}, queue) (last_over_time(asynq_queue_latency_seconds{${job}}[6h]))
  and on (${target}) (asynq_up{${job}} == 0)`,
    good: `max by (${target}, queue) (asynq_queue_latency_seconds{${job}}) <= bool ${seconds}
or on (${target}, queue) slo:total:slice15s{slo="queue_latency"} * 0`,
  }),
};

/** A paused queue is meant to wait: its slices are no events. */
export function slicesOf({ name, limit = 0 }: Slo): Slices {
  const slices = definitions[name](limit);
  if (name !== 'queue_latency') return slices;
  const running = `unless on (${target}, queue) asynq_queue_paused_total{${job}} == 1`;
  return {
    known: slices.known,
    good: `(${slices.good})\n${running}`,
    total: `(${slices.total})\n${running}`,
  };
}
