/**
 * The flight recorder: the last quarter of an hour always, and of an incident all of it, in flat
 * memory. It reads nothing: each second it is handed what collectors say anyway, and the kernel's
 * words as they are followed. The box that freezes keeps no file; who watches it fetches this.
 */
import type { Report, Stopped } from '../core/collector.ts';
import type { Second } from '../core/second.ts';
import type { Status } from '../core/status.ts';
import type { Excerpt } from '../kmsg/excerpts.ts';
import type { Moment } from './format.ts';
import { createArchive, type RowText } from './archive.ts';
import { createIncident, type Incident, weightOf } from './incident.ts';
import { redisStates } from '../redis/state.ts';
import { createRing } from './ring.ts';
import { createRules, type Met, metBy } from './rules.ts';
import { goneSeconds } from './summary.ts';

const mostIncidents = 8;
/** So much of the time before is kept, */
const beforeSeconds = 300;
/** and an incident is over when all has been well for as long. */
const wellSeconds = 300;
/** A row a second for so long, then one a minute. */
const fineSeconds = 3600;
/** Threads are looked at this seldom, of thousands the longest asleep. */
const tasksEverySeconds = 5;
const mostTasks = 32;
/** Until then clocks tick for the first time, and what the kernel told of before is found again. */
const settlingSeconds = 5;
const mostAside = 16;
/** A process is looked at each second, on a busy machine somewhat later, and asked each second too. */
const stoppedSlackSeconds = 5;
const frozen = redisStates.indexOf('frozen');

export interface RecorderEvents {
  opened?(incident: Incident): void;
  /** The kernel said something that it had not said in this incident. */
  told?(incident: Incident, excerpt: Excerpt): void;
  /** Once a second while it lasts, but not while it is only waited whether it comes back. */
  lasts?(incident: Incident, at: Moment): void;
  closed?(incident: Incident): void;
}

export interface RecorderSettings {
  /** Seconds since boot, by the clock of the kernel log. */
  readonly sinceBoot: () => Moment;
  readonly bootId: string;
  readonly stealThreshold: number;
  readonly events?: RecorderEvents;
}

export interface Look {
  readonly reports: readonly Report[];
  readonly status: Pick<Status, 'verdict' | 'checks'>;
}

export interface Recorder {
  /** What the kernel printed; that of before our start first. */
  kernel(excerpt: Excerpt): void;
  /** Once a second. */
  tick(look: Look): void;
  /** Oldest first. */
  incidents(): readonly Incident[];
  /** Its rows as text, oldest first. */
  rows(incident: Incident): Iterable<RowText>;
  /** Of all incidents together: what is too much is thinned where it is oldest. */
  limitRows(bytes: number): void;
  /** Another one whenever an answer would be another. */
  generation(): number;
  readonly start: Moment;
}

/** Its silence began when it was stopped: who looks with a debugger why it is silent did not cause that. */
function isWhy({ seconds }: Stopped, second: Second): boolean {
  const { redis_state: state, redis_latency_seconds: awaited = 0 } = second;
  const { redis_silent_seconds: silent = awaited } = second;
  return state === frozen && seconds >= silent - stoppedSlackSeconds;
}

export function createRecorder({
  sinceBoot,
  bootId,
  stealThreshold,
  events = {},
}: RecorderSettings): Recorder {
  const start = sinceBoot();
  const ring = createRing();
  const archive = createArchive(ring);
  const rules = createRules({ ring, stealThreshold, start });
  /** What only goes with an incident, printed lately. */
  let aside: Excerpt[] = [];
  /** Of the open incident: whether it was told of, and what of the kernel's words was not. */
  let announced = false;
  let untold: Excerpt[] = [];
  let incidents: Incident[] = [];
  let owners = 0;
  let generation = 0;
  let tasksAt = -Infinity;

  const open = () => incidents.find(({ facts }) => facts.state === 'open');
  const nameOf = ({ onset }: Met) => `${bootId}-${Math.floor(onset.latest)}`;
  /** Known from what the kernel printed before our start, and from nothing else. */
  const isPast = ({ last }: Incident) => last < start;

  /** The gravest stay, where there is room for eight only. */
  function makeRoom(): void {
    if (incidents.length < mostIncidents) return;
    const [least] = incidents.toSorted((a, b) => weightOf(a) - weightOf(b));
    if (least === undefined) return;
    archive.drop(least.owner);
    incidents = incidents.filter((one) => one !== least);
  }

  function begin(met: Met, at: Moment): Incident {
    makeRoom();
    owners += 1;
    const incident = createIncident(owners, nameOf(met), met, at);
    incidents.push(incident);
    const from = met.onset.latest - beforeSeconds;
    archive.begin(incident.owner, from);
    for (const excerpt of aside) {
      if (excerpt.microseconds / 1e6 >= from) incident.excerpt(excerpt);
    }
    tasksAt = -Infinity;
    announced = false;
    untold = [];
    return incident;
  }

  function end(incident: Incident, latest: Moment): void {
    archive.end(incident.owner);
    untold = [];
    incident.close({ earliest: incident.last, latest: Math.max(incident.last, latest) });
    generation += 1;
    events.closed?.(incident);
  }

  function describe(
    incident: Incident,
    at: Moment,
    look: Look & { readonly second: Second },
  ): void {
    const { reports, status, second } = look;
    const check = status.checks.find(({ name }) => name === 'redis');
    if (check !== undefined) incident.redis(at, check.state, check.ok ? undefined : check.reason);
    for (const { rescues } of reports) if (rescues !== undefined) incident.rescues(rescues);
    if (at - incident.last <= settlingSeconds) incident.verdict(status.verdict);
    for (const { stopped } of reports) {
      if (stopped !== undefined && isWhy(stopped, second)) incident.stopped(stopped.text);
    }
    if (at - tasksAt < tasksEverySeconds) return;
    tasksAt = at;
    for (const { blockedThreads } of reports) {
      if (blockedThreads !== undefined) incident.tasks(at, blockedThreads(mostTasks));
    }
  }

  /** Once its cause has been looked at: with what the kernel told of it meanwhile. */
  function announce(incident: Incident, at: Moment): void {
    if (!announced) events.opened?.(incident);
    announced = true;
    for (const excerpt of untold) events.told?.(incident, excerpt);
    untold = [];
    if (at - incident.last <= goneSeconds) events.lasts?.(incident, at);
  }

  /** What the kernel told of before our start goes on if the thread still sleeps. */
  function lookForPast(incident: Incident, at: Moment, { reports }: Look): void {
    const asleep = reports.some(({ blockedThreads }) =>
      blockedThreads?.(mostTasks).some(({ tid }) => incident.pids.has(tid)),
    );
    if (asleep) {
      incident.meet({ rule: 'hung_task', onset: incident.facts.onset, last: at });
    } else if (at - start >= settlingSeconds) end(incident, start);
  }

  function follow(at: Moment, look: Look & { readonly second: Second }): void {
    const met = rules.met(at, look.second);
    const before = open();
    if (before !== undefined && isPast(before)) lookForPast(before, at, look);
    let incident = open();
    // Whether it is the one of before is known in a moment.
    if (incident !== undefined && isPast(incident)) return;
    for (const one of met) {
      if (incident === undefined) incident = begin(one, at);
      else incident.meet(one);
    }
    if (incident === undefined) return;
    const coarse = at - incident.facts.onset.latest > fineSeconds;
    archive.record(incident.owner, coarse);
    describe(incident, at, look);
    generation += 1;
    announce(incident, at);
    if (at - incident.last >= wellSeconds) end(incident, incident.last + 1);
  }

  /** The incident that a word of the kernel belongs to. */
  function told(time: Moment): Incident | undefined {
    const current = open();
    if (current === undefined || time - current.last < wellSeconds) return current;
    end(current, time);
    return undefined;
  }

  return {
    start,
    kernel(excerpt) {
      const time = excerpt.microseconds / 1e6;
      const met = metBy(excerpt);
      let incident = told(time);
      if (met !== undefined) {
        if (incident === undefined) incident = begin(met, time);
        else incident.meet(met);
        incident.rename(nameOf(met));
      }
      if (incident === undefined) {
        aside = [...aside, excerpt].slice(-mostAside);
        return;
      }
      generation += 1;
      const isNew = incident.excerpt(excerpt);
      if (isNew && !isPast(incident)) untold = [...untold, excerpt].slice(-mostAside);
    },
    tick(look) {
      const at = sinceBoot();
      const second: Second = Object.assign({}, ...look.reports.map((report) => report.second));
      ring.push(at, second);
      follow(at, { ...look, second });
    },
    incidents: () => incidents,
    rows: ({ owner }) => archive.texts(owner),
    limitRows: (bytes) => archive.limit(bytes),
    generation: () => generation,
  };
}
