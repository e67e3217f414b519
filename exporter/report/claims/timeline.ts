/**
 * What happened when, a row a fact, with the source of each. What each kind of fact says stands in
 * one table; a kind that is not in it has no row.
 */
import type {
  Recorded,
  RedisEvent,
  RedisEventKind,
  SystemEvent,
  SystemEventKind,
} from '../facts/facts.ts';
import type { Judged } from '../cause/judge.ts';
import { kernelLine } from './kernel-line.ts';
import { nextBoot } from '../cause/boots.ts';
import { spanOf } from '../cause/incidents.ts';
import { durationText } from '../../measure/duration.ts';
import { name, process, say, type Text } from '../text/say.ts';
import { capital, counted, utc } from '../text/units.ts';

export interface Moment {
  /** Which row of which table. */
  readonly id: string;
  readonly at: number;
  readonly text: Text;
  readonly source: string;
}

/** So much before and after the incident belongs to its story. */
const marginSeconds = 900;
const mostOfAKind = 5;

/** Said where the source says no more. */
const system: Readonly<Record<SystemEventKind, string>> = {
  login: 'somebody logged in',
  shutdown_began: 'a shutdown began',
  container_stop_failed: 'stopping a container did not work',
  unit_stop_failed: 'stopping a service did not work',
  filesystem_recovered: 'a file system was recovered from an unclean stop',
  journal_recovered: 'the journal was recovered from an unclean stop',
  filesystem_error: 'a file system reported an error',
  disk_error: 'a disk reported an error',
  guest_agent_froze: 'the guest agent was told to freeze the file systems',
  guest_agent_thawed: 'the guest agent was told to thaw the file systems',
  clock_stepped: 'the clock of the machine was set',
  connection_failed: 'programs could not reach a server',
};

function systemText({ kind, text, count = 1 }: SystemEvent): Text {
  const said = capital(text === '' ? system[kind] : text);
  return count === 1 ? say`${said}` : say`${said} (${count} times)`;
}

/** Lines that mark a turn; the rest of a Redis log is routine. */
const redis: Partial<Readonly<Record<RedisEventKind, (event: RedisEvent) => Text | undefined>>> = {
  started: () => say`Redis started`,
  ready: () => say`Redis ready`,
  rdb_age: ({ seconds, at }) =>
    seconds === undefined
      ? say`Redis read its file`
      : say`Redis read a snapshot of ${utc(at - seconds)}`,
  // Of an append-only file what follows the snapshot is not counted.
  loaded: ({ keys }) =>
    keys === undefined ? undefined : say`Redis has read ${counted(keys, 'key')} of a snapshot`,
  save_failed: ({ text }) => say`Snapshot failed: ${text}`,
  aof_fsync_slow: () => say`Redis: an fsync of the append-only file takes too long`,
  shutdown_asked: ({ text }) => say`Redis was asked to stop: ${text}`,
  ended: () => say`Redis ended`,
};

function sleepMoments({ incident, findings }: Judged): Moment[] {
  const { sleep, onset, end } = incident ?? {};
  const [first] = sleep?.chief.reports ?? [];
  const last = sleep?.reports.at(-1);
  if (sleep === undefined || onset === undefined || first === undefined || last === undefined)
    return [];
  const { chief, redis: log, reports, budget } = sleep;
  const line = log?.lastBefore;
  const words =
    line?.text === undefined || line.text === ''
      ? say`Last line of the Redis log`
      : say`Last line of the Redis log: ${line.text}`;
  const spent = budget === 'spent' ? ': the kernel stops after 10, it does not mean the end' : '';
  return [
    ...(line === undefined
      ? []
      : [{ id: 'moment.last_line', at: line.at, text: words, source: line.source }]),
    {
      id: 'moment.asleep',
      at: Math.ceil(onset.latest),
      text: say`${process(chief.comm)} asleep by now (not before ${utc(onset.earliest)})`,
      source: findings.dated?.data.seenBy ?? first.source,
    },
    {
      id: 'moment.first_report',
      at: first.at,
      text: say`First kernel report: "blocked for more than ${first.report.seconds} seconds"`,
      source: first.source,
    },
    ...(reports.length === 1
      ? []
      : [
          {
            id: 'moment.last_report',
            at: last.at,
            text: say`Report ${reports.length}, the last${spent}`,
            source: last.source,
          },
        ]),
    ...(end?.how !== 'sign_of_life' || end.source === undefined
      ? []
      : [
          {
            id: 'moment.sign_of_life',
            at: end.at,
            text: say`First sign of life`,
            source: end.source,
          },
        ]),
  ];
}

function bootMoments({ facts, incident }: Judged): Moment[] {
  const boot = facts.boots.find(({ id }) => id === incident?.boot);
  if (boot === undefined) return [];
  const next = nextBoot(facts.boots, boot);
  const how = {
    clean: 'it was shut down',
    unclean: 'no shutdown, so a reset or a loss of power',
    unknown: 'how it ended is not known',
  };
  return [
    ...(boot.end === undefined
      ? []
      : [
          {
            id: `moment.end_${boot.end.how}`,
            at: boot.end.at,
            text: say`Last record of this boot; ${how[boot.end.how]}`,
            source: boot.end.later?.source ?? boot.source,
          },
        ]),
    ...(next === undefined
      ? []
      : [
          {
            id: 'moment.next_boot',
            at: next.start.latest,
            text: say`Next boot`,
            source: next.source,
          },
        ]),
  ];
}

function gapMoments({ facts }: Judged): Moment[] {
  return facts.gaps.map(({ from, to, source }) => ({
    id: 'moment.gap',
    at: from,
    text: say`No sample for ${durationText(to - from)}, until ${utc(to)}: the machine stood still, or what takes the samples did`,
    source,
  }));
}

/** What it said by itself: the state of Redis when that was another, and its verdict. */
function recordedMoments({ redis: states, cause, last, source }: Recorded): Moment[] {
  return [
    ...states.map(({ at, state }) => ({
      id: `moment.probe_${state}`,
      at,
      text: say`Probe of Redis: ${name(state)}`,
      source,
    })),
    {
      id: 'moment.verdict',
      at: last,
      text: say`Last that the flight recorder has of it; its verdict until then: ${name(cause)}`,
      source,
    },
  ];
}

function eventMoments({ facts }: Judged): Moment[] {
  return [
    ...facts.systemEvents.map((event) => ({
      id: `moment.${event.kind}`,
      at: event.at,
      text: systemText(event),
      source: event.source,
    })),
    ...facts.redis.flatMap((event) => {
      const text = redis[event.kind]?.(event);
      return text === undefined
        ? []
        : [{ id: `moment.redis_${event.kind}`, at: event.at, text, source: event.source }];
    }),
    ...facts.recorded.flatMap(recordedMoments),
    ...facts.kernelEvents.map((event) => ({
      id: `moment.${event.kind}`,
      at: event.at,
      text: kernelLine(event),
      source: event.source,
    })),
    ...facts.alerts.map((alert) => ({
      id: 'moment.alert',
      at: alert.from,
      text: say`Alert ${name(alert.name)} (${alert.severity})`,
      source: alert.source,
    })),
  ];
}

/** The first of a kind and how many more: a thousand failed connections are one row. */
function thinned(moments: readonly Moment[]): Moment[] {
  const counts = new Map<string, number>();
  for (const { id } of moments) counts.set(id, (counts.get(id) ?? 0) + 1);
  const seen = new Map<string, number>();
  return moments.flatMap((moment) => {
    const nth = (seen.get(moment.id) ?? 0) + 1;
    seen.set(moment.id, nth);
    const more = (counts.get(moment.id) ?? 0) - mostOfAKind;
    if (nth > mostOfAKind) return [];
    return nth === mostOfAKind && more > 0
      ? [{ ...moment, text: say`${moment.text} (and ${more} more of this kind)` }]
      : [moment];
  });
}

export function timelineOf(judged: Judged): Moment[] {
  const { incident, facts } = judged;
  if (incident === undefined) return [];
  const { from, to } = spanOf(incident);
  const ownBoot = facts.boots.find(({ id }) => id === incident.boot);
  const until = Math.max(to, ownBoot?.end?.at ?? to) + marginSeconds;
  const near = [...eventMoments(judged), ...gapMoments(judged)].filter(
    ({ at }) => at >= from - marginSeconds && at <= until,
  );
  const all = [...sleepMoments(judged), ...near, ...bootMoments(judged)];
  return thinned(all.sort((one, other) => one.at - other.at));
}
