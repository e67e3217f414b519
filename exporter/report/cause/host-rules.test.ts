/** Rules that accuse the host, at the edge of what they need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boot,
  noFacts,
  placed,
  recorded,
  series,
  source,
  time,
} from '../../../tools/rig/report/build.ts';
import type { Facts, Series } from '../facts/facts.ts';
import { judge } from './judge.ts';

const from = time('2026-10-14 21:00:00');
const to = from + 1800;
const shape = { from: from - 25 * 3600, to: to + 3600, step: 60, source: 'prometheus' };
const during = (then: number, otherwise: number) => (at: number) =>
  at > from && at <= to ? then : otherwise;

const pageIns = (rate: number) => series('host_page_ins', shape, during(rate, 0.01));
const blocked = (threads: number) => series('threads_in_d', shape, during(threads, 0));
const inIo = (tasks: number) => series('tasks_in_io_wait', shape, during(tasks, 0));
const faults = (rate: number) => series('major_faults', shape, during(rate, 1));
const used = (share: number) => series('memory_used', shape, during(share, 0.4));
const waiting = (threads: number) => series('threads_waiting_for_page', shape, during(threads, 0));

function findings(all: readonly Series[], more: Partial<Facts> = {}) {
  const facts: Facts = {
    ...noFacts,
    sources: [source('prometheus', 'prometheus', 'prometheus')],
    boots: [boot('boot-1', '2026-10-10 00:00:00')],
    series: all,
    ...more,
  };
  return judge(facts, { lastBoot: false }, to + 3600).findings;
}

test('a full memory whose pages are read again is short of memory, without any swap', () => {
  const data = findings([faults(900), used(0.99)]).short_of_memory?.data;
  assert.deepEqual([data?.faults, data?.used?.toFixed(2)], [900, '0.99']);
  assert.equal(data?.swapIn, undefined);
  for (const other of [[faults(900)], [faults(900), used(0.5)], [faults(5), used(0.99)]]) {
    assert.equal(findings(other).short_of_memory, undefined);
  }
});

test('page-ins and threads asleep for no I/O are very likely the host, unless their wait channels say otherwise', () => {
  assert.equal(
    findings([pageIns(2), blocked(2), inIo(0)]).page_withheld_measured?.certainty,
    'very likely',
  );
  assert.equal(findings([pageIns(2), blocked(2), inIo(2)]).page_withheld_measured, undefined);
  assert.equal(findings([pageIns(0.05), blocked(2), inIo(0)]).page_withheld_measured, undefined);
  assert.equal(
    findings([pageIns(2), blocked(2), inIo(0), waiting(0)]).page_withheld_measured,
    undefined,
  );
});

test('one sample of a waiting thread is an instant, not a wait', () => {
  const once = series('threads_waiting_for_page', { ...shape, step: 15 }, (at) =>
    at === from + 15 ? 1 : 0,
  );
  assert.equal(findings([once]).page_withheld_measured, undefined);
  const minute = series('threads_waiting_for_page', shape, (at) => (at === from + 60 ? 1 : 0));
  assert.equal(findings([minute]).page_withheld_measured, undefined);
  const two = series('threads_waiting_for_page', shape, during(1, 0));
  assert.equal(findings([two]).page_withheld_measured?.certainty, 'very likely');
});

test('a wait that one source has in two steps is dated by the finer, and each moment of it counts once', () => {
  const asleep = (at: number) => (at > from + 170 && at <= to - 170 ? 1 : 0);
  const coarse = series('threads_waiting_for_page', { ...shape, step: 300 }, (at) =>
    at > from && at <= to ? 1 : 0,
  );
  const fine = series('threads_waiting_for_page', { ...shape, step: 10 }, asleep);
  const { page_withheld_measured: found, incident } = findings([coarse, fine]);
  assert.equal(found?.data.seconds, to - from - 340);
  assert.equal((incident?.data.end.at ?? 0) <= to - 170, true);
  const other = { ...coarse, source: 'other' };
  assert.equal(findings([fine, other]).page_withheld_measured?.data.seconds, to - from);
});

function cpu(name: string | undefined, steal: number, idle: number) {
  const of = name === undefined ? shape : { ...shape, of: name };
  return [series('cpu_steal', of, during(steal, 0)), series('cpu_idle', of, during(idle, 0.9))];
}

test('steal counts for ten minutes, of real demand, on the worst CPU', () => {
  assert.equal(findings(cpu(undefined, 0.2, 0.5)).cpu_taken?.certainty, 'proven');
  assert.equal(findings(cpu(undefined, 0.02, 0.9)).cpu_taken, undefined);
  const uneven = [...cpu(undefined, 0.06, 0.8), ...cpu('cpu0', 0, 0.9), ...cpu('cpu1', 0.3, 0.4)];
  assert.equal(findings(uneven).cpu_taken?.data.cpu, 'cpu1');
});

test('a soft lockup accuses the host of a KVM guest alone', () => {
  const kernelEvents = [
    {
      at: from,
      boot: 'boot-1',
      kind: 'soft_lockup' as const,
      text: 'watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [acme:380]',
      source: 'prometheus',
    },
  ];
  const machine = { addresses: [] };
  const guest = findings([], { kernelEvents, machine: { ...machine, hypervisor: 'kvm' } });
  assert.equal(guest.soft_lockup?.certainty, 'very likely');
  const other = findings([], { kernelEvents, machine: { ...machine, hypervisor: 'vmware' } });
  assert.equal(other.soft_lockup, undefined);
  assert.equal(other.kernel_stall?.certainty, 'proven');
});

test('a trace is proof unless all that shows it is a text in which a program can call itself the kernel', () => {
  const [trace] = recorded('6.12-redis-kvm-async-pf');
  assert.ok(trace);
  const report = placed(trace, { at: from, bootedAt: time('2026-10-10 00:00:00') });
  const text = { ...source('syslog', 'kernel_log', '/var/log/syslog'), forgeable: true };
  const forged = { ...report, source: 'syslog' };
  const told = (kernelReports: Facts['kernelReports']) =>
    findings([], { kernelReports, sources: [source('journal', 'journal', 'journal'), text] });
  assert.equal(told([report]).page_withheld_traced?.certainty, 'proven');
  assert.equal(told([forged]).page_withheld_traced?.certainty, 'very likely');
  assert.ok(told([forged]).trace_forgeable);
  assert.equal(told([report]).trace_forgeable, undefined);
});

function lockedUp(resetAfter: number, hypervisor?: 'kvm') {
  const end = { at: from + resetAfter, how: 'unclean' } as const;
  const own = boot('boot-1', '2026-10-10 00:00:00', end);
  const facts: Facts = {
    ...noFacts,
    sources: [source('journal', 'journal', 'journal')],
    boots: [hypervisor === undefined ? own : { ...own, hypervisor }],
    kernelEvents: [
      {
        at: from,
        boot: 'boot-1',
        kind: 'soft_lockup',
        text: 'stuck for 26s!',
        source: 'journal',
      },
    ],
  };
  return judge(facts, { lastBoot: false }, to + 8 * 3600);
}

test('a soft lockup that a reset follows is the incident, and what the guest runs on its own kernel says', () => {
  for (const after of [60, 900, 3000]) {
    const { incidents, findings } = lockedUp(after, 'kvm');
    assert.equal(incidents.length, 1, `${after}`);
    assert.equal(findings.soft_lockup?.certainty, 'very likely');
  }
  assert.equal(lockedUp(900).findings.soft_lockup, undefined);
  assert.equal(lockedUp(7200, 'kvm').incidents.length, 2);
});

test('page-ins that come in bursts, a reading every 5 s, are out of the ordinary', () => {
  const fine = { ...shape, from: from - 3600, step: 5, source: 'sysstat' };
  const bursts = (at: number) => (at > from && at <= to && Math.floor(at / 5) % 6 === 0 ? 4 : 0);
  const facts = { ...noFacts, series: [series('host_page_ins', fine, bursts)] };
  const { incident } = judge(facts, { lastBoot: false }, to + 3600);
  assert.deepEqual(
    incident?.signs.map(({ kind }) => kind),
    ['page_ins'],
  );
  assert.ok((incident?.end.at ?? 0) > to - 60);
});

const silence = (then: number, otherwise: number) => (at: number) =>
  at > to - 120 && at <= to ? then : otherwise;

test('a Redis was silent as long as it was silent, not as long as what lies beside it', () => {
  const fine = { ...shape, from: from - 3600, step: 5 };
  const all = [
    series('redis_up', fine, silence(0, 1)),
    series('redis_latency_seconds', fine, silence(60, 0.001)),
    series('threads_waiting_for_page', fine, during(1, 0)),
  ];
  const beside = findings([...all, series('threads_in_d', fine, () => 0)]);
  assert.equal(beside.redis_stopped_or_busy?.data.seconds, 120);
  const slept = findings([...all, series('threads_in_d', fine, silence(1, 0))]);
  assert.equal(slept.redis_stopped_or_busy, undefined);
  assert.equal(slept.redis_unserved?.data.seconds, 120);
});
