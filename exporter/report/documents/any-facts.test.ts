/** Whatever the readers hand on: documents come, hold together, and accuse nobody without data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noFacts, placed, recorded } from '../../../tools/rig/report/build.ts';
import type { Facts, KernelReport, Measure, Series } from '../facts/facts.ts';
import { hostCauses } from '../cause/impact-rules.ts';
import { judge } from '../cause/judge.ts';
import { documentsOf } from './all.ts';
import { mostPlain } from './ticket.ts';

const start = Date.UTC(2026, 9, 14) / 1000;
const span = 3 * 24 * 3600;

const instant = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: start, max: start + span }) },
  fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -1e15, 1e300),
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('|', '\n# x', '```', '[a](http://e.co)', '', 'redis-server', '<b>'),
);
const value = fc.oneof(
  { weight: 10, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  fc.constantFrom(Number.NaN, Infinity, -1, 0, 1e12, 50),
);
const measures: readonly Measure[] = [
  'cpu_idle',
  'cpu_own',
  'cpu_steal',
  'steal_of_demand',
  'load_1m',
  'tasks_in_io_wait',
  'memory_used',
  'swap_in_pages',
  'pressure_memory',
  'disk_busy',
  'disk_operations',
  'disk_await_seconds',
  'host_page_ins',
  'threads_in_d',
  'threads_waiting_for_page',
  'stalled_seconds',
  'redis_up',
  'redis_latency_seconds',
  'queue_latency_seconds',
];
const source = fc.constantFrom('journal', 'redis', 'sysstat', 'prometheus', 'nowhere');

const series: fc.Arbitrary<Series> = fc
  .record({
    measure: fc.constantFrom(...measures),
    of: fc.option(text, { nil: undefined }),
    stepSeconds: fc.constantFrom(0, 1, 15, 600, Number.NaN),
    points: fc.array(fc.record({ at: instant, value }), { maxLength: 12 }),
    source,
  })
  .map(({ of, ...rest }) => Object.assign(rest, of === undefined ? {} : { of }));

const recordings = [
  '6.12-redis-kvm-async-pf',
  '6.18-redis-aof-frozen-fs',
  '3.13-jbd2',
  '4.14-no-trace',
];
const kernelReport: fc.Arbitrary<KernelReport> = fc
  .record({
    name: fc.constantFrom(...recordings),
    at: instant,
    boot: fc.constantFrom('a', 'b', 'c'),
    pid: fc.constantFrom(1, 160, 6104),
    seconds: fc.constantFrom(0, 10, 120, 1e9),
    comm: fc.option(text, { nil: undefined }),
  })
  .map(({ name, at, boot, pid, seconds, comm }) => {
    const [one] = recorded(name);
    if (one === undefined) throw new Error(name);
    const report = placed(one, { at, bootedAt: start, boot, seconds, pid });
    return comm === undefined
      ? report
      : Object.assign(report, { report: Object.assign({}, report.report, { comm }) });
  });

const event = { at: instant, source, text };
const facts: fc.Arbitrary<Facts> = fc
  .record({
    sources: fc.array(
      fc.record({
        id: source,
        kind: fc.constantFrom('journal', 'redis_log', 'sysstat', 'prometheus', 'kernel_log'),
        name: text,
        records: fc.nat(),
        problems: fc.array(text, { maxLength: 2 }),
      }),
      { maxLength: 4 },
    ),
    missing: fc.array(fc.record({ what: text, why: text, command: text }), { maxLength: 2 }),
    boots: fc.array(
      fc.record({
        id: fc.constantFrom('a', 'b', 'c'),
        start: fc.record({ earliest: instant, latest: instant }),
        end: fc.record({ at: instant, how: fc.constantFrom('clean', 'unclean', 'unknown') }),
        endSaid: fc.constant([]),
        source,
      }),
      { maxLength: 3 },
    ),
    kernelReports: fc.array(kernelReport, { maxLength: 5 }),
    kernelEvents: fc.array(
      fc.record({
        ...event,
        boot: fc.constantFrom('a', 'b'),
        kind: fc.constantFrom('soft_lockup', 'oom_machine', 'oom_cgroup', 'clock_skew'),
      }),
      { maxLength: 3 },
    ),
    systemEvents: fc.array(
      fc.record({
        ...event,
        kind: fc.constantFrom(
          'login',
          'guest_agent_froze',
          'clock_stepped',
          'connection_failed',
          'filesystem_recovered',
        ),
      }),
      { maxLength: 4 },
    ),
    series: fc.array(series, { maxLength: 8 }),
    gaps: fc.array(fc.record({ from: instant, to: instant, source }), { maxLength: 3 }),
    recorded: fc.array(
      fc.record({
        boot: fc.constantFrom('a', 'b'),
        onset: fc.record({ earliest: instant, latest: instant }),
        asleep: fc.array(
          fc.record({
            comm: fc.constantFrom('redis-server', '|', 'x'),
            reason: fc.constantFrom('host_page_in', 'other'),
            since: instant,
            last: instant,
          }),
          { maxLength: 3 },
        ),
        redis: fc.array(fc.record({ at: instant, state: text }), { maxLength: 3 }),
        cause: text,
        last: instant,
        source,
      }),
      { maxLength: 2 },
    ),
    redis: fc.array(
      fc.record({
        ...event,
        pid: fc.constantFrom(1, 160, 6104),
        kind: fc.constantFrom(
          'started',
          'ready',
          'saved',
          'ended',
          'rdb_age',
          'shutdown_asked',
          'other',
        ),
        seconds: value,
      }),
      { maxLength: 6 },
    ),
    alerts: fc.array(
      fc.record({ name: text, severity: fc.constantFrom('page', 'ticket'), from: instant, source }),
      { maxLength: 2 },
    ),
  })
  .map((some) => Object.assign({}, noFacts, some));

/** Cells of a line of a table: bars that are escaped are none. */
const cells = (line: string) => line.replaceAll(/\\[\\|]/g, '').split('|').length;

function brokenTables(document: string): string[] {
  const lines = document.split('\n');
  return lines.filter((line, i) => {
    const before = lines[i - 1] ?? '';
    return line.startsWith('|') && before.startsWith('|') && cells(line) !== cells(before);
  });
}

test('any facts: documents hold together, and a ticket has a cause beyond the machine', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const judged = judge(given, { lastBoot: false }, start + span);
      const { ticket, report, json } = documentsOf(judged, 'ticket');
      JSON.parse(json);
      for (const document of [ticket ?? '', report]) {
        assert.deepEqual(brokenTables(document), []);
        assert.doesNotMatch(document, /NaN|undefined|Infinity|\[object/);
        assert.doesNotMatch(document, /^# x|^<b>|^\[a\]/m);
      }
      if (ticket !== undefined) {
        assert.ok(hostCauses.some((id) => judged.findings[id] !== undefined));
        const plain = ticket.split('for a ticket form or chat\n\n')[1] ?? '';
        assert.ok(plain.length < mostPlain + 100, `${plain.length}`);
      }
      const traced = given.kernelReports.some(({ report: { frames } }) =>
        frames.some((line) => line.includes('kvm_async_pf_task_wait')),
      );
      if (!traced) assert.doesNotMatch(`${ticket}${report}`, /\(proven\) It waited for a page/);
    }),
    { numRuns: 300, seed: 1 },
  );
});
