/**
 * What is good and what is counted, per SLO and 15 s slice: the one place where an SLO touches
 * the exporter's metrics.
 *
 * Two kinds. A wall-clock SLO counts every slice since the host was first seen: a slice that is
 * missing, because the exporter, the host or Prometheus itself stood still, is bad. An event SLO
 * counts what happened: seconds with demand, answered PINGs, slices of a queue.
 */
import { boundText } from '../../exporter/exposition/bucket-bound.ts';
import { sliceSeconds } from '../thresholds.ts';
import type { Slo, SloName } from './spec.ts';

/** The labels every rule keeps: what a message needs to say whom it is about. */
export const target = 'host, instance, job';

const job = 'job="stealwatch"';

/**
 * Of one slice; and where scrapes are so far apart that none or one of them is in it, of the time
 * between the last two, which may be 30 s apart with two between them lost.
 */
const perSecond = (series: string) => `(rate(${series}[${sliceSeconds}s]) or irate(${series}[2m]))`;
const sum = (series: string) => `sum by (${target}) ${perSecond(series)}`;

export interface Slices {
  /** 1 where the slice was measured at all. */
  readonly known: string;
  /** Good events of the slice; 0..1 in a wall-clock SLO. */
  readonly good: string;
  /** Events of the slice. None: the SLO is wall-clock. */
  readonly total?: string;
}

const queueEvents = 'slo:total:slice15s{slo="queue_latency"}';

const answered = `max by (${target}) (up{${job}})`;

const histogramSlices = (family: string, bound: number): Slices => ({
  known: `${answered} == 1`,
  good: sum(`${family}_bucket{${job},le="${boundText(bound)}"}`),
  total: sum(`${family}_count{${job}}`),
});

const definitions: Readonly<Record<SloName, (limit: number) => Slices>> = {
  host: (goodShare) => ({
    known: `${answered} == 1`,
    good: `(${answered} == bool 1)
  # its good seconds as a share of all the seconds it counted
  * on (${target}) (
    ${sum(`stealwatch_seconds_total{${job},verdict="good"}`)}
      >= bool ${goodShare} * ${sum(`stealwatch_seconds_total{${job}}`)}
  )
  # and it counted most of the slice: an exporter that has just started proves nothing
  * on (${target}) (${sum(`stealwatch_seconds_total{${job}}`)} >= bool 0.8)
or ${answered} * 0`,
  }),
  steal: (ratio) => histogramSlices('stealwatch_steal_demand_ratio', ratio),
  redis_availability: () => ({
    known: `${sum(`redis_probes_total{${job}}`)} > 0 and on (${target}) ${answered} == 1`,
    // The probe asks once a second, but not while an answer is outstanding: so the divisor is
    // never less than nine tenths of what a healthy second-by-second probe makes.
    good: `clamp_max(
  ${sum(`redis_probes_total{${job},result=~"ok|slow"}`)}
    / on (${target}) clamp_min(${sum(`redis_probes_total{${job}}`)}, 0.9),
  1
)
and on (${target}) ${answered} == 1`,
  }),
  redis_latency: (seconds) => histogramSlices('redis_ping_seconds', seconds),
  queue_latency: (seconds) => ({
    known: `max by (${target}, queue) (asynq_queue_latency_seconds{${job}}) >= 0`,
    // A queue is an event in each slice, a paused one none: it is meant to wait. While Redis does not
    // answer its gauges are NaN, or gone where the exporter began anew: what was an event in the slice
    // before still is one, and late, for as long as that lasts. Six hours are for a Prometheus that was
    // away meanwhile. A Redis that is up and refuses the exporter what it asks says nothing of the
    // queues: then nothing is counted, and CollectorFailing says so.
    total: `count by (${target}, queue) (asynq_queue_latency_seconds{${job}} >= 0)
  unless on (${target}, queue) asynq_queue_paused_total{${job}} == 1
or 0 * max by (${target}, queue) (asynq_queue_paused_total{${job}} == 1)
or (
  max by (${target}, queue) (last_over_time(${queueEvents}[5m]))
  or max by (${target}, queue) (last_over_time(${queueEvents}[6h]))
    unless on (${target}) count_over_time(up{${job}}[4m] offset 1m)
)
and on (${target}) asynq_up{${job}} == 0
unless on (${target}) (
  redis_up{${job}} == 1
  and on (${target}) increase(asynq_errors_total{${job},reason="noperm"}[2m]) > 0
)`,
    good: `max by (${target}, queue) ((asynq_queue_latency_seconds{${job}} >= 0) <= bool ${seconds})
  and on (${target}, queue) ${queueEvents} > 0
or 0 * max by (${target}, queue) (${queueEvents})`,
  }),
};

export const slicesOf = ({ name, limit = 0 }: Slo): Slices => definitions[name](limit);
