/** What it did to others, who noticed, and what does not go together. */
import type { Reason } from '../../tasks/reasons.ts';
import { found, given, nothing, type Context, type Rule } from './context.ts';
import type { FindingId, Findings } from './findings.ts';
import { spanOf } from './incidents.ts';

/** The first start after the incident, and what it came back with. */
export const dataLost: Rule = ({ facts, incident: { end } }) => {
  const ready = facts.redis.find(({ kind, at }) => kind === 'ready' && at >= end.at);
  if (ready === undefined) return nothing;
  const ofStart = facts.redis.filter(
    ({ at, source }) =>
      source === ready.source && at <= ready.at && at >= ready.at - 3600 && at >= end.at,
  );
  // Of an append-only file the snapshot is but the beginning, and what was written since follows.
  const appended = ofStart.some(({ text }) =>
    /\bAOF\b|append only|base file|incr file/i.test(text),
  );
  const age = ofStart.find(({ kind, seconds }) => kind === 'rdb_age' && seconds !== undefined);
  const keys = ofStart.findLast(({ kind }) => kind === 'loaded')?.keys;
  const back = found('redis_back', 'proven', { at: ready.at, ...given({ keys }) }, [ready.source]);
  if (age?.seconds === undefined || appended) return back;
  const data = { asOf: age.at - age.seconds, ...given({ keys }) };
  return { ...back, ...found('data_lost', 'proven', data, [age.source]) };
};

export const victims: Rule = ({ facts, incident }) => {
  const { from, to } = spanOf(incident);
  const failed = facts.systemEvents.filter(
    ({ kind, at }) => kind === 'connection_failed' && at >= from - 60 && at <= to + 60,
  );
  const [first] = failed;
  const last = failed.at(-1);
  if (first === undefined || last === undefined) return nothing;
  const count = failed.reduce((sum, event) => sum + (event.count ?? 1), 0);
  const data = { count, first: first.at, last: last.at };
  return found(
    'victims',
    'proven',
    data,
    failed.map(({ source }) => source),
  );
};

/** Below this nobody noticed. */
const leastWait = 60;

export const queueWaited: Rule = ({ figures, incident, during }) => {
  const to = Math.max(during.to, incident.end.latest ?? 0);
  const worst = [...figures.each('queue_latency_seconds', { from: during.from, to })].sort(
    (one, other) => other.most - one.most,
  )[0];
  if (worst === undefined || worst.most < leastWait) return nothing;
  return found('queue_waited', 'proven', { seconds: worst.most }, [worst.source]);
};

export const alerted: Rule = ({ facts, incident }) => {
  const { from, to } = spanOf(incident);
  const alerts = facts.alerts.filter((alert) => alert.from <= to && (alert.to ?? to) >= from);
  if (alerts.length > 0) {
    return found(
      'alerted',
      'proven',
      { alerts },
      alerts.map(({ source }) => source),
    );
  }
  const source = facts.sources.find(({ kind, records }) => kind === 'prometheus' && records > 0);
  if (source === undefined) return nothing;
  return found('nobody_alerted', 'likely', { source: source.name }, [source.id]);
};

export const stopFailed: Rule = ({ facts, incident }) => {
  const { from, to } = spanOf(incident);
  const event = facts.systemEvents.find(
    ({ kind, at }) =>
      (kind === 'container_stop_failed' || kind === 'unit_stop_failed') && at >= from && at <= to,
  );
  return event === undefined ? nothing : found('stop_failed', 'proven', { event }, [event.source]);
};

/** Who waits for the lock of another sleeper waits for what that one waits for. */
const counts: ReadonlySet<Reason> = new Set(['host_page_in', 'disk', 'filesystem']);

export const reasonsDiffer: Rule = ({ incident: { sleep } }) => {
  const threads = (sleep?.threads ?? []).filter(({ reason }) => counts.has(reason));
  const reasons = [...new Set(threads.map(({ reason }) => reason))];
  if (reasons.length < 2) return nothing;
  const sources = threads.flatMap(({ reports }) => reports.map(({ source }) => source));
  return found('reasons_differ', 'proven', { reasons }, sources);
};

/** Two sources that measured the same and do not agree. */
export const sourcesDiffer: Rule = ({ facts, figures, during }) => {
  const idle = figures.series.filter(
    ({ measure, of }) => measure === 'cpu_idle' && of === undefined,
  );
  const ids = [...new Set(idle.map(({ source }) => source))];
  const means = ids.flatMap((id) => meanFrom(id, { facts, during }));
  const [one, other] = [means[0], means.find((mean) => Math.abs(mean - (means[0] ?? 0)) > 0.2)];
  if (one === undefined || other === undefined) return nothing;
  return found('sources_differ', 'proven', { measure: 'idle CPU', values: [one, other] }, ids);
};

function meanFrom(id: string, { facts, during }: Pick<Context, 'facts' | 'during'>): number[] {
  const one = facts.series.find(
    ({ measure, of, source }) => measure === 'cpu_idle' && of === undefined && source === id,
  );
  const values = (one?.points ?? [])
    .filter(({ at }) => at > during.from + (one?.stepSeconds ?? 0) && at <= during.to)
    .map(({ value }) => value);
  return values.length < 2 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
}

/** Findings that blame somebody else than us. */
export const hostCauses = [
  'page_withheld_traced',
  'page_withheld_measured',
  'page_withheld_thin',
  'soft_lockup',
  'vm_stopped',
  'cpu_taken',
  'disk_stalled_host',
  'frozen_by_agent',
] as const satisfies readonly FindingId[];

/** Findings that are ours to mend. */
export const ownCauses = [
  'redis_stopped',
  'own_load',
  'disk_own',
  'out_of_memory',
  'out_of_memory_container',
  'short_of_memory',
  'redis_stopped_or_busy',
  'redis_slow',
  'redis_shut_down',
] as const satisfies readonly FindingId[];

/** Findings that say what it waited for, and not whose fault that is. */
export const openCauses = [
  'filesystem_frozen',
  'filesystem_waits',
  'kernel_stall',
  'lock_held',
  'other_sleep',
  'disk_stalled_unclear',
  'redis_unserved',
] as const satisfies readonly FindingId[];

const inWords: Readonly<Record<(typeof ownCauses)[number], string>> = {
  own_load: 'its own CPU load',
  disk_own: 'its own disk load',
  out_of_memory: 'a lack of memory of its own',
  out_of_memory_container: 'a memory limit of its own',
  short_of_memory: 'a lack of memory of its own',
  redis_stopped: 'a Redis that was stopped',
  redis_stopped_or_busy: 'a Redis that was stopped or busy',
  redis_slow: 'a slow command',
  redis_shut_down: 'a Redis that was asked to stop',
};

export function contradictions(findings: Findings): Findings {
  const host = hostCauses.filter((id) => findings[id] !== undefined);
  const own = ownCauses.filter((id) => findings[id] !== undefined);
  if (host.length === 0 || own.length === 0) return nothing;
  const sources = [...host, ...own].flatMap((id) => findings[id]?.sources ?? []);
  return found('host_and_own', 'proven', { own: own.map((id) => inWords[id]) }, sources);
}

export function unknownCause(findings: Findings): Findings {
  const any = [...hostCauses, ...ownCauses, ...openCauses].some((id) => findings[id] !== undefined);
  return any ? nothing : found('cause_unknown', 'proven', { causes: 0 }, []);
}
