/**
 * What must hold from one scrape to the next: no series goes, and no counter goes back. State of a
 * whole run, bounded by the number of series.
 */
import type { Page } from '../rig/exposition.ts';

/** Series that come and go with what they name: a process, a server, a schedule, a run of Redis. */
const comesAndGoes =
  /^(?:stealwatch_blocked_process_seconds|asynq_server_\w+|asynq_scheduler_entry_\w+|redis_instance_info)[{ ]/;
/** Counters of the watched Redis itself begin anew when it is restarted. */
const beginsAnew = /^redis_/;
/** Counters and the counts of histograms, but for two gauges whose names were not ours to choose. */
const counts = /^(?!asynq_(?:tasks_enqueued|queue_paused)_total)\w+_(?:total|bucket|count)(?:\{|$)/;

/** Returns a reader of pages that says what broke since the page before, a sentence each. */
export function continuity(): (page: Page) => string[] {
  let known: ReadonlyMap<string, number> = new Map();
  return ({ samples }) => {
    const gone = [...known.keys()].filter((key) => !samples.has(key) && !comesAndGoes.test(key));
    const back = [...known].filter(
      ([key, before]) =>
        counts.test(key) && !beginsAnew.test(key) && (samples.get(key) ?? before) < before,
    );
    known = samples;
    return [
      ...gone.map((key) => `${key} is gone`),
      ...back.map(([key, before]) => `${key} went back from ${before} to ${samples.get(key)}`),
    ];
  };
}
