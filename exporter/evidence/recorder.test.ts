import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BlockedThread, Report } from '../core/collector.ts';
import { columnNames, type Second } from '../core/second.ts';
import { verdictOf } from '../core/verdict.ts';
import type { Excerpt } from '../kmsg/excerpts.ts';
import type { Rescue } from '../core/rescue-record.ts';
import { redisStates } from '../redis/state.ts';
import { createEvidenceText, mostAnswerBytes } from './answer.ts';
import type { EvidenceAnswer, EvidenceIncident } from './format.ts';
import { parseEvidence } from './parse.ts';
import { createRecorder, type RecorderEvents } from './recorder.ts';
import { summaryOf } from './summary.ts';

const bootId = 'bbbbbbbb-1111-2222-3333-444444444444';
const bootedAt = 1_700_000_000;
const frozen = redisStates.indexOf('frozen');

interface Now {
  second?: Second;
  threads?: readonly BlockedThread[];
  redis?: string;
  hostPageIns?: number;
  rescues?: readonly Rescue[];
  ownCpu?: number;
  stopped?: number;
}

/** A recorder on a machine that is `start` seconds old; `until(T, now)` lets it tick up to second T. */
const stopOf = (seconds: number) =>
  ({ seconds, text: 'It was stopped.', by: 'signal', pid: 7, seenFrom: 'machine' }) as const;

function machine(start = 1000, events: RecorderEvents = {}) {
  let at = start;
  const recorder = createRecorder({
    sinceBoot: () => at,
    bootId,
    stealThreshold: 0.1,
    events,
  });
  const text = createEvidenceText({
    recorder,
    machine: { hostname: 'vm' },
    bootId,
    version: '1.2.3',
    now: () => ({ wall: bootedAt + at, monotonic: at }),
  });
  function tick(now: Now): void {
    const { second = {}, threads = [], redis = 'up', hostPageIns = 0, rescues } = now;
    const { ownCpu = 0, stopped } = now;
    const report: Report = {
      second: { redis_state: redisStates.findIndex((state) => state === redis), ...second },
      blockedThreads: (most) => threads.slice(0, most),
      ...(rescues === undefined ? {} : { rescues }),
      ...(stopped === undefined ? {} : { stopped: stopOf(stopped) }),
    };
    const ok = redis === 'up';
    recorder.tick({
      reports: [report, {}],
      status: {
        verdict: verdictOf({ hostPageIns, stealOfDemand: 0, ownCpu }),
        checks: [
          {
            name: 'redis',
            critical: true,
            ok,
            state: redis,
            reason: ok ? 'it answers' : 'Redis at 127.0.0.1:6379 has not answered.',
            sinceSeconds: 0,
            ageSeconds: 0,
          },
        ],
      },
    });
  }
  const answer = (): EvidenceAnswer => parseEvidence(text.text());
  return {
    recorder,
    text,
    answer,
    incidents: () => answer().incidents,
    until: (second: number, now: Now | ((at: number) => Now) = {}) => {
      while (at < second) {
        at += 1;
        tick(typeof now === 'function' ? now(at) : now);
      }
    },
  };
}

const hung = (seconds: number, at: number, pid = 160, past = false): Excerpt => ({
  kind: 'hung_task',
  microseconds: at * 1e6,
  pid,
  seconds,
  past,
  lines: [
    `INFO: task redis-server:${pid} blocked for more than ${seconds} seconds.`,
    ' kvm_async_pf_task_wait_schedule+0x130/0x170',
  ],
});

const frozenFor = (since: number) => (at: number) => ({
  redis: 'frozen',
  second: {
    redis_state: frozen,
    redis_latency_seconds: at - since,
    redis_silent_seconds: at - since + 0.75,
  },
});

const timesOf = ({ samples }: EvidenceIncident) =>
  samples.parts.flatMap(({ rows }) => rows.map(([time]) => time ?? NaN));

const wrote = (time: number, text = 'It was written.'): Rescue => ({
  time,
  result: 'not_released',
  cpus: [1],
  text,
});

test('recorder: what a rescue did in an incident is of it, and what it did before is not', () => {
  const { until, incidents } = machine();
  until(1100);
  until(1160, (at) => ({ ...frozenFor(1100)(at), rescues: [wrote(900)] }));
  assert.equal(incidents()[0]?.rescues, undefined);
  const rescues = Array.from({ length: 9 }, (_, i) => wrote(1150 + i, 'x'.repeat(999)));
  until(1165, (at) => ({ ...frozenFor(1100)(at), rescues }));
  const kept = incidents()[0]?.rescues ?? [];
  assert.deepEqual([kept.length, kept[0]?.time, kept[0]?.text.length], [8, 1151, 400]);
  assert.deepEqual(kept[0]?.cpus, [1]);
});

test('recorder: nothing that matters is no incident, and answers stay what they were', () => {
  const { until, incidents, text } = machine();
  const tag = text.tag();
  until(1600, { second: { cpu_own: 0.9, oldest_wait_seconds: 19, stalled_seconds: 0.1 } });
  assert.deepEqual(incidents(), []);
  assert.equal(text.tag(), tag);
});

test('recorder: a frozen Redis, with five minutes before it, and over five minutes after it answers', () => {
  const { until, incidents, text } = machine();
  until(1600);
  until(1630, frozenFor(1600.5));
  const [open] = incidents();
  assert.equal(open?.state, 'open');
  assert.equal(open.id, `${bootId}-1600`);
  assert.deepEqual(open.onset, { earliest: 1599.75, latest: 1600.5 });
  assert.deepEqual(open.openedBy, [{ time: 1601, rule: 'redis_frozen' }]);
  const times = timesOf(open);
  assert.equal(times[0], 1301);
  assert.equal(times.at(-1), 1630);
  assert.equal(times.length, 330);
  assert.deepEqual(open.redis?.states, [{ time: 1601, state: 'frozen' }]);
  const before = text.tag();
  until(1929);
  assert.notEqual(text.tag(), before);
  assert.equal(incidents()[0]?.state, 'open');
  until(1935);
  const [closed] = incidents();
  assert.equal(closed?.state, 'closed');
  assert.deepEqual(closed.end, { earliest: 1630, latest: 1631 });
  assert.deepEqual(
    closed.redis?.states.map(({ time, state }) => [time, state]),
    [
      [1601, 'frozen'],
      [1631, 'up'],
    ],
  );
  assert.match(closed.redis.reason ?? '', /has not answered/);
  const after = text.tag();
  until(3000);
  assert.equal(text.tag(), after, 'what is over does not change');
  assert.deepEqual(timesOf(closed), timesOf(incidents()[0] ?? closed));
});

const stoppedAt = (since: number, of: number) => (at: number) => ({
  ...frozenFor(of)(at),
  ownCpu: 0.996,
  ...(at < since ? {} : { stopped: at - since }),
});

test('recorder: a Redis that was stopped is why it is silent, whatever keeps the machine busy', () => {
  const { until, incidents } = machine();
  until(1600);
  until(1605, (at) => ({ ...frozenFor(1600)(at), ownCpu: 0.996 }));
  assert.equal(incidents()[0]?.cause.name, 'own_load');
  until(1660, stoppedAt(1601, 1600));
  assert.deepEqual(incidents()[0]?.cause, { name: 'redis_stopped', text: 'It was stopped.' });
  // Of what the host does it is no excuse.
  until(1670, (at) => ({ ...stoppedAt(1601, 1600)(at), hostPageIns: 400 }));
  until(1680, stoppedAt(1601, 1600));
  assert.equal(incidents()[0]?.cause.name, 'host_paging');
});

test('recorder: who stops a silent Redis to look at it did not silence it', () => {
  const { until, incidents } = machine();
  until(1600);
  until(1660, stoppedAt(1640, 1600));
  assert.equal(incidents()[0]?.cause.name, 'own_load');
  const other = machine();
  other.until(1600);
  const blocked = { second: { oldest_wait_seconds: 30 }, ownCpu: 0.996, stopped: 100 };
  other.until(1660, blocked);
  assert.equal(other.incidents()[0]?.cause.name, 'own_load', 'it answers');
});

test('recorder: what is not seen any more does not go on', () => {
  let lasted = 0;
  const { until, incidents, recorder } = machine(1000, { lasts: () => void (lasted += 1) });
  const summary = (at: number) => {
    const [one] = recorder.incidents();
    return one && summaryOf(one, { wall: bootedAt + at, monotonic: at });
  };
  until(1600);
  until(1694, frozenFor(1600));
  assert.equal(summary(1694)?.quietSeconds, undefined);
  until(1754);
  const { seconds, open, quietSeconds } = summary(1754) ?? {};
  assert.deepEqual([seconds, open, quietSeconds], [94, true, 60]);
  assert.equal(incidents()[0]?.last, 1694);
  assert.ok(lasted < 94 + 10, `${lasted}`);
  until(1760, frozenFor(1755));
  assert.equal(summary(1760)?.quietSeconds, undefined, 'it came back');
  until(2100);
  assert.equal(summary(2100)?.quietSeconds, undefined, 'it is closed');
});

test('recorder: each rule opens one, from when it began', () => {
  const cases: readonly [string, Now | ((at: number) => Now), number][] = [
    ['blocked_task', (at) => ({ second: { oldest_wait_seconds: Math.max(0, at - 1600) } }), 1600],
    ['stall', (at) => ({ second: { stalled_seconds: at === 1610 ? 11 : 0 } }), 1599],
    ['steal_burn', (at) => ({ second: { steal_of_demand: at > 1600 ? 0.2 : 0 } }), 1601],
    ['redis_frozen', (at) => (at > 1600 ? frozenFor(1600)(at) : {}), 1600],
  ];
  for (const [rule, now, onset] of cases) {
    const { until, incidents } = machine();
    until(1700, now);
    const [one, ...more] = incidents();
    assert.deepEqual(more, []);
    assert.deepEqual(
      one?.openedBy.map((opened) => opened.rule),
      [rule],
    );
    assert.equal(one.onset.latest, onset, rule);
    assert.ok(one.onset.earliest <= onset, rule);
  }
});

test('recorder: no data is no incident, and is not 0', () => {
  const { until, incidents } = machine();
  until(1500, { second: { redis_state: NaN, oldest_wait_seconds: NaN, stalled_seconds: NaN } });
  assert.deepEqual(incidents(), []);
  until(1520, frozenFor(1500));
  const [one] = incidents();
  const i = one?.samples.columns.indexOf('threads_in_d') ?? -1;
  assert.ok(i > 0);
  assert.ok(one?.samples.parts[0]?.rows.every((row) => row[i] === null));
});

test('recorder: what is frozen from the start began nobody knows when', () => {
  const { until, incidents } = machine();
  until(1030, frozenFor(1000));
  assert.deepEqual(incidents()[0]?.onset, { earliest: 0, latest: 1000 });
});

test('recorder: the kernel names it, and who starts again and reads the log again says the same', () => {
  const first = machine();
  first.until(1600);
  first.until(1730, frozenFor(1600));
  assert.equal(first.incidents()[0]?.id, `${bootId}-1600`);
  first.recorder.kernel(hung(120, 1730.25));
  first.until(1740, frozenFor(1600));
  const [live] = first.incidents();
  assert.equal(live?.id, `${bootId}-1610`);
  assert.deepEqual(live.formerIds, [`${bootId}-1600`]);
  assert.deepEqual(live.onset, { earliest: 1599.25, latest: 1600 });

  const second = machine(1800);
  second.recorder.kernel(hung(120, 1730.25, 160, true));
  const asleep = {
    tid: 160,
    process: 'redis-server',
    waitChannel: 'kvm_async_pf_task_wait_schedule',
    reason: 'host_page_in',
  };
  second.until(1830, (at) => ({
    ...frozenFor(1800)(at),
    threads: [{ ...asleep, seconds: at - 1800 }],
  }));
  const [again, ...more] = second.incidents();
  assert.deepEqual(more, []);
  assert.equal(again?.id, live.id);
  assert.equal(again.state, 'open');
  assert.deepEqual(again.kernel, live.kernel);
  assert.deepEqual(again.tasks, [
    {
      comm: 'redis-server',
      state: 'D',
      wchan: 'kvm_async_pf_task_wait_schedule',
      reason: 'host_page_in',
      since: 1800,
      last: 1826,
    },
  ]);
});

test('recorder: what the kernel told of before our start is over, unless the thread still sleeps', () => {
  const { recorder, until, incidents } = machine(90_000);
  for (const at of [500, 620, 740]) recorder.kernel(hung(at - 380, at, 160, true));
  recorder.kernel(hung(120, 50_000, 9, true));
  until(90_010);
  until(90_020, frozenFor(90_010));
  assert.deepEqual(
    incidents().map(({ id, state, end }) => [id.slice(37), state, end]),
    [
      ['380', 'closed', { earliest: 740, latest: 50_000 }],
      ['49880', 'closed', { earliest: 50_000, latest: 90_000 }],
      ['90010', 'open', undefined],
    ],
  );
  const [past] = incidents();
  assert.deepEqual(past?.samples.parts, []);
  assert.deepEqual(
    past.kernel.map(({ time, last, count, seconds }) => [time, last, count, seconds]),
    [[500, 740, 3, 360]],
  );
});

test('recorder: of threads with one trace the first shows it; an OOM just before goes with it', () => {
  const { recorder, until, incidents } = machine();
  until(1100);
  recorder.kernel({
    kind: 'oom_machine',
    microseconds: 1090e6,
    past: false,
    lines: ['Out of memory: Killed process 7 (x)'],
  });
  for (const pid of [1, 2, 3]) recorder.kernel(hung(30, 1100 + pid, pid));
  const [one] = incidents();
  assert.deepEqual(
    one?.kernel.map(({ kind, count, lines }) => [kind, count, lines.length]),
    [
      ['oom_machine', 1, 1],
      ['hung_task', 1, 2],
      ['hung_task', 1, 1],
      ['hung_task', 1, 1],
    ],
  );
  assert.equal(new Set(one.kernel.slice(1).map(({ hash }) => hash)).size, 1);
});

test('recorder: the cause is the gravest verdict while it lasted', () => {
  const { until, incidents } = machine();
  until(1600);
  until(1610, frozenFor(1600));
  assert.equal(incidents()[0]?.cause.name, 'quiet');
  until(1620, (at) => ({ ...frozenFor(1600)(at), hostPageIns: 30 }));
  until(1640, frozenFor(1600));
  assert.deepEqual(incidents()[0]?.cause, {
    name: 'host_paging',
    text: verdictOf({ hostPageIns: 30 }).text,
  });
});

test('recorder: after an hour a row a minute, and the minute under way', () => {
  const { until, answer } = machine();
  until(1600);
  until(1600 + 3600 + 90, frozenFor(1600));
  const [one] = answer().incidents;
  const parts = one?.samples.parts ?? [];
  assert.deepEqual(
    parts.slice(-2).map(({ step, rows }) => [step, rows.length, rows.at(-1)?.[0]]),
    [
      [60, 1, 5260],
      [30, 1, 5290],
    ],
  );
});

test('recorder: the minute under way at its end stays, whatever begins after it', () => {
  const { until, incidents } = machine();
  until(1600);
  until(1600 + 3600 + 77, frozenFor(1600));
  until(5800);
  const [first] = incidents();
  assert.ok(first !== undefined && first.state !== 'open');
  const ofFirst = first.samples.parts.at(-1);
  assert.ok(ofFirst !== undefined && ofFirst.step < 60, 'part of a minute');
  until(6000, frozenFor(5900));
  assert.equal(incidents().length, 2);
  assert.deepEqual(incidents()[0]?.samples.parts.at(-1), ofFirst);
});

test('recorder: days of worst seconds and a flood of the kernel stay within the answer', () => {
  const { recorder, until, answer, text } = machine();
  const full: Second = Object.fromEntries(columnNames.map((name) => [name, 123.456789]));
  const threads = Array.from({ length: 6000 }, (_, i) => ({
    tid: i + 1,
    process: `proc-${i}`.padEnd(15, 'ü'),
    waitChannel: 'rwsem_down_write_slowpath',
    reason: 'filesystem',
    seconds: 100 + i,
  }));
  let now = 1000;
  for (let one = 0; one < 12; one += 1) {
    const end = now + (one === 11 ? 8000 : 900);
    until(now + 10, frozenFor(now));
    for (let pid = 1; pid <= 100; pid += 1) {
      const lines = Array.from({ length: 64 }, (_, i) => ` function_${pid}_${i}+0x${i}/0x99`);
      const head = `INFO: task ${'x'.repeat(15)}:${pid} blocked for more than 120 seconds.`;
      recorder.kernel({ ...hung(1, now + 10, pid), lines: [head, ...lines] });
    }
    until(now + 500, (at) => ({
      redis: 'frozen',
      second: { ...full, redis_state: frozen },
      threads: at % 50 === 0 ? threads : [],
    }));
    until(end, one === 11 ? { second: { ...full, redis_state: frozen } } : {});
    now = end;
    const length = Buffer.byteLength(text.text());
    assert.ok(length <= mostAnswerBytes, `${one}: ${length}`);
  }
  const { incidents } = answer();
  assert.equal(incidents.length, 8);
  const last = incidents.at(-1);
  assert.equal(last?.state, 'open');
  assert.ok((last.kernel[0]?.lines.length ?? 0) > 60, 'lines of the kernel go last');
  const newest = last.samples.parts.at(-1)?.rows.at(-1)?.[0];
  assert.equal(newest, now);
});

test('recorder: what is told of an incident, once its cause is known', () => {
  const said: string[] = [];
  const { recorder, until } = machine(1000, {
    opened: ({ facts }) => said.push(`opened ${facts.cause.name}`),
    told: (_incident, { kind }) => said.push(`told ${kind}`),
    closed: ({ facts }) => said.push(`closed ${facts.id.slice(37)}`),
  });
  recorder.kernel(hung(120, 400, 9, true));
  until(1600);
  until(1610, (at) => ({ ...frozenFor(1600)(at), hostPageIns: 30 }));
  recorder.kernel(hung(10, 1610));
  recorder.kernel(hung(20, 1611));
  until(1611, frozenFor(1600));
  until(2000);
  // That of before our start was told by whoever saw it.
  assert.deepEqual(said, ['closed 280', 'opened host_paging', 'told hung_task', 'closed 1600']);
});

test('recorder: what the kernel alone tells has its cause from the trace', () => {
  const { recorder, incidents, until } = machine(90_000);
  recorder.kernel(hung(120, 500, 160, true));
  until(90_010);
  assert.deepEqual(incidents()[0]?.cause, {
    name: 'unknown',
    text: 'The kernel reported a thread blocked for more than 120 s, waiting for the host to bring a page back.',
  });
});

test('recorder: each further report of a sleep is kept, of very many the first and the last', () => {
  const { recorder, until, incidents } = machine();
  until(1600);
  for (let i = 1; i <= 10; i += 1) recorder.kernel(hung(120 * i, 1600 + 120 * i));
  const [ten] = incidents()[0]?.kernel ?? [];
  assert.equal(ten?.count, 10);
  assert.deepEqual(
    ten.again?.map(({ time, seconds }) => [time, seconds]),
    Array.from({ length: 9 }, (_, i) => [1600 + 120 * (i + 2), 120 * (i + 2)]),
  );
  assert.equal(ten.lines.length, 2);
  for (let i = 11; i <= 300; i += 1) recorder.kernel(hung(120 * i, 1600 + 120 * i));
  const [all] = incidents()[0]?.kernel ?? [];
  assert.equal(all?.count, 300);
  assert.deepEqual(
    all.again?.map(({ seconds }) => seconds / 120),
    [2, 3, 4, 5, 6, 7, 8, 9, 293, 294, 295, 296, 297, 298, 299, 300],
  );
});
