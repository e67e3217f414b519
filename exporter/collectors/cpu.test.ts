import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { manualClock } from '../measure/clock.ts';
import { type Family, isIncomplete } from '../core/collector.ts';
import { createPseudoFs } from '../procfs/reader.ts';
import { fixtureTree, writeTree } from '../../tools/rig/fixture-tree.ts';
import { cpuCollector } from './cpu.ts';

const recording = (moment: string) =>
  readFileSync(new URL(`../fixtures/kvm-async-pf/${moment}/proc/stat`, import.meta.url), 'utf8');

/** /proc/stat with these CPUs, by number; the sum is a lie on purpose after the first reading. */
function statOf(cpus: Readonly<Record<string, string>>, total = '0 0 0 0 0 0 0 0'): string {
  const lines = Object.entries(cpus).map(([number, times]) => `cpu${number} ${times} 0 0\n`);
  return `cpu  ${total} 0 0\n${lines.join('')}btime 1700000000\nprocs_blocked 3\n`;
}

const stealOf = (ticks: number) => statOf({ 0: `0 0 0 0 0 0 0 ${ticks}` }, '0 0 0 0 0 0 0 5000');

function collectorOn(t: TestContext, stat: string) {
  const root = fixtureTree(t, { stat });
  const clock = manualClock();
  const collector = cpuCollector({ procfs: createPseudoFs(root), clock });
  t.after(() => collector.close?.());
  return {
    collect: () => collector.collect(AbortSignal.timeout(1000)),
    after: (seconds: number, stat: string) => {
      clock.advance(seconds);
      writeTree(root, { stat });
      return collector.collect(AbortSignal.timeout(1000));
    },
  };
}

/** `name{label}` to value. */
function plain(families: readonly Family[]): Record<string, unknown> {
  return Object.fromEntries(
    families.flatMap(({ metric, samples }) =>
      samples.map(({ labels, value }) => [
        [metric.name.replace('stealwatch_', ''), ...Object.values(labels)].join(' '),
        value,
      ]),
    ),
  );
}

test('cpu: every family of a real guest', async (t) => {
  const { collect, after } = collectorOn(t, recording('before'));
  await collect();
  assert.deepEqual(plain(await after(40, recording('stalled'))), {
    'cpu_seconds_total user': 59.85,
    'cpu_seconds_total nice': 0,
    // 198.40 in the kernel's own sum: it rounds each CPU's line down to a tick.
    'cpu_seconds_total system': 198.41,
    'cpu_seconds_total idle': 1914.37,
    'cpu_seconds_total iowait': 0,
    'cpu_seconds_total irq': 0,
    'cpu_seconds_total softirq': 18.84,
    'cpu_seconds_total steal': 118.74,
    'cpu_steal_seconds_total 0': 46.12,
    'cpu_steal_seconds_total 1': 72.62,
    cpu_time_resets_total: 0,
    cpus: 2,
    procs_blocked: 0,
    boot_time_seconds: 1795524582,
  });
});

test('cpu: a vCPU that goes offline keeps its series, and its return invents nothing', async (t) => {
  const two = { 0: '100 0 0 1000 0 0 0 10', 1: '200 0 0 900000 0 0 0 20' };
  const { collect, after } = collectorOn(t, statOf(two, '300 0 0 901000 0 0 0 30'));
  await collect();
  const offline = plain(await after(10, statOf({ 0: '150 0 0 1900 0 0 0 60' })));
  assert.equal(offline['cpus'], 1);
  assert.equal(offline['cpu_steal_seconds_total 1'], 0.2);
  assert.equal(offline['cpu_seconds_total idle'], 9019);
  // Its idle time starts over, its other counters persist.
  const back = plain(
    await after(10, statOf({ 0: '150 0 0 2900 0 0 0 60', 1: '210 0 0 5 0 0 0 25' })),
  );
  assert.equal(back['cpus'], 2);
  assert.equal(back['cpu_steal_seconds_total 1'], 0.25);
  assert.equal(back['cpu_seconds_total user'], 3.6);
  assert.equal(back['cpu_seconds_total idle'], 9029);
  assert.equal(back['cpu_time_resets_total'], 1);
});

test('cpu: a vCPU added later brings no past with it', async (t) => {
  const { collect, after } = collectorOn(
    t,
    statOf({ 0: '0 0 0 100 0 0 0 0' }, '0 0 0 100 0 0 0 0'),
  );
  await collect();
  const one = '0 0 0 200 0 0 0 0';
  const families = plain(await after(1, statOf({ 0: one, 1: '5000 0 0 90000 0 0 0 70' })));
  assert.equal(families['cpu_seconds_total user'], 0);
  assert.equal(families['cpu_seconds_total steal'], 0);
  assert.equal(families['cpu_steal_seconds_total 1'], 0.7);
});

test('cpu: steal that steps back after a migration is held, then counted on', async (t) => {
  const { collect, after } = collectorOn(t, stealOf(5000));
  await collect();
  assert.equal(plain(await after(5, stealOf(20)))['cpu_seconds_total steal'], 50);
  const later = plain(await after(5, stealOf(25)));
  assert.equal(later['cpu_seconds_total steal'], 50.05);
  assert.equal(later['cpu_steal_seconds_total 0'], 50.05);
  assert.equal(later['cpu_time_resets_total'], 1);
});

test('cpu: no steal family on a kernel without the column', async (t) => {
  const text = 'cpu  1 2 3 4 5 6 7\ncpu0 1 2 3 4 5 6 7\nbtime 1\nprocs_blocked 0\n';
  const names = Object.keys(plain(await collectorOn(t, text).collect()));
  assert.ok(names.includes('cpu_seconds_total softirq'));
  assert.deepEqual(
    names.filter((name) => name.includes('steal')),
    [],
  );
});

test('cpu: nothing without /proc/stat, loud when it is broken', async (t) => {
  const absent = cpuCollector({ procfs: createPseudoFs(fixtureTree(t, {})), clock: manualClock() });
  assert.deepEqual(await absent.collect(AbortSignal.timeout(1000)), []);
  await assert.rejects(
    collectorOn(t, 'cpu  1 2\n').collect(),
    /stat: unexpected line "cpu {2}1 2"/,
  );
});

test('cpu: a time that cannot be (lxcfs 311) is left out, and comes once it can be read', async (t) => {
  const counts = '13337485 0 0 8317131874320235395 0 0 0 0 0 0';
  const text = `cpu  ${counts}\ncpu0 ${counts}\nbtime 1694798117\nprocs_blocked 1\n`;
  const { collect, after } = collectorOn(t, text);
  const first = plain(await collect());
  assert.equal(first['cpu_seconds_total user'], 133_374.85);
  assert.equal(first['cpu_seconds_total idle'], undefined);
  assert.deepEqual([first['cpus'], first['procs_blocked']], [1, 1]);
  const later = plain(await after(5, text.replaceAll('8317131874320235395', '700')));
  assert.equal(later['cpu_seconds_total idle'], 7);
  const again = plain(await after(5, text.replaceAll('8317131874320235395', '750')));
  assert.equal(again['cpu_seconds_total idle'], 7.5);
});

test('cpu: a line that cannot be read is a failure, and all else is there', async (t) => {
  const text = `${stealOf(5000)}cpu1 1 2\n`;
  await assert.rejects(collectorOn(t, text).collect(), (error: Error) => {
    assert.match(error.message, /stat: unexpected line "cpu1 1 2"/);
    assert.ok(isIncomplete(error));
    const values = plain(error.families);
    assert.equal(values['cpu_seconds_total steal'], 50);
    assert.equal(values['cpus'], 2);
    return true;
  });
});

const familiesOf = (promise: Promise<readonly Family[]>): Promise<Record<string, unknown>> =>
  promise.then(plain, (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /no line of/);
    return isIncomplete(error) ? plain(error.families) : {};
  });

test('cpu: the sum alone is counted on, and so are the single lines alone', async (t) => {
  const { collect, after } = collectorOn(t, 'cpu  100 0 0 500 0 0 0 10 0 0\n');
  assert.equal((await familiesOf(collect()))['cpu_seconds_total user'], 1);
  // Four CPUs' worth in a second.
  const sum = await familiesOf(after(1, 'cpu  500 0 0 500 0 0 0 10 0 0\n'));
  assert.equal(sum['cpu_seconds_total user'], 5);
  const singles = collectorOn(t, 'cpu0 100 0 0 500 0 0 0 10 0 0\n');
  await familiesOf(singles.collect());
  const values = await familiesOf(singles.after(1, 'cpu0 150 0 0 550 0 0 0 10 0 0\n'));
  assert.equal(values['cpu_seconds_total user'], 1.5);
});
