import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { manualClock, systemClock } from '../measure/clock.ts';
import { isIncomplete } from '../core/collector.ts';
import { statusOf } from '../core/status.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { type Load, statMachine } from '../../tools/rig/stat-machine.ts';
import { createOwnTime } from '../cpu/own-time.ts';
import { stealCollector } from './steal.ts';

const recording = (moment: string) =>
  readFileSync(new URL(`../fixtures/kvm-async-pf/${moment}/proc/stat`, import.meta.url), 'utf8');

type Loads = Readonly<Record<number, Load>>;

function setup(cpuCount = 2, machine = statMachine(cpuCount)) {
  const clock = manualClock();
  let ownCpu = 0;
  const collector = stealCollector({
    procfs: machine.procfs,
    clock,
    config: { stealThreshold: 0.1 },
    ownTime: { seconds: () => ownCpu, close: () => undefined },
  });
  return {
    clock,
    machine,
    collector,
    /** Whole seconds, each with its tick. */
    run: (count: number, loads?: Loads) => {
      for (let i = 0; i < count; i += 1) {
        machine.run(1, loads);
        clock.advance(1);
      }
    },
    /** Nothing runs for so long, then the tick that is overdue does. */
    stall: (seconds: number) => {
      clock.stall(seconds);
      clock.advance(0);
    },
    /** Our own thread works for so long: no tick, but CPU time. */
    work: (seconds: number) => {
      ownCpu += seconds;
      machine.run(seconds, { 0: { user: 100 } });
      clock.stall(seconds);
      clock.advance(0);
    },
    published: async () => {
      const [ratio, demand, seconds] = await collector.collect(AbortSignal.timeout(1000));
      const verdicts = seconds?.samples.map(({ labels, value }) => [labels['verdict'], value]);
      return {
        ratio: ratio?.samples[0]?.value,
        demand: demand?.samples[0]?.value,
        seconds: Object.fromEntries(verdicts ?? []) as Record<string, number>,
      };
    },
    findings: () =>
      collector.report?.().findings?.map(({ severity, text }) => `${severity}: ${text}`),
  };
}

test('steal: an idle guest is good, second by second', async () => {
  const { run, published, findings } = setup();
  run(90);
  assert.deepEqual(await published(), {
    ratio: 0,
    demand: { counts: [0, 0, 0, 0, 0, 0, 0, 0], sum: 0 },
    seconds: { good: 90, steal: 0, stall: 0 },
  });
  assert.deepEqual(findings(), []);
});

test('steal: an idle guest that is denied half of the little it asks for', async () => {
  const { run, published, findings } = setup();
  run(60, { 0: { user: 3, steal: 3 } });
  const { ratio, demand, seconds } = await published();
  assert.equal(ratio, 0.015);
  assert.deepEqual(demand, { counts: [0, 0, 0, 0, 0, 60, 0, 0], sum: 30 });
  assert.deepEqual(seconds, { good: 0, steal: 60, stall: 0 });
  assert.deepEqual(findings(), [
    'bad: Your host is taking 50 % of the CPU you ask for (last minute).',
  ]);
});

test('steal: under 0.05 CPU-seconds of demand there is nothing to judge by', async () => {
  const { run, published } = setup();
  run(10, { 0: { user: 2, steal: 2 } });
  const { demand, seconds } = await published();
  assert.deepEqual(demand, { counts: [0, 0, 0, 0, 0, 0, 0, 0], sum: 0 });
  assert.deepEqual(seconds, { good: 10, steal: 0, stall: 0 });
  run(1, { 0: { user: 3, steal: 2 } });
  assert.equal((await published()).seconds['steal'], 1);
});

test('steal: one fully stolen vCPU of sixteen busy ones', async () => {
  const { run, published, findings } = setup(16);
  const busy: Record<number, Load> = Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [i, { user: 100 }]),
  );
  busy[7] = { steal: 100 };
  run(60, busy);
  const { ratio, demand, seconds } = await published();
  assert.equal(ratio, 1 / 16);
  assert.deepEqual(demand, { counts: [0, 0, 0, 0, 0, 0, 60, 0], sum: 60 });
  assert.deepEqual(seconds, { good: 0, steal: 60, stall: 0 });
  assert.deepEqual(findings(), [
    'bad: In 60 of the last 60 seconds your host took more than 10 % of the CPU you asked for, on all vCPUs or on one.',
  ]);
});

test('steal: a vCPU that asked for less than a quarter second does not count alone', async () => {
  const { run, published } = setup();
  run(5, { 0: { user: 100 }, 1: { steal: 24 } });
  assert.deepEqual((await published()).seconds, { good: 0, steal: 5, stall: 0 });
  run(5, { 0: { user: 100 }, 1: { steal: 11 } });
  assert.deepEqual((await published()).seconds, { good: 5, steal: 5, stall: 0 });
});

test('steal: a storm of six seconds a minute', async () => {
  const { run, published, findings } = setup();
  const busy = { 0: { user: 60 }, 1: { user: 60 } };
  for (let minute = 0; minute < 3; minute += 1) {
    run(54, busy);
    run(6, { 0: { user: 20, steal: 40 }, 1: { user: 20, steal: 40 } });
  }
  const { seconds } = await published();
  assert.deepEqual(seconds, { good: 162, steal: 18, stall: 0 });
  assert.deepEqual(findings(), [
    'bad: In 6 of the last 60 seconds your host took more than 10 % of the CPU you asked for, on all vCPUs or on one.',
  ]);
});

test('steal: the ratio of the last 60 s forgets what is older', async () => {
  const { run, published, findings } = setup();
  run(30, { 0: { steal: 100 }, 1: { steal: 100 } });
  run(30, { 0: { user: 100 }, 1: { user: 100 } });
  assert.equal((await published()).ratio, 0.5);
  run(30, { 0: { user: 100 }, 1: { user: 100 } });
  assert.equal((await published()).ratio, 0);
  assert.deepEqual(findings(), ['good: Your host gave you the CPU you asked for (last minute).']);
});

test('steal: a stall of four hours', async () => {
  const { run, stall, published, findings, collector } = setup();
  run(10);
  stall(14_400);
  assert.deepEqual((await published()).seconds, { good: 11.5, steal: 0, stall: 14_398.5 });
  run(40);
  assert.deepEqual(findings(), [
    'bad: This machine stood still for 4 h, 40 s ago: nothing ran, not even this exporter.',
  ]);
  const chart = collector.report?.().charts?.find(({ unit }) => unit === 'seconds');
  assert.deepEqual(chart?.history.points(9), [14_398.5, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.ok(
    chart.history
      .points()
      .slice(0, -9)
      .every((point) => point === null),
  );
  run(600);
  assert.match(findings()?.join() ?? '', /^warning: This machine stood still/);
  run(300);
  assert.deepEqual(findings(), []);
});

test('steal: a stall of two seconds, and a tick that is merely late', async () => {
  const { run, stall, published } = setup();
  run(10);
  stall(1.5);
  assert.equal((await published()).seconds['stall'], 0);
  stall(1 + 2);
  assert.deepEqual((await published()).seconds, { good: 13, steal: 0, stall: 1.5 });
});

test('steal: a short standstill is small news, several are bad, and none hides a long one before it', () => {
  const { run, stall, findings } = setup();
  run(10);
  stall(1.5 + 0.242);
  run(10);
  assert.deepEqual(findings(), [
    'warning: This machine stood still for 242 ms, 10 s ago: nothing ran, not even this exporter.',
  ]);
  stall(1.5 + 1.9);
  run(10);
  assert.match(findings()?.join() ?? '', /^bad: This machine stood still for 1\.9 s, 10 s ago/);
  run(130);
  assert.match(findings()?.join() ?? '', /^warning: This machine stood still for 1\.9 s/);
  stall(1.5 + 8);
  run(30);
  stall(1.5 + 0.1);
  run(1);
  assert.match(findings()?.join() ?? '', /^bad: This machine stood still for 8 s, 33 s ago/);
  run(400);
  stall(1.5 + 0.1);
  run(1);
  assert.match(findings()?.join() ?? '', /stood still for 100 ms, 1 s ago/);
});

test('steal: five seconds of our own work are no stall', async () => {
  const { run, work, published, findings } = setup();
  run(10);
  work(5);
  run(5);
  assert.deepEqual((await published()).seconds, { good: 20, steal: 0, stall: 0 });
  assert.deepEqual(findings(), ['good: Your host gave you the CPU you asked for (last minute).']);
});

test('steal: the default meter of own work sees a blocked event loop', async (t) => {
  const started = performance.now();
  const collector = stealCollector({
    procfs: statMachine(1).procfs,
    clock: systemClock,
    config: { stealThreshold: 0.1 },
  });
  t.after(() => collector.close?.());
  const { user, system } = process.threadCpuUsage();
  let cpuSeconds = 0;
  while (cpuSeconds < 1.1 || performance.now() - started < 2700) {
    const used = process.threadCpuUsage();
    cpuSeconds = (used.user + used.system - user - system) / 1e6;
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [, , seconds] = await collector.collect(AbortSignal.timeout(1000));
  const elapsed = (performance.now() - started) / 1000;
  const stall = seconds?.samples.find(({ labels }) => labels['verdict'] === 'stall')?.value;
  // One-sided, however little of the CPU a busy machine gives us.
  assert.ok(typeof stall === 'number');
  assert.ok(stall <= elapsed - 1.5 - 1, `${stall} s of stall in ${elapsed} s`);
});

test('steal: the default meter of own work counts in seconds, no more than we used or waited for', async (t) => {
  const clock = manualClock();
  const meter = createOwnTime();
  t.after(() => meter.close());
  const start = meter.seconds();
  const used = () => meter.seconds() - start;
  const { procfs } = statMachine(1);
  const collector = stealCollector({ procfs, clock, config: { stealThreshold: 0.1 } });
  t.after(() => collector.close?.());
  while (used() < 0.1);
  clock.stall(10);
  clock.advance(0);
  const most = used();
  const [, , seconds] = await collector.collect(AbortSignal.timeout(1000));
  const stall = seconds?.samples.find(({ labels }) => labels['verdict'] === 'stall')?.value;
  const own = 10 - 1.5 - Number(stall);
  // Microseconds are whole; their sum with 10 s is not.
  assert.ok(own > 0.05 && own < most + 1e-6, `${own} s of ${most} s`);
});

test('steal: while /proc/stat cannot be read, time waits for its verdict', async () => {
  const { run, machine, published, collector } = setup();
  run(10, { 0: { user: 50 } });
  machine.answer(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
  run(20, { 0: { user: 50, steal: 50 } });
  await assert.rejects(published(), ({ message, cause }: Error) => {
    return message.startsWith('the last one-second sample failed: EACCES') && cause !== undefined;
  });
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 20);
  machine.answer(undefined);
  run(1, { 0: { user: 50, steal: 50 } });
  assert.deepEqual((await published()).seconds, { good: 10, steal: 21, stall: 0 });
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 0);
});

test('steal: unreadable from the start, the first two readings judge it all', async () => {
  const machine = statMachine(1);
  machine.answer(new Error('EMFILE'));
  const { run, published } = setup(1, machine);
  run(5);
  await assert.rejects(published());
  machine.answer(undefined);
  run(1);
  assert.deepEqual((await published()).seconds, { good: 0, steal: 0, stall: 0 });
  run(1, { 0: { user: 50, steal: 50 } });
  assert.deepEqual((await published()).seconds, { good: 0, steal: 7, stall: 0 });
});

test('steal: a host that never told of any steal is not praised for it', () => {
  const { run, findings, collector } = setup(1, statMachine(1, 0));
  run(60, { 0: { user: 50 } });
  assert.deepEqual(findings(), []);
  const [signal] = collector.report?.().signals ?? [];
  assert.equal(signal?.supported, true);
  assert.match(signal.reason, /0 since boot, as it is for ever on bare metal/);
});

test('steal: text that is no /proc/stat makes collect reject, quoting it', async () => {
  const { run, machine, published } = setup();
  machine.answer('cpu  garbage\n');
  run(1);
  await assert.rejects(published(), ({ cause }: Error) => /"cpu {2}garbage"/.test(String(cause)));
});

test('steal: a steal counter that steps back steals nothing', async () => {
  const { run, machine, published } = setup();
  run(10, { 0: { user: 50 } });
  machine.stealBack(0, 40_000);
  run(10, { 0: { user: 50 } });
  assert.deepEqual((await published()).seconds, { good: 20, steal: 0, stall: 0 });
});

test('steal: absent without the column, and the signal says why', async (t) => {
  const text = 'cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\nbtime 1\nprocs_blocked 0\n';
  for (const [tree, reason] of [
    [{ uptime: '1.00 1.00\n' }, '/proc/stat is not there: mount the proc file system of the host'],
    [{ stat: text }, '/proc/stat has no steal column, as before Linux 2.6.11'],
  ] as const) {
    const clock = manualClock();
    const collector = stealCollector({
      procfs: createPseudoFs(fixtureTree(t, tree)),
      clock,
      config: { stealThreshold: 0.1 },
      ownTime: { seconds: () => 0, close: () => undefined },
    });
    clock.advance(5);
    assert.deepEqual(await collector.collect(AbortSignal.timeout(1000)), []);
    const [signal] = collector.report?.().signals ?? [];
    assert.equal(signal?.supported, false);
    assert.equal(signal.reason, reason);
    await collector.close?.();
  }
});

/** Of one CPU: user, idle and steal. */
const oneCpu = (user: number, idle: number | string, steal: number | string) => {
  const counts = `${user} 0 0 ${idle} 0 0 0 ${steal} 0 0`;
  return `cpu  ${counts}\ncpu0 ${counts}\nbtime 1\nprocs_blocked 0\n`;
};

test('steal: an idle time that cannot be (lxcfs) costs the share of all time and nothing else', async () => {
  const { run, machine, published, collector } = setup();
  const idle = '8317131874320235395';
  machine.answer(oneCpu(1000, idle, 50_000));
  run(1);
  machine.answer(oneCpu(1010, idle, 50_050));
  run(1);
  const { ratio, seconds } = await published();
  assert.equal(ratio, NaN);
  assert.deepEqual(seconds, { good: 1, steal: 1, stall: 0 });
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 0);
  assert.equal(collector.report?.().evidence?.ownCpu, undefined);
});

const byItsVariable = () => 'STEALWATCH_PROCFS';

test('steal: a wrong --procfs fails a critical check, until the right one is mounted there', async (t) => {
  const root = fixtureTree(t, {
    'empty/x/y': '',
    'other/etc/passwd': '',
    'one/stat': '1 (systemd) S 0 1 1 0 -1 4194560 1 2 3\n',
    'one/status': '',
    'net/stat/x': '',
    file: '',
  });
  const clock = manualClock();
  const start = (path: string) => {
    const procfs = createPseudoFs(join(root, path));
    const collector = stealCollector({ procfs, clock, config: { stealThreshold: 0.1 } });
    t.after(() => collector.close?.());
    return () => statusOf([collector.report?.() ?? {}]);
  };
  const byVariable = stealCollector({
    procfs: createPseudoFs(join(root, 'none')),
    clock,
    config: { stealThreshold: 0.1, named: byItsVariable },
  });
  t.after(() => byVariable.close?.());
  assert.match(byVariable.report?.().checks?.[0]?.reason ?? '', /^STEALWATCH_PROCFS: /);
  const cases = {
    none: /^--procfs: .*\/none is not there, or is no folder$/,
    file: /^--procfs: .*\/file is not there, or is no folder$/,
    'empty/x': /^--procfs: .*\/x is no proc file system: it has none of meminfo, /,
    one: /\/one is no proc file system/,
    net: /\/net is no proc file system/,
    other: /is no proc file system/,
  };
  const statuses = Object.entries(cases).map(([path, reason]) => {
    const status = start(path);
    const { checks, status: word, verdict } = status();
    const check = checks.find(({ name }) => name === 'procfs');
    assert.equal(word, 'failing', path);
    assert.match(check?.reason ?? '', reason);
    assert.equal(verdict.name, 'unknown');
    assert.match(verdict.text, /folder|no proc file system/);
    return status;
  });
  writeTree(root, { 'other/stat': oneCpu(1, 2, 3) });
  clock.advance(1);
  assert.equal(statuses.at(-1)?.().status, 'ok');
});

test('steal: what cannot be read at all is said in words, the file being there', () => {
  const machine = statMachine(1);
  machine.answer('cpu  x y\n');
  const { run, collector } = setup(1, machine);
  run(1);
  const { signals = [], samplers = [] } = collector.report?.() ?? {};
  assert.equal(signals[0]?.reason, '/proc/stat cannot be read (stat: unexpected line "cpu  x y")');
  assert.equal(samplers[0]?.problem, 'stat: unexpected line "cpu  x y"');
});

/** The same beside one whose line cannot be read. */
const besideBroken = (user: number, steal: number) =>
  oneCpu(user, 0, steal).replace('btime', `cpu1 x 0 0 0 0 0 0 0 0 0\nbtime`);

test('steal: a CPU whose line cannot be read leaves the others to be judged by', async () => {
  const { run, machine, collector } = setup(2);
  machine.answer(besideBroken(100, 50_000));
  run(1);
  machine.answer(besideBroken(110, 50_050));
  run(1);
  await assert.rejects(collector.collect(AbortSignal.timeout(1000)), (error: Error) => {
    assert.match(error.message, /unexpected line "cpu1 x 0/);
    assert.ok(isIncomplete(error));
    assert.equal(error.families.length, 3);
    return true;
  });
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 0);
});

test('steal: before the first second the ratio is unknown, not 0', async () => {
  const { published, collector } = setup();
  assert.equal((await published()).ratio, NaN);
  assert.deepEqual(collector.report?.().signals, [
    {
      name: 'steal',
      supported: true,
      reason: 'the steal column of /proc/stat, and the host fills it',
    },
  ]);
});

test('steal: a real guest, two readings 40 s apart', async (t) => {
  const root = fixtureTree(t, { stat: recording('before') });
  const clock = manualClock();
  const collector = stealCollector({
    procfs: createPseudoFs(root),
    clock,
    config: { stealThreshold: 0.1 },
    ownTime: { seconds: () => 0, close: () => undefined },
  });
  t.after(() => collector.close?.());
  writeTree(root, { stat: recording('stalled') });
  clock.stall(40);
  clock.advance(0);
  const families = await collector.collect(AbortSignal.timeout(1000));
  // 158 of 7640 ticks stolen; cpu0 is the worse one: 27 user, 146 system, 17 softirq, 88 steal.
  assert.deepEqual(
    families.map(({ metric, samples }) => [metric.name, samples.map(({ value }) => value)]),
    [
      ['stealwatch_steal_ratio', [158 / 7640]],
      ['stealwatch_steal_demand_ratio', [{ counts: [0, 0, 0, 0, 0, 1, 0, 0], sum: 88 / 278 }]],
      ['stealwatch_seconds_total', [0, 1.5, 38.5]],
    ],
  );
});

type Event =
  | { readonly kind: 'run' | 'stall' | 'work' | 'wall'; readonly seconds: number }
  | { readonly kind: 'back' | 'break' | 'mend' };

const duration = fc.oneof(
  fc.double({ min: 0.001, max: 8, noNaN: true }),
  fc.constantFrom(1, 1.5, 2, 14_400),
);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('run' as const, 'stall' as const, 'work' as const, 'wall' as const),
    seconds: duration,
  }),
  fc.record({ kind: fc.constantFrom('back' as const, 'break' as const, 'mend' as const) }),
);

test('steal: whatever happens, every elapsed second is counted exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), fc.nat(100), async (events, steal) => {
      const clock = manualClock();
      const start = clock.monotonic();
      const machine = statMachine(2);
      let ownCpu = 0;
      let tickAt = start;
      const collector = stealCollector({
        procfs: machine.procfs,
        clock,
        config: { stealThreshold: 0.1 },
        ownTime: { seconds: () => ownCpu, close: () => undefined },
      });
      clock.every(1, () => {
        tickAt = clock.monotonic();
      });
      const apply: Record<Event['kind'], (seconds: number) => void> = {
        run: (seconds) => {
          machine.run(seconds, { 0: { user: 100 - steal, steal } });
          clock.advance(Math.min(seconds, 60));
        },
        stall: (seconds) => clock.stall(seconds),
        work: (seconds) => {
          ownCpu += seconds;
          clock.stall(seconds);
        },
        wall: (seconds) => clock.stepWall(-seconds),
        back: () => machine.stealBack(0, 1000),
        break: () => machine.answer(new Error('EMFILE')),
        mend: () => machine.answer(undefined),
      };
      let before = { good: 0, steal: 0, stall: 0 };
      async function check(): Promise<void> {
        let families;
        try {
          families = await collector.collect(AbortSignal.timeout(1000));
        } catch {
          return;
        }
        const [good, steal, stall] = (families[2]?.samples ?? []).map(({ value }) => Number(value));
        assert.ok(good !== undefined && steal !== undefined && stall !== undefined);
        const sum = good + steal + stall;
        assert.ok(Math.abs(sum - (tickAt - start)) < 1e-6, `${sum} of ${tickAt - start} s`);
        assert.ok(good >= before.good && steal >= before.steal && stall >= before.stall);
        before = { good, steal, stall };
      }
      for (const one of events) {
        apply[one.kind]('seconds' in one ? one.seconds : 0);
        await check();
      }
      machine.answer(undefined);
      clock.advance(2);
      await check();
      assert.ok(before.good + before.steal + before.stall >= clock.monotonic() - start - 1.001);
    }),
  );
});

test('steal: in the first second it says that it is the first, and never again', () => {
  const { run, stall, collector } = setup();
  const starting = () => collector.report?.().evidence?.starting;
  assert.equal(starting(), true);
  run(2);
  assert.equal(starting(), undefined);
  stall(300);
  assert.equal(starting(), undefined);
});

test('steal: evidence is the mean of the seconds, our own share, and what stood still', () => {
  const { run, stall, collector } = setup();
  const evidence = () => collector.report?.().evidence;
  assert.deepEqual(evidence(), { stallSeconds: 0, starting: true });
  run(54, { 0: { user: 20 } });
  run(6, { 0: { user: 20, steal: 60 } });
  const stolen = evidence();
  assert.ok(Math.abs(Number(stolen?.stealOfDemand) - (6 * 0.75) / 60) < 0.001);
  assert.ok(Math.abs(Number(stolen?.ownCpu) - 0.1) < 0.001);
  stall(11.5);
  assert.equal(evidence()?.stallSeconds, 10);
});

test('steal: the last second for the flight recorder, and none of it that could not be read', () => {
  const { collector, run, stall, machine, clock } = setup();
  const second = () => collector.report?.().second;
  run(1, { 0: { user: 30, steal: 10 }, 1: { user: 0 } });
  assert.deepEqual(second(), {
    cpu_own: 0.15,
    cpu_steal: 0.05,
    cpu_idle: 0.8,
    cpu_iowait: 0,
    steal_of_demand: 0.25,
    stalled_seconds: 0,
  });
  run(1);
  assert.equal(second()?.steal_of_demand, undefined, 'next to nothing was asked for');
  machine.answer(new Error('EIO'));
  clock.advance(1);
  assert.deepEqual(second(), { stalled_seconds: 0 });
  machine.answer(undefined);
  stall(12.5);
  assert.equal(second()?.stalled_seconds, 11);
});
