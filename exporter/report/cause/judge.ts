/** From facts to what may be said: the incident, its findings, the suspects. */
import type { Facts, Instant } from '../facts/facts.ts';
import { knownEnds } from './boots.ts';
import { contextOf, type Context, type Rule } from './context.ts';
import * as disk from './disk-rules.ts';
import type { FindingId, Findings } from './findings.ts';
import { certainties } from './findings.ts';
import * as host from './host-rules.ts';
import * as impact from './impact-rules.ts';
import { contradictions, hostCauses, openCauses, ownCauses, unknownCause } from './impact-rules.ts';
import { type Incident, lengthOf } from './incident.ts';
import { chosen, incidentsOf, type Wanted } from './incidents.ts';
import * as own from './own-rules.ts';
import { withSaneTimes } from './sane-times.ts';
import * as sleep from './sleep-rules.ts';
import { clearedOf, type Suspect, suspectsOf } from './suspects.ts';
import { withSteadyClock } from './steady-clock.ts';
import { demandSeries } from './window.ts';

const rules: readonly Rule[] = [
  sleep.asleep,
  sleep.dated,
  sleep.whoseThread,
  sleep.redisLine,
  sleep.recorderDiffers,
  sleep.reportsSpent,
  sleep.clockStepped,
  sleep.howItEnded,
  sleep.uncleanEnd,
  sleep.lockups,
  sleep.outOfMemory,
  own.stoppedOrBusy,
  host.tracedPageIn,
  host.measuredPageIn,
  host.thinPageIn,
  host.pageIns,
  host.parked,
  host.stopped,
  host.cpuTaken,
  disk.fileSystem,
  disk.disk,
  disk.lock,
  disk.otherSleep,
  disk.aofSlow,
  own.ownLoad,
  own.shortOfMemory,
  own.redisSlow,
  own.shutDown,
  impact.dataLost,
  impact.victims,
  impact.queueWaited,
  impact.alerted,
  impact.stopFailed,
  impact.reasonsDiffer,
  impact.sourcesDiffer,
];

export interface Judged {
  readonly facts: Facts;
  readonly now: Instant;
  /** Undefined where nothing out of the ordinary was found. */
  readonly incident?: Incident;
  /** Nothing that was read is of the times that were asked for. */
  readonly blind: boolean;
  /** All that were found, oldest first. */
  readonly incidents: readonly Incident[];
  readonly findings: Findings;
  readonly suspects: readonly Suspect[];
}

function incidentFinding({ incident, during }: Context): Findings {
  const { onset, end } = incident;
  return {
    incident: {
      certainty: 'proven',
      data: { window: during, onset, end, seconds: lengthOf(incident) },
      sources: [],
    },
  };
}

function usualUse({ usual }: Context): Findings {
  const idle = usual.whole('cpu_idle');
  const memory = usual.whole('memory_used');
  if (idle === undefined) return {};
  const data = memory === undefined ? { idle } : { idle, memory };
  return { usual_use: { certainty: 'proven', data, sources: [idle.source] } };
}

function findingsOf(context: Context): Findings {
  const all = rules.map((rule) => rule(context));
  return Object.assign(incidentFinding(context), usualUse(context), ...all);
}

/** What a rule found is not ruled out by a limit that it stays below. */
function stillSuspect(suspects: readonly Suspect[], findings: Findings): Suspect[] {
  const taken = findings.cpu_taken !== undefined;
  return suspects.map((one) =>
    one.id === 'steal' && one.ruling === 'ruled_out' && taken
      ? Object.assign({}, one, { ruling: 'suspicious' as const })
      : one,
  );
}

/** Of logs from elsewhere the kernel's own start says what it runs on. */
function machineOf({ machine, boots }: Facts): Facts['machine'] {
  const told = boots.findLast(({ hypervisor }) => hypervisor !== undefined)?.hypervisor;
  return machine.hypervisor !== undefined || told === undefined
    ? machine
    : { ...machine, hypervisor: told };
}

/** No boot that is known had a record then, and nothing was measured: between two boots, or after the last of a copy. */
function isBlind({ boots, series, redis, alerts }: Facts, { from, to }: Wanted): boolean {
  if ((from === undefined && to === undefined) || boots.length === 0) return false;
  const [first, last] = [from ?? -Infinity, to ?? Infinity];
  const isThen = (at: Instant, until = at) => at <= last && until >= first;
  return !(
    boots.some(({ start, end }) => isThen(start.earliest, end?.at ?? Infinity)) ||
    series.some(({ points, stepSeconds }) =>
      points.some(({ at }) => isThen(at - stepSeconds, at)),
    ) ||
    redis.some(({ at }) => isThen(at)) ||
    alerts.some((alert) => isThen(alert.from, alert.to ?? Infinity))
  );
}

export function judge(given: Facts, wanted: Wanted, now: Instant): Judged {
  const read = withSteadyClock(withSaneTimes(given, now));
  const series = [...read.series, ...demandSeries(read.series)];
  const facts = { ...read, series, boots: knownEnds(read), machine: machineOf(read) };
  const incidents = incidentsOf(facts, now);
  const incident = chosen(incidents, wanted, facts);
  if (incident === undefined) {
    const blind = isBlind(facts, wanted);
    return { facts, now, blind, incidents, findings: {}, suspects: [] };
  }
  const context = contextOf(facts, incident, now);
  const found = findingsOf(context);
  const suspects = stillSuspect(suspectsOf(context), found);
  const findings = {
    ...found,
    ...clearedOf(suspects),
    ...contradictions(found),
    ...unknownCause(found),
  };
  return { facts, now, incident, blind: false, incidents, findings, suspects };
}

const rank = (findings: Findings, id: FindingId) =>
  certainties.indexOf(findings[id]?.certainty ?? 'possible');

/** The surest cause first; of equals the order of the lists. */
export function causesOf(findings: Findings): FindingId[] {
  return [...hostCauses, ...openCauses, ...ownCauses]
    .filter((id) => findings[id] !== undefined)
    .sort((one, other) => rank(findings, one) - rank(findings, other));
}

/** A ticket needs a cause beyond the machine, and none of our own that is as sure. */
export function ticketCause(findings: Findings): (typeof hostCauses)[number] | undefined {
  const host = hostCauses
    .filter((id) => findings[id] !== undefined)
    .sort((one, other) => rank(findings, one) - rank(findings, other))[0];
  const own = ownCauses.filter((id) => findings[id] !== undefined);
  if (host === undefined) return undefined;
  const surest = Math.min(...own.map((id) => rank(findings, id)), certainties.length);
  const proven = findings[host]?.certainty === 'proven';
  return proven || rank(findings, host) < surest ? host : undefined;
}
