/** When a sleep began and ended, from reports that each lie somewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boot,
  noFacts,
  placed,
  recorded,
  redis,
  source,
  time,
} from '../../../tools/rig/report/build.ts';
import type { Boot, Facts, RedisEvent } from '../facts/facts.ts';
import { chosen, incidentsOf } from './incidents.ts';
import { judge } from './judge.ts';
import { reportedIncidents } from './sleeps.ts';

const bootedAt = time('2026-10-14 08:00:00');
const froze = time('2026-10-14 10:00:00');
const [main, aside] = recorded('6.12-redis-kvm-async-pf');

function reports(rounds: number, { from = froze, seconds = 122 } = {}) {
  if (main === undefined || aside === undefined) throw new Error('the recording has two threads');
  return Array.from({ length: rounds }, (_, i) => i).flatMap((i) => {
    const later = i * (seconds + 1);
    const place = { at: from + seconds + later, bootedAt, seconds: seconds + later };
    return [placed(main, place), placed(aside, { ...place, at: place.at + 0.2 })];
  });
}

const sources = ['journal', 'redis', 'container', 'other', 'a', 'b'].map((id) =>
  source(id, id === 'journal' ? 'journal' : 'redis_log', id),
);

function off(id: string, timeErrorSeconds: number | undefined) {
  const { timeErrorSeconds: _, ...rest } = source(id, 'journal', id);
  return timeErrorSeconds === undefined ? rest : { ...rest, timeErrorSeconds };
}

interface Told {
  readonly rounds?: number;
  readonly lines?: readonly RedisEvent[];
  readonly end?: Boot['end'];
  readonly more?: Partial<Facts>;
}

function factsOf({ rounds = 5, lines = [], end, more = {} }: Told): Facts {
  const boots = [boot('boot-1', '2026-10-14 08:00:00', end)];
  return { ...noFacts, sources, boots, kernelReports: reports(rounds), redis: lines, ...more };
}

const now = time('2026-10-15 12:00:00');
const at = (facts: Facts) => reportedIncidents(facts, now);
const started = redis('2026-10-14 08:00:10', 'started');
const inside = (line: RedisEvent) => ({ ...line, pid: 1, source: 'container' });
const saved = (clock: string, rest: Partial<RedisEvent> = {}) =>
  redis(`2026-10-14 ${clock}`, 'saved', rest);
/** A Redis that saves each half an hour, so that hours of silence say something. */
const busy = [started, ...['08:30:00', '09:00:00', '09:30:00', '09:59:48'].map((at) => saved(at))];
const reset = { at: time('2026-10-14 19:37:00'), how: 'unclean' } as const;

test('sleep: it began within a round before what the first report says', () => {
  const [incident] = at(factsOf({}));
  assert.deepEqual(incident?.onset, { earliest: froze - 122, latest: froze });
  assert.equal(incident?.id, '20261014T100000');
});

/** Of a boot that began then, where the first report says that it has been asleep for so long. */
function said(seconds: number, start?: Boot['start']) {
  const facts = factsOf({ rounds: 1 });
  const [first, ...others] = facts.kernelReports;
  if (first === undefined) throw new Error('there is a report');
  const report = { ...first.report, seconds };
  const boots = facts.boots.map((one) => ({ ...one, start: start ?? one.start }));
  const kernelReports = [{ ...first, report }, ...others];
  return judge({ ...facts, boots, kernelReports }, { lastBoot: false }, now);
}

test('sleep: none is longer than its machine has run, whatever the kernel is said to have said', () => {
  const uptime = froze + 122 - bootedAt;
  const longest = said(uptime).incident;
  assert.equal(longest?.sleep?.chief.comm, 'redis-server');
  assert.equal(longest.onset.earliest, bootedAt - 0.1, 'a round before its boot is no time of it');
  for (const seconds of [uptime + 120, 400_000, 99_999_999]) {
    const { incident, facts } = said(seconds);
    assert.notEqual(incident?.sleep?.chief.comm, 'redis-server', `${seconds}`);
    assert.match(facts.missing[0]?.why ?? '', /^1 had a time or a value that cannot be/);
  }
  // Of a log without the kernel's own time it is known only that the boot began some day.
  const someDay = { earliest: froze - 366 * 86_400, latest: froze - 10 };
  assert.equal(said(400_000, someDay).incident?.sleep?.chief.comm, 'redis-server');
  assert.notEqual(said(99_999_999, someDay).incident?.sleep?.chief.comm, 'redis-server');
});

test('sleep: the last line of its log narrows the beginning', () => {
  const [incident] = at(factsOf({ lines: [started, redis('2026-10-14 09:59:48', 'saved')] }));
  assert.equal(incident?.onset.earliest, froze - 12);
});

test('sleep: a clock that is off widens the beginning, and one that nobody knows narrows nothing', () => {
  const lines = [started, redis('2026-10-14 09:59:48', 'saved')];
  const withErrors = (kernel: number | undefined, log: number | undefined) => {
    const facts = factsOf({
      lines,
      more: { sources: [off('journal', kernel), off('redis', log)] },
    });
    return at(facts)[0]?.onset;
  };
  assert.deepEqual(withErrors(3, 2), { earliest: froze - 14, latest: froze + 3 });
  assert.deepEqual(withErrors(0.1, undefined), { earliest: froze - 122, latest: froze });
  assert.deepEqual(withErrors(undefined, 0.1), { earliest: froze - 12, latest: froze });
});

test('sleep: the tenth report is not the end, the reset is', () => {
  const [incident] = at(factsOf({ lines: busy, end: reset }));
  assert.deepEqual(incident?.end, { at: reset.at, how: 'reset' });
  assert.equal(incident?.sleep?.reports.length, 10);
});

test('sleep: without a log in which life would show, ten reports end nothing and prove no more', () => {
  const [incident] = at(factsOf({ end: reset }));
  assert.equal(incident?.end.how, 'unseen');
  assert.equal(incident?.end.at, froze + 122 + 4 * 123 + 0.2);
});

test('sleep: fewer than ten and then silence: it woke within two rounds', () => {
  const [incident] = at(factsOf({ rounds: 2, end: reset }));
  assert.equal(incident?.end.how, 'detector_quiet');
  assert.equal(incident?.end.latest, froze + 245.2 + 2 * 122);
});

test('sleep: a Redis that had nothing to say before says nothing by its silence, whoever it is', () => {
  const old = [
    [started],
    [redis('2026-10-14 08:00:10', 'ready', { pid: 4242 })],
    // What a start says within a second is no rhythm.
    Array.from({ length: 9 }, (_, i) => ({
      ...started,
      kind: 'other' as const,
      at: started.at + i,
    })),
    [started, saved('08:10:00'), saved('09:50:00')],
  ];
  for (const lines of old) {
    assert.equal(at(factsOf({ rounds: 2, lines, end: reset }))[0]?.end.how, 'detector_quiet');
    const [spent] = at(factsOf({ lines, end: reset }));
    assert.deepEqual([spent?.end.how, spent?.end.latest], ['unseen', reset.at]);
  }
});

test('sleep: a detector that could speak and did not outweighs a log that is silent', () => {
  const [incident] = at(factsOf({ rounds: 2, lines: busy, end: reset }));
  assert.equal(incident?.end.how, 'detector_quiet');
  assert.equal(incident?.end.latest, froze + 245.2 + 2 * 122);
});

test('sleep: where the kernel log itself fell silent, the detector is not heard', () => {
  const end = { at: froze + 300, how: 'unclean' } as const;
  const boots = [boot('boot-1', '2026-10-14 08:00:00', end), boot('boot-2', '2026-10-14 19:38:00')];
  const points = [{ at: reset.at, value: 1 }];
  const series = [{ measure: 'load_1m' as const, stepSeconds: 600, points, source: 'sysstat' }];
  const facts = factsOf({ rounds: 2, lines: busy, more: { boots, series } });
  const { incident, facts: known } = judge(facts, { lastBoot: false }, now);
  assert.deepEqual([incident?.end.how, incident?.end.at], ['reset', reset.at]);
  assert.deepEqual(known.boots[0]?.end?.later, { source: 'sysstat', logSilent: end.at });
});

const idsWith = (lines: readonly RedisEvent[]) =>
  incidentsOf(factsOf({ lines, end: reset }), now).map(({ id }) => id);

test('incidents: the reset that ended a freeze is no incident of its own; one after life is', () => {
  const silent = busy;
  const alive = [...silent, redis('2026-10-14 10:30:00', 'save_due')];
  assert.deepEqual(idsWith(silent), ['20261014T100000']);
  assert.deepEqual(idsWith(alive), ['20261014T100000', '20261014T193700']);
});

test('sleep: a reset before the detector could speak again', () => {
  const end = { at: froze + 300, how: 'unclean' } as const;
  assert.deepEqual(at(factsOf({ rounds: 1, end }))[0]?.end, { at: froze + 300, how: 'reset' });
});

test('sleep: the first line of the same pid is life; that of its saving child is not', () => {
  const lines = [
    started,
    redis('2026-10-14 09:59:48', 'saved'),
    redis('2026-10-14 10:01:00', 'saved', { pid: 999 }),
    redis('2026-10-14 10:20:00', 'saved', { pid: 999 }),
    redis('2026-10-14 10:30:00', 'save_due'),
  ];
  const [incident] = at(factsOf({ lines, end: reset }));
  assert.deepEqual(incident?.end, {
    at: time('2026-10-14 10:30:00'),
    how: 'sign_of_life',
    source: 'redis',
  });
});

function probed(back: string) {
  const points = [
    { at: froze - 60, value: 1 },
    { at: froze + 60, value: 0 },
    { at: froze + 900, value: 0 },
    { at: time(back), value: 1 },
  ];
  const series = [{ measure: 'redis_up' as const, stepSeconds: 15, points, source: 'probe' }];
  return at(factsOf({ end: reset, more: { series } }))[0]?.end;
}

test('sleep: a probe that is answered again is life, and only within the boot', () => {
  const back = time('2026-10-14 10:30:00');
  assert.deepEqual(probed('2026-10-14 10:30:00'), {
    at: back,
    source: 'probe',
    how: 'sign_of_life',
  });
  assert.equal(probed('2026-10-14 20:00:00')?.how, 'unseen');
});

test('sleep: while a probe has no answer it goes on, also after the tenth report', () => {
  const points = Array.from({ length: 400 }, (_, i) => {
    const when = froze - 600 + i * 15;
    return { at: when, value: when < froze - 30 ? 1 : 0 };
  });
  const probe = { measure: 'redis_up' as const, stepSeconds: 15, points, source: 'journal' };
  const [incident] = at(factsOf({ end: reset, more: { series: [probe] } }));
  assert.deepEqual(incident?.end, {
    at: froze - 600 + 399 * 15,
    source: 'journal',
    how: 'unseen',
    latest: reset.at,
  });
  assert.equal(incident?.onset.earliest, froze - 45);
  const holed = [
    {
      ...probe,
      points: points.filter(({ at: when }) => when < froze + 900 || when > froze + 1200),
    },
  ];
  assert.equal(at(factsOf({ end: reset, more: { series: holed } }))[0]?.end.at, froze + 885);
});

test('sleep: an excerpt does not tell how often the kernel spoke', () => {
  const excerpt = [{ ...source('journal', 'evidence', 'kept'), timeErrorSeconds: 0.1 }];
  const [incident] = at(factsOf({ rounds: 1, end: reset, more: { sources: excerpt } }));
  assert.equal(incident?.sleep?.budget, 'unknown');
  assert.equal(incident?.end.how, 'unseen');
});

test('sleep: a new process of the same log in the same boot', () => {
  const lines = [started, redis('2026-10-14 10:40:00', 'started', { pid: 4000 })];
  const [incident] = at(factsOf({ lines }));
  assert.deepEqual(incident?.end, {
    at: time('2026-10-14 10:40:00'),
    how: 'process_gone',
    source: 'redis',
  });
});

test('sleep: in a container the log has another pid, and is known by its silence', () => {
  const other = { pid: 1, source: 'other' };
  const lines = [
    inside(started),
    inside(redis('2026-10-14 09:59:50', 'saved')),
    redis('2026-10-14 08:00:10', 'started', other),
    redis('2026-10-14 10:05:00', 'saved', other),
    inside(redis('2026-10-14 10:30:00', 'save_due')),
  ].sort((one, next) => one.at - next.at);
  const [incident] = at(factsOf({ lines }));
  assert.equal(incident?.sleep?.redis?.by, 'silence');
  assert.equal(incident?.onset.earliest, froze - 10);
  assert.equal(incident?.end.at, time('2026-10-14 10:30:00'));
});

test('sleep: two logs that were silent tell nothing', () => {
  const lines = ['a', 'b'].map((source) =>
    redis('2026-10-14 08:00:10', 'started', { pid: 1, source }),
  );
  const [incident] = at(factsOf({ lines }));
  assert.equal(incident?.sleep?.redis, undefined);
  assert.equal(incident?.onset.earliest, froze - 122);
});

test('sleep: a line in the middle of the sleep says that a clock is wrong, and dates nothing', () => {
  const lines = [
    started,
    redis('2026-10-14 09:59:59', 'saved'),
    redis('2026-10-14 10:05:00', 'saved'),
  ];
  const [incident] = at(factsOf({ lines, end: reset }));
  assert.equal(incident?.sleep?.redis?.meanwhile.length, 1);
  assert.equal(incident?.onset.earliest, froze - 122);
});

test('sleep: still asleep when the report is made', () => {
  const facts = factsOf({ rounds: 1 });
  const [incident] = reportedIncidents(facts, froze + 200);
  assert.equal(incident?.end.how, 'still_on');
});

test('sleep: two in one boot stay two, also within one round when there was life between', () => {
  const again = froze + 400;
  const kernelReports = [...reports(1), ...reports(1, { from: again })];
  const apart = at(factsOf({ more: { kernelReports } }));
  assert.deepEqual(
    apart.map(({ onset }) => onset.latest),
    [froze, again],
  );
  const soon = [...reports(1), ...reports(1, { from: froze + 200 })];
  assert.equal(at(factsOf({ more: { kernelReports: soon } })).length, 1);
  const lines = [started, redis('2026-10-14 10:03:00', 'save_due')];
  assert.equal(at(factsOf({ lines, more: { kernelReports: soon } })).length, 2);
});

test('sleep: what other processes did in the same journal hours later is not merged', () => {
  const [stranger] = recorded('3.10-fsync');
  if (stranger === undefined) throw new Error('the recording has a report');
  const later = placed(stranger, { at: froze + 5000, bootedAt, seconds: 120 });
  const kernelReports = [...reports(1), later];
  const incidents = at(factsOf({ more: { kernelReports } }));
  assert.deepEqual(
    incidents.map(({ sleep }) => sleep?.chief.comm),
    ['redis-server', 'manager'],
  );
});

test('incidents: the newest that weighs most in the range, or the one that was named', () => {
  const kernelReports = [...reports(1), ...reports(1, { from: froze + 9000 })];
  const facts = factsOf({ more: { kernelReports } });
  const all = incidentsOf(facts, now);
  const pick = (wanted: Partial<Parameters<typeof chosen>[1]>) =>
    chosen(all, { lastBoot: false, ...wanted }, facts)?.id;
  assert.equal(pick({}), '20261014T123000');
  assert.equal(pick({ to: froze + 5000 }), '20261014T100000');
  assert.equal(pick({ id: '20261014T100000' }), '20261014T100000');
  assert.equal(pick({ id: '20261014T100001' }), '20261014T100000');
  assert.equal(pick({ id: '20261014T100100' }), undefined);
  assert.equal(pick({ from: froze + 20_000 }), undefined);
  const lost = { at: time('2026-10-15 09:00:00'), how: 'unclean' } as const;
  const later = factsOf({
    rounds: 2,
    more: {
      boots: [
        boot('boot-1', '2026-10-14 08:00:00', { at: froze + 9000, how: 'clean' }),
        boot('boot-2', '2026-10-14 13:00:00', lost),
      ],
    },
  });
  const both = incidentsOf(later, now);
  assert.deepEqual(
    both.map(({ id }) => id),
    ['20261014T100000', '20261015T090000'],
  );
  assert.equal(chosen(both, { lastBoot: false }, later)?.id, '20261014T100000');
  assert.equal(pick({ lastBoot: true }), undefined);
});

const later = (days: number) => froze + days * 86_400;
const down = (at: number) => ({
  measure: 'redis_up' as const,
  stepSeconds: 15,
  points: Array.from({ length: 8 }, (_, i) => ({ at: at + 15 * i, value: 0 })),
  source: 'other',
});
const killed = (at: number) => ({
  at,
  boot: 'boot-1',
  kind: 'oom_cgroup' as const,
  text: 'Memory cgroup out of memory: Killed process 1 (x)',
  source: 'journal',
});

test('incidents: a newer outage beats an old one that the kernel reported, what came of one within a day does not', () => {
  const picked = (more: Partial<Facts>) => {
    const facts = factsOf({ rounds: 2, more });
    const { incident } = judge(facts, { lastBoot: false }, later(30));
    return Math.round(((incident?.onset.latest ?? 0) - froze) / 86_400);
  };
  assert.equal(picked({ series: [down(later(21))] }), 21);
  assert.equal(picked({ kernelEvents: [killed(later(0.6))] }), 0);
  assert.equal(picked({ kernelEvents: [killed(later(21))] }), 21);
  assert.equal(picked({ kernelEvents: [killed(later(21))], series: [down(later(20.7))] }), 21);
  // By figures alone, however new.
  const busyCpu = { ...down(later(25)), measure: 'cpu_own' as const, stepSeconds: 60 };
  assert.equal(picked({ series: [busyCpu] }), 0);
});

test('sleep: a clock that is set meanwhile makes it no longer, no shorter and no two', () => {
  for (const seconds of [7200, -1800]) {
    const steady = factsOf({ rounds: 10, end: reset }).kernelReports;
    // As noticed by the record of the second round itself, a moment after it was printed.
    const noticed = froze + 245 + 0.005;
    const set = { at: noticed + seconds, microseconds: (noticed - bootedAt) * 1e6 };
    const wall = (moment: number) => (moment < froze + 200 ? moment : moment + seconds);
    const kernelReports = atWall(steady, wall);
    const systemEvents = [
      {
        at: set.at,
        boot: 'boot-1',
        kind: 'clock_stepped' as const,
        text: '',
        step: { seconds, microseconds: set.microseconds, vagueSeconds: 0 },
        source: 'journal',
      },
    ];
    const lines = [started, ...busy.slice(1)];
    const facts = factsOf({ lines, more: { kernelReports, systemEvents } });
    const { incident, incidents, findings } = judge(facts, { lastBoot: false }, now);
    assert.equal(incidents.filter(({ sleep }) => sleep !== undefined).length, 1);
    assert.equal(incident?.onset.latest, froze + seconds);
    const last = steady.at(-1)?.at ?? NaN;
    assert.equal(Math.round(incident?.end.at ?? 0), Math.round(last + seconds));
    assert.equal(findings.incident?.data.seconds.toFixed(0), (last - froze).toFixed(0));
    assert.equal(findings.clock_stepped?.data.seconds, seconds);
    // Its last line before moves with it.
    if (seconds > 0) assert.equal(incident?.onset.earliest, froze + seconds - 12);
  }
});

/** The clock of the machine is 2 h late until a moment in the sleep; `source` tells of it. */
function setForward({ source = 'journal', vagueSeconds = 0, seconds = 7200 } = {}) {
  const steady = froze + 200;
  const step = { seconds, microseconds: (steady - bootedAt) * 1e6, vagueSeconds };
  const event = { kind: 'clock_stepped' as const, boot: 'boot-1', text: '', source, step };
  const wall = (moment: number) => (moment < steady ? moment : moment + seconds);
  return { event: { ...event, at: steady + seconds }, wall };
}

const atWall = (all: Facts['kernelReports'], wall: (moment: number) => number) =>
  all.map((one) => Object.assign({}, one, { at: wall(one.at) }));

const sar = (points: readonly number[]) => ({
  measure: 'cpu_idle' as const,
  stepSeconds: 60,
  points: points.map((at) => ({ at, value: 0.9 })),
  source: 'sar',
});

function stepped(kind: 'sysstat' | 'prometheus', more: Partial<Facts> = {}) {
  const { event, wall } = setForward();
  const minutes = Array.from({ length: 60 }, (_, i) => wall(froze - 1800 + 60 * i));
  const kernelReports = atWall(reports(10), wall);
  const gaps = [{ from: wall(froze + 180), to: wall(froze + 240), source: 'sar' }];
  const known = [...sources, source('sar', kind, 'sar'), source('watcher', 'prometheus', 'w')];
  const facts = factsOf({
    more: { kernelReports, systemEvents: [event], series: [sar(minutes)], gaps, ...more },
  });
  return judge({ ...facts, sources: known }, { lastBoot: false }, now).facts;
}

test('sleep: a clock that is set makes no hole in what the machine itself measured', () => {
  const { series, gaps } = stepped('sysstat');
  const points = series[0]?.points.map(({ at }) => at) ?? [];
  assert.deepEqual(
    points.slice(1).map((at, i) => at - (points[i] ?? 0)),
    Array(59).fill(60),
  );
  assert.equal(points.at(-1), froze + 1740 + 7200);
  assert.deepEqual(gaps, []);
  // Another machine has a clock of its own, and nobody set that.
  const asIs = stepped('prometheus');
  assert.equal(asIs.series[0]?.points[0]?.at, froze - 1800);
  assert.equal(asIs.gaps.length, 1);
});

test('sleep: a clock that jumps where those outside had no answer had been right: the machine stood still', () => {
  const hole = { from: froze + 190, to: froze + 200 + 7200, source: 'watcher' };
  const { gaps, series } = stepped('sysstat', {
    gaps: [{ from: froze + 180, to: froze + 240 + 7200, source: 'sar' }, hole],
  });
  assert.equal(gaps.length, 2);
  assert.equal(series[0]?.points[0]?.at, froze - 1800);
});

test('sleep: two logs that tell of one step move nothing twice', () => {
  const { event, wall } = setForward();
  const text = setForward({ source: 'kern.log', vagueSeconds: 100, seconds: 7199.6 }).event;
  const facts = factsOf({
    lines: [started, saved('09:59:48')],
    more: {
      kernelReports: atWall(reports(10), wall),
      systemEvents: [text, event],
    },
  });
  const { incident } = judge(facts, { lastBoot: false }, now);
  assert.equal(incident?.onset.earliest, froze - 12 + 7200);
});

test('sleep: a line that two clocks may have dated dates nothing', () => {
  const set = setForward({ seconds: 60, vagueSeconds: 300 });
  const facts = factsOf({
    // Of these the second may be a minute later.
    lines: [started, saved('09:57:30'), saved('09:59:40')],
    more: {
      kernelReports: atWall(reports(10), set.wall),
      systemEvents: [set.event],
    },
  });
  const { redis: left } = judge(facts, { lastBoot: false }, now).facts;
  assert.deepEqual(
    left.map(({ at }) => Math.round(at - froze)),
    [Math.round(started.at - froze) + 60, -90],
  );
});

/** As the recorder had it: seen asleep from then on, and a probe that had its last answer before. */
function recordedFrom(since: number, last = froze + 700, comm = 'redis-server'): Partial<Facts> {
  return {
    recorded: [
      {
        boot: 'boot-1',
        onset: { earliest: since - 1, latest: since },
        asleep: [{ comm, reason: 'host_page_in', since, last }],
        redis: [],
        cause: 'page_in_stuck',
        last,
        source: 'recorder',
      },
    ],
  };
}

const recorder = [...sources, source('recorder', 'evidence', 'evidence')];
const dateOf = (more: Partial<Facts>) => {
  const facts = factsOf({ rounds: 10, more: { ...more, sources: recorder } });
  const { incident, findings } = judge(facts, { lastBoot: false }, now);
  const { earliest = NaN, latest = NaN } = incident?.onset ?? {};
  return { onset: [earliest - froze, latest - froze], findings, id: incident?.id };
};

/** Up until then, and down after it. */
const probe = (until: number, back = Infinity) => ({
  measure: 'redis_up' as const,
  stepSeconds: 1,
  points: Array.from({ length: 900 }, (_, i) => froze - 200 + i).map((at) => ({
    at,
    value: at <= until || at >= back ? 1 : 0,
  })),
  source: 'recorder',
});

test('sleep: the recorder saw it asleep before the kernel did, and its last answer was a moment before', () => {
  const { onset, findings, id } = dateOf({
    ...recordedFrom(froze - 100),
    series: [probe(froze - 101)],
  });
  assert.deepEqual(onset, [-101, -100]);
  assert.equal(findings.dated?.data.seenBy, 'recorder');
  // By the kernel alone, whether or not there is a recorder.
  assert.equal(id, '20261014T100000');
  // A sleep that was over, another thread, and a look that came late tell nothing of it.
  for (const more of [
    recordedFrom(froze - 100, froze - 50),
    recordedFrom(froze - 100, froze + 700, 'jbd2/sda1-8'),
    recordedFrom(froze + 20),
  ]) {
    const { onset: alone, findings: found } = dateOf(more);
    assert.deepEqual(alone, [-122, 0]);
    assert.equal(found.dated?.data.seenBy, undefined);
    assert.equal(found.recorder_early, undefined);
  }
});

test('sleep: a recorder that saw it asleep before the kernel saw it awake dates nothing, and that is said', () => {
  const { onset, findings } = dateOf(recordedFrom(froze - 300));
  assert.deepEqual(onset, [-122, 0]);
  assert.equal(findings.recorder_early?.data.since, froze - 300);
});

test('sleep: the answers of another Redis date nothing', () => {
  const always = dateOf({ series: [probe(Infinity)] });
  assert.deepEqual(always.onset, [-122, 0]);
  assert.equal(always.findings.answered_asleep?.data.at, froze + 2);
  const between = dateOf({ series: [probe(froze - 30, froze + 300)] });
  assert.deepEqual(between.onset, [-122, 0]);
  assert.equal(between.findings.answered_asleep?.data.at, froze + 300);
  assert.equal(dateOf({ series: [probe(froze - 30)] }).findings.answered_asleep, undefined);
});

test('sleep: a journald that was killed ends no boot, where others of the machine went on', () => {
  const killed = froze + 800;
  const end = { at: killed, how: 'unknown' } as const;
  const after = (seconds: number, kind: RedisEvent['kind'] = 'started') =>
    redis('2026-10-14 10:00:00', kind, { pid: 7000, at: killed + seconds });
  const endOf = (...lines: readonly RedisEvent[]) => {
    const facts = factsOf({ rounds: 5, lines: [started, ...lines], end });
    const { incident } = judge(facts, { lastBoot: false }, now);
    return [incident?.end.how, (incident?.end.at ?? 0) - killed];
  };
  assert.deepEqual(endOf(after(60), after(61, 'ready')), ['process_gone', 60]);
  // Of hours later nobody knows whether it is the same boot.
  assert.notEqual(endOf(after(7200), after(7201, 'ready'))[0], 'process_gone');
});

test('sleeps: of a boot whose times cannot be nobody says that the detector was silent', () => {
  const facts = factsOf({ rounds: 1 });
  const bad = facts.boots.map((one) => ({ ...one, start: { earliest: -1e12, latest: 0 } }));
  const how = (boots: Facts['boots']) =>
    judge({ ...facts, boots }, { lastBoot: false }, now).incident?.end.how;
  assert.equal(how(bad), 'unseen');
});

test('sleeps: a boot that began with its clock at 0 is one, whatever its start is off by', () => {
  const facts = factsOf({ rounds: 1 });
  const zero = { ...facts.boots[0], id: 'zero', endSaid: [], source: 'journal' };
  const start = { earliest: -1, latest: 1 };
  const { facts: left } = judge(
    { ...facts, boots: [...facts.boots, { ...zero, start }] },
    { lastBoot: false },
    now,
  );
  assert.ok(left.boots.some(({ id }) => id === 'zero'));
});
