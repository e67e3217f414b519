import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSink } from '../../../tools/rig/http-sink.ts';
import { recordsOf } from '../../../tools/rig/kernel-log-forms.ts';
import { placed, temporaryRoot } from '../../../tools/rig/temporary-root.ts';
import { columnNames } from '../../core/second.ts';
import type { EvidenceFile } from '../../evidence/format.ts';
import { createPseudoFs } from '../../procfs/reader.ts';
import { reasonOfTrace } from '../../tasks/reasons.ts';
import type { Facts, Measure } from '../facts/facts.ts';
import { gather, type GatherOptions } from './index.ts';
import type { RecorderAnswer } from './options.ts';

const start = Date.UTC(2026, 9, 14, 12) / 1000;
const columns = ['time', ...columnNames];

/** A row in which all is well, but for what is given. */
const row = (time: number, values: Readonly<Record<string, number>>): (number | null)[] =>
  columns.map((name) => (name === 'time' ? time : (values[name] ?? null)));

const trace = recordsOf('6.12-redis-kvm-async-pf').slice(0, 12);

const file: EvidenceFile = {
  schema: 1,
  host: 'db-1',
  fetched: start + 4000,
  machine: { hostname: 'shop', kernelRelease: '6.12.117', vendor: 'QEMU' },
  boot: { id: '11111111-2222-3333-4444-555555555555', start },
  exporter: { version: '0.1.0', start: 60 },
  now: { wall: start + 3990, monotonic: 3990 },
  incidents: [
    {
      id: '11111111-3000',
      formerIds: [],
      state: 'open',
      onset: { earliest: 3000, latest: 3010 },
      openedBy: [{ time: 3020, rule: 'redis_frozen' }],
      cause: { name: 'memory', text: 'The host paged out memory.' },
      kernel: [
        {
          kind: 'hung_task',
          time: 3122,
          last: 3488,
          count: 4,
          seconds: 488,
          hash: 'abc',
          lines: trace.map(({ text }) => text),
        },
        {
          kind: 'soft_lockup',
          time: 3600,
          last: 3600,
          count: 1,
          hash: 'def',
          lines: ['watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [redis-server:160]'],
        },
      ],
      tasks: [],
      samples: {
        columns,
        parts: [
          {
            step: 1,
            rows: [2998, 2999, 3000, 3040, 3041].map((time) =>
              row(time, { load_1m: 2.5, redis_state: time > 3000 ? 2 : 1 }),
            ),
          },
          { step: 60, rows: [row(3101, { load_1m: 3, cpu_own: 0.1 })] },
        ],
      },
    },
  ],
};

function read(root: string, more: Partial<GatherOptions>): Promise<Facts> {
  return gather(
    { root, lastBoot: false, kernLog: [], sysstat: [], redisLog: [], ...more },
    { env: {}, now: () => start + 9000, uid: 0, procfs: createPseudoFs('/nowhere') },
  );
}

const pointsOf = (facts: Facts, measure: Measure, step: number) =>
  facts.series
    .find((series) => series.measure === measure && series.stepSeconds === step)
    ?.points.map(({ at, value }) => [at - start, value]);

test('evidence: a file that the prober kept becomes facts', async (t) => {
  const root = temporaryRoot(t);
  placed(root, 'kept/db-1/11111111-3000.json', JSON.stringify(file));
  const facts = await read(root, { evidence: join(root, 'kept') });
  assert.deepEqual(
    facts.kernelReports.map(({ at, boot, report: { comm, pid, seconds, frames } }) => [
      at - start,
      boot,
      comm,
      pid,
      seconds,
      reasonOfTrace(frames),
    ]),
    [
      [3122, '11111111222233334444555555555555', 'redis-server', 160, 10, 'host_page_in'],
      [3488, '11111111222233334444555555555555', 'redis-server', 160, 488, 'host_page_in'],
    ],
  );
  assert.deepEqual(
    facts.kernelEvents.map(({ kind, at }) => [kind, at - start]),
    [['soft_lockup', 3600]],
  );
  assert.deepEqual(pointsOf(facts, 'redis_up', 1), [
    [2998, 1],
    [2999, 1],
    [3000, 1],
    [3040, 0],
    [3041, 0],
  ]);
  assert.deepEqual(pointsOf(facts, 'load_1m', 60), [[3101, 3]]);
  assert.equal(pointsOf(facts, 'cpu_own', 1), undefined);
  assert.deepEqual(
    facts.gaps.map(({ from, to }) => [from - start, to - start]),
    [[3000, 3039]],
  );
  assert.deepEqual(
    facts.boots.map(({ end }) => [end?.how, (end?.at ?? 0) - start]),
    [['unknown', 3990]],
  );
  assert.deepEqual(facts.machine, {
    addresses: [],
    hostname: 'shop',
    kernelRelease: '6.12.117',
    vendor: 'QEMU',
  });
});

test('evidence: what the exporter of this machine holds is read beside its logs; without one that is no fault', async (t) => {
  const name = 'http://127.0.0.1:10190/evidence';
  const answered = (recorder: RecorderAnswer) =>
    gather(
      { root: temporaryRoot(t), lastBoot: false, kernLog: [], sysstat: [], redisLog: [] },
      { env: {}, now: () => start + 9000, uid: 0, procfs: createPseudoFs('/nowhere'), recorder },
    );
  const { kernelReports, sources } = await answered({ name, text: JSON.stringify(file) });
  assert.deepEqual(
    kernelReports.map(({ at }) => at - start),
    [3122, 3488],
  );
  assert.ok(sources.some((source) => source.id === `evidence ${name}` && source.records > 0));
  for (const [recorder, why] of [
    [{ name, problem: 'connect ECONNREFUSED' }, /^connect ECONNREFUSED$/],
    [{ name, text: '{"schema":' }, /^what it answers is no evidence: /],
    [{ name, text: '' }, /^what it answers is no evidence: /],
  ] as const) {
    const { missing, kernelReports: none } = await answered(recorder);
    assert.deepEqual(none, []);
    const told = missing.find(({ what }) => what.endsWith(name));
    assert.match(told?.why ?? '', why);
    assert.equal(told?.named, undefined, 'nobody named it');
  }
});

test('evidence: of several hosts one is to be named, and what is no evidence costs itself', async (t) => {
  const root = temporaryRoot(t);
  const directory = join(root, 'kept');
  placed(root, 'kept/db-1/a.json', JSON.stringify(file));
  placed(root, 'kept/db-2/a.json', JSON.stringify({ ...file, host: 'db-2' }));
  placed(root, 'kept/db-2/torn.json', JSON.stringify(file).slice(0, 500));
  placed(root, 'kept/db-2/large.json', 'x'.repeat(2_000_000));
  const several = await read(root, { evidence: directory });
  assert.match(
    JSON.stringify(several.missing),
    /files of 2 hosts: name one with --host \(db-1, db-2\)/,
  );
  assert.deepEqual(several.kernelReports, []);
  const one = await read(root, { evidence: directory, host: 'db-2' });
  assert.equal(one.kernelReports.length, 2);
  assert.match(JSON.stringify(one.missing), /torn\.json.*it is no evidence: expected JSON/);
  assert.match(JSON.stringify(one.missing), /large\.json.*larger than 1 MiB/);
  const none = await read(root, { evidence: join(root, 'nothing') });
  assert.match(JSON.stringify(none.missing), /the flight recorder/);
});

test('evidence: an exporter that runs is asked, and its refusal told without what is secret', async (t) => {
  const root = temporaryRoot(t);
  const { host: _host, fetched: _fetched, ...answer } = file;
  const sink = await startSink(({ url }, response) => {
    if (url === '/evidence') response.end(JSON.stringify(answer));
    else response.writeHead(403).end('not from there');
  });
  t.after(() => sink.close());
  const facts = await read(root, { evidence: sink.url });
  assert.equal(facts.kernelReports.length, 2);
  const refused = await read(root, {
    evidence: `${sink.url.replace('//', '//u:hunter2@')}/other?x=hunter3`,
  });
  assert.match(JSON.stringify(refused.missing), /it refuses us \(403\)/);
  assert.doesNotMatch(JSON.stringify(refused), /hunter/);
});

test('evidence: a trace that is shown once is of every thread with its hash', async (t) => {
  const root = temporaryRoot(t);
  const [incident] = file.incidents;
  assert.ok(incident);
  const [first] = incident.kernel;
  assert.ok(first);
  const other = {
    ...first,
    time: 3123,
    last: 3123,
    count: 1,
    seconds: 20,
    lines: ['INFO: task jemalloc_bg_thd:165 blocked for more than 20 seconds.'],
  };
  const kernel = [first, other, { ...other, time: 3130, last: 3130, hash: 'fee' }];
  const two = { ...file, incidents: [{ ...incident, kernel }] };
  placed(root, 'kept/db-1/11111111-3000.json', JSON.stringify(two));
  const { kernelReports } = await read(root, { evidence: join(root, 'kept') });
  assert.deepEqual(
    kernelReports.map(({ at, report: { comm, frames } }) => [
      at - start,
      comm,
      reasonOfTrace(frames),
    ]),
    [
      [3122, 'redis-server', 'host_page_in'],
      [3123, 'jemalloc_bg_thd', 'host_page_in'],
      [3130, 'jemalloc_bg_thd', 'unknown'],
      [3488, 'redis-server', 'host_page_in'],
    ],
  );
});

test('evidence: each further report is one, with its time and how long by then', async (t) => {
  const root = temporaryRoot(t);
  const [incident] = file.incidents;
  const [first] = incident?.kernel ?? [];
  assert.ok(incident && first);
  const again = [
    { time: 3244, seconds: 244 },
    { time: 3366, seconds: 366 },
    { time: 3488, seconds: 488 },
  ];
  const kernel = [{ ...first, again }];
  const told = { ...file, incidents: [{ ...incident, kernel }] };
  placed(root, 'kept/db-1/11111111-3000.json', JSON.stringify(told));
  const { kernelReports } = await read(root, { evidence: join(root, 'kept') });
  assert.deepEqual(
    kernelReports.map(({ at, report: { seconds, frames } }) => [
      at - start,
      seconds,
      reasonOfTrace(frames),
    ]),
    [
      [3122, 10, 'host_page_in'],
      ...again.map(({ time, seconds }) => [time, seconds, 'host_page_in']),
    ],
  );
});

test('evidence: what the recorder knew by itself is handed on, in time of the wall', async (t) => {
  const root = temporaryRoot(t);
  const [incident] = file.incidents;
  assert.ok(incident);
  const tasks = [
    {
      comm: 'redis-server',
      state: 'D',
      wchan: 'x',
      reason: 'host_page_in',
      since: 3001,
      last: 3400,
    },
  ];
  const redis = { states: [{ time: 3002, state: 'frozen' }], reason: 'redis://:hunter2@x' };
  const told = { ...file, incidents: [{ ...incident, tasks, redis }] };
  placed(root, 'kept/db-1/11111111-3000.json', JSON.stringify(told));
  const { recorded } = await read(root, { evidence: join(root, 'kept') });
  assert.deepEqual(recorded, [
    {
      boot: '11111111222233334444555555555555',
      source: 'evidence 11111111-3000.json',
      onset: { earliest: start + 3000, latest: start + 3010 },
      asleep: [
        { comm: 'redis-server', reason: 'host_page_in', since: start + 3001, last: start + 3400 },
      ],
      redis: [{ at: start + 3002, state: 'frozen' }],
      cause: 'memory',
      last: start + 3101,
    },
  ]);
});

test('evidence: an answer that somebody saved himself is read as one of the prober', async (t) => {
  const root = temporaryRoot(t);
  const { host, fetched, ...answer } = file;
  assert.ok(host !== '' && fetched > 0);
  const path = placed(root, 'saved.json', JSON.stringify(answer));
  const facts = await read(root, { evidence: path });
  assert.deepEqual(
    [facts.missing.filter(({ what }) => /recorder/.test(what)), facts.kernelReports.length > 0],
    [[], true],
  );
});

test('evidence: whatever stands in the way costs the recorder alone, and is said', async (t) => {
  const root = temporaryRoot(t);
  const loop = join(root, 'loop');
  symlinkSync(loop, loop);
  const expected: readonly (readonly [string, RegExp])[] = [
    [loop, /a symbolic link to itself/],
    [join(root, 'none'), /it is not there/],
    ['/dev/zero', /no regular file/],
    [placed(root, 'torn', '{"schema": 1'), /it is no evidence: expected JSON/],
  ];
  for (const [evidence, why] of expected) {
    const { missing } = await read(root, { evidence });
    assert.match(
      JSON.stringify(missing.filter(({ what }) => /recorder/.test(what))),
      why,
      evidence,
    );
  }
});

test('evidence: a clock that the prober contradicts dates nothing for certain', async (t) => {
  const root = temporaryRoot(t);
  const cases: readonly (readonly [start: number, RegExp | undefined])[] = [
    [start, undefined],
    [start - 40, undefined],
    [start - 7200, /was 2 h behind that of the prober/],
    [start + 7200, /was 2 h (0 min )?ahead of that of the prober/],
    // Since 1970, as one that nobody set: who fetched it dates it.
    [
      0,
      /the machine said 1970-01-01 01:06 UTC when .* not believed: its times are by the clock of the prober$/,
    ],
    [
      1e300,
      /the machine said a time that cannot be when .* its times are by the clock of the prober$/,
    ],
    [start + 40 * 86_400, /said 2026-11-23 13:06 UTC when .* by the clock of the prober$/],
  ];
  for (const [began, doubt] of cases) {
    const text = JSON.stringify({ ...file, boot: { ...file.boot, start: began } });
    const facts = await read(root, { evidence: placed(root, 'clock.json', text) });
    const [{ timeErrorSeconds, timeDoubt = '', problems } = { problems: [] }] = facts.sources;
    assert.equal(timeErrorSeconds, doubt === undefined ? 1 : undefined);
    assert.match(timeDoubt, doubt ?? /^$/);
    assert.equal(problems.length, doubt === undefined ? 0 : 1);
    const [first] = facts.kernelReports;
    const off = Math.abs(began - start) < 86_400 ? began - start : file.fetched - start - 3990;
    assert.equal(Math.round((first?.at ?? NaN) - start), 3122 + off, String(began));
  }
});

test('evidence: a prober whose clock was never set dates nothing', async (t) => {
  const root = temporaryRoot(t);
  for (const [fetched, began, said] of [
    [5, start, /the prober said 1970-01-01 00:00 UTC when .*by the clock of the machine$/],
    [
      5,
      1e9,
      /the machine said 2001-09-09 02:53 UTC and that of the prober 1970-01-01 00:00 UTC .*neither is believed$/,
    ],
  ] as const) {
    const text = JSON.stringify({ ...file, fetched, boot: { ...file.boot, start: began } });
    const facts = await read(root, { evidence: placed(root, 'clock.json', text) });
    assert.match(facts.sources[0]?.timeDoubt ?? '', said);
    assert.equal(Math.round(facts.kernelReports[0]?.at ?? NaN), began + 3122);
  }
});
