/**
 * A recording of a real KVM guest through the collectors, second by second: 30 s in which
 * redis-server sleeps for a page that the host does not bring back, and the moment after.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { manualClock } from './measure/clock.ts';
import type { Collector, Family } from './core/collector.ts';
import { asyncPageFaultsCollector } from './collectors/async-page-faults.ts';
import { blockedTasksCollector } from './collectors/blocked-tasks.ts';
import { cpuCollector } from './collectors/cpu.ts';
import { hungTasksCollector } from './collectors/hung-tasks.ts';
import { loadCollector } from './collectors/load.ts';
import { memoryCollector } from './collectors/memory.ts';
import { pressureCollector } from './collectors/pressure.ts';
import { stealCollector } from './collectors/steal.ts';
import { createPseudoFs } from './procfs/reader.ts';
import { reportsOf, statusOf } from './core/status.ts';
import { fixtureTree, writeTree } from '../tools/rig/fixture-tree.ts';

const fixtures = new URL('fixtures/', import.meta.url);
const text = (path: string) => readFileSync(new URL(path, fixtures), 'utf8');

type Moment = 'before' | 'stalled' | 'healed';
const globals = ['interrupts', 'stat', 'loadavg', 'vmstat'].concat(
  ['cpu', 'io', 'memory'].map((resource) => `pressure/${resource}`),
);
const ofTask = ['stat', 'status', 'wchan', 'comm'];

/** Everything under /proc as it was recorded, the task under its thread as well. */
function procOf(moment: Moment): Record<string, string> {
  const of = (path: string) => text(`kvm-async-pf/${moment}/proc/${path}`);
  return Object.fromEntries([
    ...globals.map((path) => [path, of(path)]),
    ...ofTask.flatMap((file) => [
      [`160/${file}`, of(`160/${file}`)],
      [`160/task/160/${file}`, of(`160/${file}`)],
    ]),
  ]);
}

/** One line of the recording: `t=1407.80 HYP=1155/5066 us=5950 sy=19642 id=... steal=...`. */
function sampleOf(line: string) {
  const number = (name: string) => Number(new RegExp(`\\b${name}=([\\d.]+)`).exec(line)?.[1]);
  const [, one = '', two = ''] = /HYP=(\d+)\/(\d+)/.exec(line) ?? [];
  const ticks = ['us', 'sy', 'id', 'iowait', 'steal'].map(number);
  return { at: number('t'), hyp: [one, two], ticks };
}

const half = (n: number) => Math.floor(n / 2);

/** The sum line as recorded; the CPUs' own lines were not, so half of it each. */
function statWith(stat: string, [user = 0, system = 0, idle = 0, iowait = 0, steal = 0]: number[]) {
  const one = `${half(user)} 0 ${half(system)} ${half(idle)} ${iowait} 0 0 ${half(steal)} 0 0`;
  return stat
    .replace(/^cpu  .*$/m, `cpu  ${user} 0 ${system} ${idle} ${iowait} 0 0 ${steal} 0 0`)
    .replaceAll(/^cpu(\d) .*$/gm, `cpu$1 ${one}`);
}

function replay(t: TestContext) {
  const root = fixtureTree(t, {
    ...procOf('before'),
    '2/stat': '2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n',
    '2/wchan': 'kthreadd',
    'sys/devices/system/clocksource/clocksource0/available_clocksource': 'kvm-clock tsc acpi_pm \n',
    uptime: '1400.00 2000.00\n',
    kmsg: '',
  });
  const clock = manualClock();
  const procfs = createPseudoFs(root);
  const sysfs = createPseudoFs(`${root}/sys`);
  const config = { kmsg: `${root}/kmsg`, kmsgUserspace: false, stealThreshold: 0.1 };
  const all = {
    procfs,
    sysfs,
    clock,
    config,
    ownTime: { seconds: () => 0, close: () => undefined },
  };
  const collectors: readonly Collector[] = [
    cpuCollector(all),
    stealCollector(all),
    asyncPageFaultsCollector(all),
    blockedTasksCollector(all),
    pressureCollector(all),
    memoryCollector(all),
    hungTasksCollector(all),
    loadCollector(all),
  ];
  t.after(async () => {
    await Promise.all(collectors.map(async (collector) => collector.close?.()));
  });
  const values = async () => {
    const families: Family[] = [];
    for (const collector of collectors) {
      families.push(...(await collector.collect(AbortSignal.timeout(1000))));
    }
    return (name: string, label?: string) =>
      families
        .find(({ metric }) => metric.name === name)
        ?.samples.find(
          ({ labels }) => label === undefined || Object.values(labels).join() === label,
        )?.value;
  };
  return {
    clock,
    set: (files: Record<string, string>) => writeTree(root, files),
    verdict: () => statusOf(reportsOf(collectors)).verdict,
    values,
  };
}

test('replay: Redis parked by the host is a page-in that is stuck, and no other signal moves', async (t) => {
  const { clock, set, values, verdict } = replay(t);
  const before = await values();
  const stalled = procOf('stalled');
  const lines = text('kvm-async-pf/samples-redis-stalled.txt').trim().split('\n').map(sampleOf);
  const names: string[] = [];
  lines.forEach(({ hyp, ticks, at }, i) => {
    set({
      ...stalled,
      stat: statWith(stalled['stat'] ?? '', ticks),
      interrupts: (stalled['interrupts'] ?? '').replace(/HYP: +\d+ +\d+/, `HYP: ${hyp.join(' ')}`),
    });
    clock.advance(at - (lines[i - 1]?.at ?? at - 1));
    names.push(verdict().name);
  });
  // The host of this guest is emulated: there is steal until the sleep is old enough to be told.
  assert.equal(names[8], 'page_in_stuck', names.join(' '));
  assert.ok(
    names.slice(8).every((name) => name === 'page_in_stuck'),
    names.join(' '),
  );
  assert.match(verdict().text, /does not bring it back: waiting for \d+ s/);

  const now = await values();
  assert.equal(now('stealwatch_blocked_tasks', 'host_page_in'), 1);
  assert.ok(Number(now('stealwatch_blocked_task_longest_seconds', 'host_page_in')) > 20);
  for (const [name, label] of [
    ['stealwatch_async_page_faults_total'],
    ['stealwatch_memory_events_total', 'major_fault'],
    ['stealwatch_cpu_seconds_total', 'iowait'],
    ['stealwatch_pressure_seconds_total', 'io,some'],
    ['stealwatch_pressure_seconds_total', 'memory,some'],
    ['stealwatch_blocked_tasks', 'disk'],
  ] as const) {
    assert.equal(now(name, label), 0, `${name} ${label ?? ''} moved`);
    assert.equal(before(name, label), 0);
  }
});

test('replay: once the host answers, its page-ins are counted and nothing is blocked', async (t) => {
  const { clock, set, values, verdict } = replay(t);
  set(procOf('stalled'));
  clock.advance(30);
  assert.equal(verdict().name, 'page_in_stuck');
  set(procOf('healed'));
  clock.advance(2);
  const now = await values();
  assert.equal(now('stealwatch_async_page_faults_total'), 10);
  assert.equal(now('stealwatch_blocked_tasks', 'host_page_in'), 0);
  assert.equal(verdict().name, 'host_paging');
});

test('replay: a soft lockup in a recorded kernel log accuses the host of a KVM guest', async (t) => {
  const { clock, set, values, verdict } = replay(t);
  set({ kmsg: text('kmsg/6.12-soft-lockup-kernel-mode-pagein.txt') });
  for (let i = 0; i < 4; i++) {
    set({ stat: statWith(text('kvm-async-pf/before/proc/stat'), [i * 40, i * 20, i * 140, 0, 0]) });
    clock.advance(1);
  }
  assert.equal((await values())('stealwatch_kernel_events_total', 'soft_lockup'), 2);
  assert.equal(verdict().name, 'kernel_page_in');
});
