import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { createRescueRecorder } from '../core/rescue-record.ts';
import { manualClock } from '../measure/clock.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { asyncPageFaultsCollector } from './async-page-faults.ts';

const sources = 'sys/devices/system/clocksource/clocksource0/available_clocksource';

const recording = (name: string) =>
  readFileSync(
    new URL(`../fixtures/kvm-async-pf/${name}/proc/interrupts`, import.meta.url),
    'utf8',
  );

/** /proc/interrupts with these HYP counts, by number of the online CPU. */
function interrupts(counts: Readonly<Record<number, number>>): string {
  const head = Object.keys(counts).map((cpu) => `CPU${cpu}`);
  const row = Object.values(counts);
  return `     ${head.join('   ')}\n  1: ${row.map(() => 5).join(' ')} IO-APIC x\nHYP: ${row.join(' ')} Hypervisor callback interrupts\n`;
}

function setup(t: TestContext, text: string, clocksources = 'tsc kvm-clock acpi_pm \n') {
  const root = fixtureTree(t, { 'proc/interrupts': text, [sources]: clocksources });
  const clock = manualClock();
  const collector = asyncPageFaultsCollector({
    procfs: createPseudoFs(`${root}/proc`),
    sysfs: createPseudoFs(`${root}/sys`),
    clock,
  });
  t.after(() => collector.close?.());
  return {
    clock,
    collector,
    /** A second passes, at the end of which the file reads so. */
    second: (text: string) => {
      writeTree(root, { 'proc/interrupts': text });
      clock.advance(1);
    },
    /** [page-ins, restores] */
    collect: async () => {
      const families = await collector.collect(AbortSignal.timeout(1000));
      return families.map(({ samples }) => samples[0]?.value);
    },
    findings: () =>
      collector.report?.().findings?.map(({ severity, text }) => `${severity}: ${text}`),
  };
}

test('async page faults: a real page-in counts when it completes, not while it is stuck', async (t) => {
  const { second, collect, collector, findings } = setup(t, recording('before'));
  assert.deepEqual(await collect(), [0, 0]);
  second(recording('stalled'));
  assert.deepEqual(await collect(), [0, 0]);
  assert.deepEqual(findings(), []);
  second(recording('healed'));
  assert.deepEqual(await collect(), [10, 0]);
  assert.equal(collector.completedPageIns(), 10);
  assert.deepEqual(findings(), [
    'bad: Your host had swapped out memory of this machine and fetched 10 pages of it back in the last minute, each while a thread stood still.',
  ]);
  const [chart] = collector.report?.().charts ?? [];
  assert.deepEqual(chart?.history.points(2), [null, 10]);
});

test('async page faults: a real VM with a named CPU model was not offered them', async (t) => {
  const { clock, collect, collector } = setup(t, recording('named-cpu-model'));
  clock.advance(60);
  assert.deepEqual(await collect(), []);
  assert.equal(collector.completedPageIns(), undefined);
  const report = collector.report?.();
  assert.deepEqual(Object.keys(report ?? {}), ['signals']);
  assert.equal(report?.signals?.[0]?.supported, false);
  assert.match(report.signals[0].reason, /not offered async page faults/);
});

test('async page faults: not on Hyper-V, where the row counts device interrupts', async (t) => {
  const hyperv = 'hyperv_clocksource_tsc_page acpi_pm \n';
  const { second, collect, collector } = setup(t, interrupts({ 0: 5, 1: 5 }), hyperv);
  second(interrupts({ 0: 900, 1: 900 }));
  assert.deepEqual(await collect(), []);
  assert.match(collector.report?.().signals?.[0]?.reason ?? '', /no KVM guest/);
});

test('async page faults: one more on all vCPUs at once is a restore, not page-ins', async (t) => {
  const { clock, second, collect, findings } = setup(t, interrupts({ 0: 7, 1: 30, 2: 1 }));
  clock.advance(5);
  second(interrupts({ 0: 8, 1: 31, 2: 2 }));
  assert.deepEqual(await collect(), [0, 1]);
  clock.advance(40);
  assert.deepEqual(findings(), ['warning: Your host migrated or restored this machine 40 s ago.']);
  second(interrupts({ 0: 9, 1: 33, 2: 3 }));
  second(interrupts({ 0: 10, 1: 34, 2: 3 }));
  assert.deepEqual(await collect(), [6, 1]);
});

test('async page faults: amid page-ins, one on each vCPU is page-ins', async (t) => {
  const { second, collect } = setup(t, interrupts({ 0: 0, 1: 0 }));
  second(interrupts({ 0: 3, 1: 5 }));
  second(interrupts({ 0: 4, 1: 6 }));
  assert.deepEqual(await collect(), [10, 0]);
});

test('async page faults: with one vCPU a page-in is not taken for a restore', async (t) => {
  const { second, collect } = setup(t, interrupts({ 0: 1 }));
  second(interrupts({ 0: 2 }));
  assert.deepEqual(await collect(), [1, 0]);
});

test('async page faults: a vCPU that goes and comes back is a new baseline', async (t) => {
  const { second, collect } = setup(t, interrupts({ 0: 10, 1: 500 }));
  second(interrupts({ 0: 10 }));
  second(interrupts({ 0: 12 }));
  second(interrupts({ 0: 12, 1: 501 }));
  assert.deepEqual(await collect(), [2, 0]);
  second(interrupts({ 0: 12, 1: 504, 2: 1 }));
  assert.deepEqual(await collect(), [5, 0]);
});

test('async page faults: the kernel counts in 32 bits', async (t) => {
  const { second, collect } = setup(t, interrupts({ 0: 4_294_967_290, 1: 0 }));
  second(interrupts({ 0: 4_294_967_295, 1: 0 }));
  second(interrupts({ 0: 3, 1: 0 }));
  second(interrupts({ 0: 4, 1: 0 }));
  assert.deepEqual(await collect(), [6, 0]);
});

test('async page faults: the finding is of the last minute only', (t) => {
  const { clock, second, findings } = setup(t, interrupts({ 0: 0, 1: 0 }));
  clock.advance(100);
  second(interrupts({ 0: 1, 1: 0 }));
  assert.match(findings()?.join() ?? '', /^warning: .* fetched one page of it back/);
  clock.advance(58);
  assert.equal(findings()?.length, 1);
  clock.advance(3);
  assert.deepEqual(findings(), []);
});

test('async page faults: a broken file rejects, ages the sampler and loses no count', async (t) => {
  const { second, collect, collector } = setup(t, interrupts({ 0: 1, 1: 1 }));
  second('CPU0 CPU1\nHYP: what\n');
  await assert.rejects(collect(), /interrupts: unexpected line "HYP: what"/);
  const sampler = () => collector.report?.().samplers?.[0];
  assert.equal(sampler()?.ageSeconds, 1);
  assert.match(sampler()?.problem ?? '', /unexpected line "HYP: what"/);
  second('CPU0 CPU1\nERR: 0\n');
  await assert.rejects(collect(), /was there and is gone/);
  second(interrupts({ 0: 4, 1: 1 }));
  assert.deepEqual(await collect(), [3, 0]);
  assert.deepEqual(sampler(), { name: 'async_page_faults', ageSeconds: 0 });
});

test('async page faults: a scrape does not make a dead clock look alive', async (t) => {
  const { clock, collect, collector } = setup(t, interrupts({ 0: 1, 1: 1 }));
  clock.stall(20);
  await collect();
  assert.equal(collector.report?.().samplers?.[0]?.ageSeconds, 20);
});

test('async page faults: where there are none, no clock goes on ticking', async (t) => {
  const clock = manualClock();
  let ended = 0;
  asyncPageFaultsCollector({
    procfs: createPseudoFs(fixtureTree(t, {})),
    sysfs: createPseudoFs(fixtureTree(t, {})),
    clock: {
      ...clock,
      every: (seconds, tick) => {
        const end = clock.every(seconds, tick);
        return () => {
          ended += 1;
          end();
        };
      },
    },
  });
  clock.advance(10);
  assert.equal(ended, 1);
});

test('async page faults: without /sys or /proc the signal says what to mount', async (t) => {
  const trees: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{}, /mount the sys file system/],
    [{ [sources]: 'kvm-clock\n' }, /mount the proc file system/],
  ];
  for (const [tree, reason] of trees) {
    const root = fixtureTree(t, tree);
    const collector = asyncPageFaultsCollector({
      procfs: createPseudoFs(`${root}/proc`),
      sysfs: createPseudoFs(`${root}/sys`),
      clock: manualClock(),
    });
    assert.deepEqual(await collector.collect(AbortSignal.timeout(1000)), []);
    assert.match(collector.report?.().signals?.[0]?.reason ?? '', reason);
    await collector.close?.();
  }
});

/** With the record of a rescue beside it. */
function rescued(t: TestContext, text: string) {
  const root = fixtureTree(t, { 'proc/interrupts': text, [sources]: 'kvm-clock \n' });
  const path = `${root}/record.json`;
  const recorder = createRescueRecorder(path);
  recorder.intend(0);
  const clock = manualClock();
  const collector = asyncPageFaultsCollector({
    procfs: createPseudoFs(`${root}/proc`),
    sysfs: createPseudoFs(`${root}/sys`),
    clock,
    rescueRecord: path,
  });
  t.after(() => collector.close?.());
  const second = (text: string) => {
    writeTree(root, { 'proc/interrupts': text });
    clock.advance(1);
  };
  const total = async () => {
    const families = await collector.collect(AbortSignal.timeout(1000));
    return families.map(({ samples }) => samples[0]?.value);
  };
  return { recorder, second, total, clock, collector };
}

test('async page faults: the answer to a rescue is no page that came back, and no migration', async (t) => {
  const { recorder, second, total, collector } = rescued(t, interrupts({ 0: 5, 1: 7 }));
  // What was written before we started is in the counts already.
  second(interrupts({ 0: 6, 1: 7 }));
  assert.deepEqual(await total(), [1, 0]);
  recorder.intend(0);
  recorder.intend(1);
  second(interrupts({ 0: 6, 1: 7 }));
  second(interrupts({ 0: 7, 1: 8 }));
  assert.deepEqual(await total(), [1, 0]);
  assert.equal(collector.report?.().evidence?.sincePageInSeconds, 2);
  // One each, whoever came with it.
  second(interrupts({ 0: 8, 1: 9 }));
  recorder.intend(1);
  second(interrupts({ 0: 8, 1: 12 }));
  assert.deepEqual(await total(), [3, 1]);
});

test('async page faults: a write that the host never answered takes no page-in away for good', async (t) => {
  const { recorder, second, total, clock } = rescued(t, interrupts({ 0: 5, 1: 7 }));
  recorder.intend(1);
  second(interrupts({ 0: 6, 1: 7 }));
  clock.advance(60);
  second(interrupts({ 0: 6, 1: 9 }));
  assert.deepEqual(await total(), [3, 0]);
});
